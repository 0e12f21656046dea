import type { Hello, UpstreamSample, WorkerSample } from '../../../src/dashboard/protocol.ts'
import { latencyBucketOf } from '../../../src/metrics/latency-counts.ts'
import { Overview, type Watched } from '../../../src/overview/overview.ts'
import {
  aggregateCountNames,
  breakerStates,
  upstreamCountNames,
  type AggregateCounts,
  type ProcessSample,
  type UpstreamCounts,
} from '../../../src/overview/process-sample.ts'

/** The start of the hand clock, in the middle of a point. */
export const start = Date.parse('2026-11-30T01:02:03.100Z')

export const watched: Watched = {
  upstreams: [
    { name: 'cats', origin: 'http://127.0.0.1:1', operations: ['fact'], isOff: false },
    { name: 'dogs', origin: 'http://127.0.0.1:2', operations: ['fact'], isOff: false },
  ],
  aggregates: [
    { name: 'pets', method: 'GET', url: '/pets', isBulk: false },
    { name: 'facts', method: 'GET', url: '/facts', isBulk: false },
  ],
}

export interface UpstreamEvents {
  readonly ok?: number
  readonly failed?: number
  /** The failure of the failed attempts. @default '503' */
  readonly failure?: string
  /** The duration of each attempt, in ms. @default 10 */
  readonly ms?: number
  readonly counts?: Partial<Record<(typeof upstreamCountNames)[number], number>>
  readonly permits?: number
  readonly permitLimit?: number
  readonly queued?: number
  readonly breaker?: (typeof breakerStates)[number]
  readonly origins?: number
  readonly originsOut?: number
}

/** Returns the row of an upstream that has answered and failed so often. */
export function upstreamRow(name: string, events: UpstreamEvents): UpstreamCounts {
  const { ok = 0, failed = 0, failure = '503', ms = 10, counts = {} } = events
  const { permits = 0, permitLimit = 16, queued = 0, breaker = 'closed', origins = 0, originsOut = 0 } = events
  const all = { attempts: ok + failed, failedAttempts: failed, calls: ok + failed, lostCalls: failed, ...counts }
  return {
    name,
    counts: upstreamCountNames.map(each => (all as Record<string, number>)[each] ?? 0),
    gauges: [permits, permitLimit, queued, breakerStates.indexOf(breaker), origins, originsOut],
    latency: ok + failed === 0 ? [] : [latencyBucketOf(ms), ok + failed],
    failures: failed === 0 ? [] : [[failure, failed]],
  }
}

export interface AggregateEvents {
  readonly counts: Partial<Record<(typeof aggregateCountNames)[number], number>>
  readonly codes?: AggregateCounts['codes']
  readonly statuses?: AggregateCounts['statuses']
  readonly ms?: number
}

/** Returns the row of an aggregate whose runs have ended so. */
export function aggregateRow(
  name: string,
  { counts, codes = [], statuses = [], ms = 20 }: AggregateEvents,
): AggregateCounts {
  const numbers = aggregateCountNames.map(each => counts[each] ?? 0)
  const runs = numbers.slice(0, 4).reduce((sum, each) => sum + each, 0)
  return { name, counts: numbers, latency: runs === 0 ? [] : [latencyBucketOf(ms), runs], codes, statuses }
}

/** An overview with a hand clock. */
export class HandOverview {
  readonly overview: Overview
  now = start
  /** The worker processes. @default none */
  workers: readonly WorkerSample[] = []

  constructor(definitions: Watched = watched) {
    this.overview = new Overview(definitions, start)
  }

  /** Lets 500 ms pass, in which this was counted. */
  tick(sample: Partial<ProcessSample> = {}, ms = 500): ReturnType<Overview['apply']> {
    this.now += ms
    return this.overview.apply(this.now, { upstreams: [], aggregates: [], ...sample }, this.workers)
  }

  /** Lets 500 ms pass several times, with the same counts in each. */
  ticks(times: number, sample: Partial<ProcessSample> = {}): void {
    for (let count = 0; count < times; count++) this.tick(sample)
  }

  /** The present state of an upstream. */
  upstream(name: string): UpstreamSample {
    const { upstreams, now } = this.overview.hello()
    return now.upstreams[upstreams.findIndex(each => each.name === name)] as UpstreamSample
  }

  /** The text of the verdict. */
  get verdict(): string {
    return this.overview
      .sample()
      .verdict.sentences.map(parts => parts.map(({ text }) => text).join(''))
      .join(' ')
  }

  get hello(): Omit<Hello, 'history' | 'type' | 'boot' | 'version' | 'at' | 'every' | 'keptRuns' | 'runs' | 'bulk'> {
    return this.overview.hello()
  }
}
