import type {
  AggregateSample,
  BreakerChange,
  BulkRuns,
  Hello,
  Runs,
  Sample,
  UpstreamHistory,
  UpstreamSample,
  Verdict,
} from '../../src/dashboard/protocol.ts'
import type { KeptRun, RunRow } from '../../src/waterfall/kept-run.ts'
import { fraction } from '../../src/demo-upstreams/random.ts'
import type { RecentRuns } from '../../src/overview/aggregate-state.ts'
import { verdictOf } from '../../src/overview/verdict.ts'
import { inventRun, rowOf, statusOf } from './fleet-runs.ts'
import type { FleetAggregate, FleetShape } from './fleet-shapes.ts'
import { SimulatedUpstream } from './fleet-upstream.ts'

/** The time between two samples, in ms. */
export const every = 500

/** The points of the history, the rows of a `runs` event and the runs that are kept. */
const points = 240
const mostRows = 20
const mostKept = 2000

export interface FleetOptions {
  readonly shape: FleetShape
  readonly seed: number
  /** The first moment, in ms since 1970. */
  readonly startAt: number
  /** The moment at which the upstreams with the story `failing` begin to fail. @default never */
  readonly failsAt?: number
}

/** What happened in one half second. */
export interface Tick {
  readonly sample: Sample
  readonly breakers: readonly BreakerChange[]
  readonly runs: Runs
}

/** Invents the events of a service from a seed: the same seed gives the same events. */
export class SimulatedFleet {
  readonly boot: string
  readonly kept = new Map<string, KeptRun>()
  /** The bulk runs of a first event. @default no aggregate has `bulk: true` */
  bulk: BulkRuns | null = null
  readonly #options: FleetOptions
  readonly #upstreams: readonly SimulatedUpstream[]
  readonly #upstreamSamples: UpstreamSample[][] = []
  readonly #aggregateSamples: AggregateSample[][] = []
  readonly #breakers: BreakerChange[] = []
  /** The names of the aggregates that use each upstream. */
  readonly #usedBy: readonly (readonly string[])[]
  #at: number
  #ticks = 0
  #runs = 0

  constructor(options: FleetOptions) {
    const { shape, seed, startAt, failsAt = Infinity } = options
    this.#options = options
    this.#at = startAt
    this.boot = `boot-${seed}`
    this.#usedBy = shape.upstreams.map((_, upstream) =>
      shape.aggregates.filter(({ steps }) => steps.some(step => step.upstream === upstream)).map(({ name }) => name),
    )
    this.#upstreams = shape.upstreams.map(
      (spec, index) => new SimulatedUpstream(spec, seed + index * 104_729, startAt, failsAt),
    )
  }

  get at(): number {
    return this.#at
  }

  /** Lets half a second pass, and returns what happened in it. */
  tick(): Tick {
    const { shape, seed } = this.#options
    this.#at += every
    this.#ticks++
    const started = shape.aggregates.map((aggregate, index) => this.#startedRuns(aggregate, index))
    const calls = shape.upstreams.map(() => 0)
    for (const [index, { steps }] of shape.aggregates.entries())
      for (const step of steps)
        if (this.#isCalled(step.upstream))
          calls[step.upstream] = (calls[step.upstream] ?? 0) + step.calls * (started[index] ?? 0)
    const breakers: BreakerChange[] = []
    const upstreams = this.#upstreams.map((upstream, index) => {
      const from = upstream.breaker
      const sample = upstream.tick(this.#at, index, calls[index] ?? 0)
      if (upstream.breaker !== from)
        breakers.push({ type: 'breaker', at: this.#at, upstream: upstream.spec.name, from, to: upstream.breaker })
      return sample
    })
    const aggregates = shape.aggregates.map((aggregate, index) => this.#endRuns(aggregate, index, started[index] ?? 0))
    this.#breakers.push(...breakers)
    this.#breakers.splice(0, this.#breakers.length - 50)
    this.#upstreamSamples.push(upstreams)
    this.#aggregateSamples.push(aggregates)
    if (this.#upstreamSamples.length > points) {
      this.#upstreamSamples.shift()
      this.#aggregateSamples.shift()
    }
    const runs = this.#rowsOf(aggregates, seed)
    const sample: Sample = {
      type: 'sample',
      at: this.#at,
      verdict: this.#verdict(),
      upstreams: this.#ticks % 20 === 0 ? upstreams : upstreams.filter(({ calls, attempts }) => calls + attempts > 0),
      aggregates: aggregates.filter(({ complete, partial, failed }) => complete + partial + failed > 0),
      workers: [],
    }
    return { sample, breakers, runs }
  }

  /** Returns the first event of a reader. */
  hello(): Hello {
    const { shape } = this.#options
    const from = this.#at - (this.#upstreamSamples.length - 1) * every
    return {
      type: 'hello',
      boot: this.boot,
      version: '0.1.0',
      at: this.#at,
      every,
      upstreams: shape.upstreams.map(({ name, origin, operations }, index) => ({
        name,
        origin,
        operations,
        usedBy: this.#usedBy[index] ?? [],
      })),
      aggregates: shape.aggregates.map(({ name, url }) => ({ name, method: 'GET', url })),
      keptRuns: true,
      history: {
        from,
        every,
        upstreams: shape.upstreams.map((_, index) => ({
          attempts: this.#upstreamSamples.map(row => row[index]?.attempts ?? 0),
          failed: this.#upstreamSamples.map(row => row[index]?.failedAttempts ?? 0),
          p95: this.#upstreamSamples.map(row => row[index]?.p95 ?? null),
        })),
        aggregates: shape.aggregates.map((_, index) => ({
          runs: this.#aggregateSamples.map(row => {
            const { complete = 0, partial = 0, failed = 0 } = row[index] ?? {}
            return complete + partial + failed
          }),
          partial: this.#aggregateSamples.map(row => row[index]?.partial ?? 0),
          failed: this.#aggregateSamples.map(row => row[index]?.failed ?? 0),
        })),
      },
      breakers: [...this.#breakers],
      runs: [...this.kept.values()].slice(-100).map(rowOf),
      bulk: this.bulk,
      now: {
        type: 'sample',
        at: this.#at,
        verdict: this.#verdict(),
        upstreams: this.#upstreamSamples.at(-1) ?? [],
        aggregates: this.#aggregateSamples.at(-1) ?? [],
        workers: [],
      },
    }
  }

  /** Returns all series of one upstream, or `undefined` for an unknown name. */
  historyOf(name: string): UpstreamHistory | undefined {
    const index = this.#options.shape.upstreams.findIndex(each => each.name === name)
    if (index === -1) return undefined
    const rows = this.#upstreamSamples.map(samples => samples[index] as UpstreamSample)
    return {
      from: this.#at - (rows.length - 1) * every,
      every,
      attempts: rows.map(row => row.attempts),
      failed: rows.map(row => row.failedAttempts),
      p50: rows.map(row => row.p50),
      p95: rows.map(row => row.p95),
      p99: rows.map(row => row.p99),
      permits: rows.map(row => row.permits),
      permitLimit: rows.map(row => row.permitLimit),
      queued: rows.map(row => row.queued),
      breaker: rows.map(row => row.breaker),
      hedges: rows.map(row => row.hedges),
      hedgesWon: rows.map(row => row.hedgesWon),
      retries: rows.map(row => row.retries),
      refusedResends: rows.map(row => row.refusedResends),
      cacheHits: rows.map(row => row.cacheHits),
      cacheAsked: rows.map(row => row.cacheAsked),
    }
  }

  #isCalled(upstream: number): boolean {
    const story = this.#options.shape.upstreams[upstream]?.story
    return story !== 'idle'
  }

  #random(salt: number): number {
    return fraction(this.#options.seed + salt, this.#ticks)
  }

  #startedRuns({ runsPerSecond }: FleetAggregate, index: number): number {
    const wave = 1 + 0.15 * Math.sin(this.#ticks / 31 + index) + 0.12 * (this.#random(index + 1) - 0.5)
    return Math.floor((runsPerSecond * wave * every) / 1000 + this.#random(index + 1000))
  }

  #endRuns(aggregate: FleetAggregate, index: number, runs: number): AggregateSample {
    let whole = 1
    let alive = 1
    let worst: SimulatedUpstream | undefined
    let slowest = 0
    for (const step of aggregate.steps) {
      const upstream = this.#upstreams[step.upstream] as SimulatedUpstream
      whole *= 1 - upstream.lostShare
      if (step.kind === 'required') alive *= 1 - upstream.lostShare
      if (upstream.lostShare > 0.01 && (worst === undefined || upstream.lostShare > worst.lostShare)) worst = upstream
      const p95 = (this.#upstreamSamples.at(-1) ?? [])[step.upstream]?.p95 ?? 0
      slowest = Math.max(slowest, p95)
    }
    const failed = Math.min(runs, Math.floor(runs * (1 - alive) + this.#random(index + 2000)))
    const partial = Math.min(runs - failed, Math.floor(runs * (alive - whole) + this.#random(index + 3000)))
    return {
      index,
      complete: runs - failed - partial,
      partial,
      failed,
      cancelled: this.#random(index + 4000) < 0.02 ? 1 : 0,
      p95: runs === 0 ? null : Math.min(aggregate.deadline, Math.round(slowest * 1.25 + 6)),
      topCode: worst?.code ?? null,
      topStatus: worst === undefined || failed === 0 ? null : (statusOf[worst.code] ?? 502),
    }
  }

  /** Keeps at most 20 runs of the half second: lost ones first, then a few complete ones. */
  #rowsOf(samples: readonly AggregateSample[], seed: number): Runs {
    const more = { complete: 0, partial: 0, failed: 0, cancelled: 0 }
    const rows: RunRow[] = []
    const keep = (aggregate: FleetAggregate, kind: 'complete' | 'partial' | 'failed' | 'cancelled', count: number) => {
      for (let left = count; left > 0; left--)
        if (rows.length === mostRows || (kind === 'complete' && left < count - 1)) more[kind]++
        else rows.push(this.#keep(aggregate, kind, seed))
    }
    for (const kind of ['failed', 'partial', 'cancelled', 'complete'] as const)
      for (const sample of samples)
        keep(this.#options.shape.aggregates[sample.index] as FleetAggregate, kind, Math.min(sample[kind], 6))
    return { type: 'runs', rows, more }
  }

  #keep(aggregate: FleetAggregate, kind: RunRow['state'], seed: number): RunRow {
    const number = ++this.#runs
    const lost: Record<string, string> = {}
    for (const step of aggregate.steps) {
      const upstream = this.#upstreams[step.upstream] as SimulatedUpstream
      const isWanted = kind === 'failed' ? step.kind === 'required' : kind === 'partial' && step.kind !== 'required'
      if (isWanted && upstream.lostShare > 0.01) lost[step.name] = upstream.code
    }
    const candidate = aggregate.steps.find(step => (step.kind === 'required') === (kind === 'failed'))
    if ((kind === 'failed' || kind === 'partial') && Object.keys(lost).length === 0 && candidate !== undefined)
      lost[candidate.name] = kind === 'partial' && number % 2 === 0 ? 'DEADLINE_EXCEEDED' : 'UPSTREAM_RESET'
    const run = inventRun(this.#options.shape, seed, {
      aggregate,
      number,
      at: this.#at - Math.floor(this.#random(number) * every),
      lost,
      isCancelled: kind === 'cancelled',
    })
    this.kept.set(run.id, run)
    if (this.kept.size > mostKept) for (const [id] of this.kept) return this.#drop(id, run)
    return rowOf(run)
  }

  #drop(id: string, run: KeptRun): RunRow {
    this.kept.delete(id)
    return rowOf(run)
  }

  #verdict(): Verdict {
    const { shape } = this.#options
    const upstreams = this.#upstreams.map(({ spec, health }, index) => ({
      name: spec.name,
      health: health.state,
      usedBy: this.#usedBy[index] ?? [],
    }))
    const aggregates = shape.aggregates.map(({ name }, index) => ({ name, recent: this.#recentRuns(index) }))
    return verdictOf(this.#at, upstreams, aggregates)
  }

  /** Counts the runs of the last 10 s. */
  #recentRuns(aggregate: number): RecentRuns {
    const counts = { runs: 0, partial: 0, failed: 0 }
    for (const row of this.#aggregateSamples.slice(-20)) {
      const { complete = 0, partial = 0, failed = 0, cancelled = 0 } = row[aggregate] ?? {}
      counts.runs += complete + partial + failed + cancelled
      counts.partial += partial
      counts.failed += failed
    }
    const { topCode = null, topStatus = null } = this.#aggregateSamples.at(-1)?.[aggregate] ?? {}
    return { ...counts, rate: counts.runs / 10, topCode, topStatus }
  }
}
