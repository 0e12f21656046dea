import * as families from '../metrics/families.ts'
import type { Family } from '../metrics/family.ts'
import { LiveCounts } from '../metrics/live-counts.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { CountedAggregateRow, CountedUpstreamRow } from './counted-rows.ts'
import { isCallersFault, isEvidence } from './failed-attempt.ts'
import { breakerStates, upstreamGaugeNames, type ProcessSample } from './process-sample.ts'
import { SeriesCounts, SeriesValues, type ReaderOf } from './series-counts.ts'

type CountersOf = (family: Family, readerOf: ReaderOf) => SeriesCounts

/** The steps with these states have a code, and their run is partial. */
const lostStates: ReadonlySet<string> = new Set(['fallback', 'stale'])

/**
 * Samples the counts of one runtime. It reads the tables of the metrics, so that calls and runs cost nothing more; only
 * durations are counted for it, because the buckets of the metrics are too wide for percentiles.
 */
export class Sampler {
  readonly #metrics: Metrics
  readonly #live: LiveCounts
  readonly #upstreams = new Map<string, CountedUpstreamRow>()
  readonly #aggregates = new Map<string, CountedAggregateRow>()
  readonly #counters: readonly SeriesCounts[]
  readonly #gauges: readonly SeriesValues[]
  /** The refused resends of each upstream at the sample before. */
  readonly #refusedResends = new Map<string, number>()

  /** @param metrics - The metrics of a runtime that has neither sent a call nor started a run. */
  constructor(metrics: Metrics) {
    this.#metrics = metrics
    this.#live = metrics.live ??= new LiveCounts()
    const of: CountersOf = (family, readerOf) => new SeriesCounts(metrics.table(family), readerOf)
    this.#counters = [...this.#countersOfUpstreams(of), ...this.#countersOfAggregates(of)]
    this.#gauges = [...this.#readGauges()]
  }

  /** The breaker changes of the runtime are sent to this function, at once. */
  set onBreakerChange(changed: LiveCounts['onBreakerChange']) {
    this.#live.onBreakerChange = changed
  }

  /** Returns what was counted since the sample before, and the present values. */
  take(): ProcessSample {
    // The present values and the counts of the caches are read by this.
    this.#metrics.collect()
    for (const counter of this.#counters) counter.read()
    this.#readRefusedResends()
    for (const { gauges } of this.#upstreams.values()) gauges.fill(0)
    for (const gauge of this.#gauges) gauge.read()
    return {
      upstreams: Array.from(this.#upstreams, ([name, row]) =>
        row.take(name, this.#live.upstreams.get(name)?.latency),
      ).filter(row => row !== undefined),
      aggregates: Array.from(this.#aggregates, ([name, row]) => row.take(name, this.#live.aggregates.get(name))).filter(
        row => row !== undefined,
      ),
    }
  }

  *#countersOfUpstreams(of: CountersOf): Generator<SeriesCounts> {
    yield of(families.clientDuration, labels => {
      const row = this.#upstream(labels[0])
      const errorType = labels.at(-1) as string
      if (!isEvidence(errorType)) return count => row.add('attempts', count)
      return count => {
        row.add('attempts', count)
        row.add('failedAttempts', count)
        row.failures.add(errorType, count)
      }
    })
    yield of(families.calls, ([upstream, , code]) => {
      const row = this.#upstream(upstream)
      const isLost = code !== 'OK' && code !== 'CANCELLED'
      return count => {
        row.add('calls', count)
        if (isLost) row.add('lostCalls', count)
      }
    })
    yield of(families.hedges, ([upstream, , result]) => {
      const row = this.#upstream(upstream)
      return count => {
        row.add('hedges', count)
        if (result === 'won') row.add('hedgesWon', count)
      }
    })
    yield of(families.retries, ([upstream]) => {
      const row = this.#upstream(upstream)
      return count => row.add('retries', count)
    })
    yield of(families.cacheRequests, ([upstream, result]) => {
      const row = this.#upstream(upstream)
      return count => {
        row.add('cacheAsked', count)
        if (result !== 'miss') row.add('cacheHits', count)
      }
    })
  }

  *#countersOfAggregates(of: CountersOf): Generator<SeriesCounts> {
    yield of(families.runs, ([aggregate, outcome, code = '']) => {
      const row = this.#aggregate(aggregate)
      return count => {
        row.add(outcome as 'complete' | 'partial' | 'failed' | 'cancelled', count)
        if (outcome !== 'failed') return
        if (isCallersFault(code)) row.add('refused', count)
        row.codes.add(code, count)
      }
    })
    yield of(families.steps, ([aggregate, , state, code = '']) => {
      if (!lostStates.has(state as string) || code === '') return undefined
      const row = this.#aggregate(aggregate)
      return count => row.codes.add(code, count)
    })
    yield of(families.serverDuration, ([, , , status = '', , aggregate]) => {
      if (aggregate === '' || !status.startsWith('5')) return undefined
      const row = this.#aggregate(aggregate)
      return count => row.statuses.add(status, count)
    })
  }

  *#readGauges(): Generator<SeriesValues> {
    for (const [name, family] of [
      ['permits', families.permitsInUse],
      ['permitLimit', families.permitsLimit],
      ['queued', families.queueLength],
    ] as const) {
      const at = upstreamGaugeNames.indexOf(name)
      yield new SeriesValues(this.#metrics.table(family), ([upstream]) => {
        const { gauges } = this.#upstream(upstream)
        return value => (gauges[at] = value)
      })
    }
    const at = upstreamGaugeNames.indexOf('breaker')
    yield new SeriesValues(this.#metrics.table(families.breakerState), ([upstream, state]) => {
      const { gauges } = this.#upstream(upstream)
      const index = (breakerStates as readonly string[]).indexOf(state as string)
      return value => {
        if (value > 0) gauges[at] = index
      }
    })
    yield new SeriesValues(this.#metrics.table(families.origins), ([upstream, state]) => {
      const { gauges } = this.#upstream(upstream)
      const add = (name: 'origins' | 'originsOut', count: number) => {
        const at = upstreamGaugeNames.indexOf(name)
        gauges[at] = (gauges[at] as number) + count
      }
      return count => {
        add('origins', count)
        if (state !== 'available') add('originsOut', count)
      }
    })
  }

  #upstream(name = ''): CountedUpstreamRow {
    let row = this.#upstreams.get(name)
    if (row === undefined) this.#upstreams.set(name, (row = new CountedUpstreamRow()))
    return row
  }

  #aggregate(name = ''): CountedAggregateRow {
    let row = this.#aggregates.get(name)
    if (row === undefined) this.#aggregates.set(name, (row = new CountedAggregateRow()))
    return row
  }

  #readRefusedResends(): void {
    for (const [name, { refusedResends }] of this.#live.upstreams) {
      const before = this.#refusedResends.get(name) ?? 0
      if (refusedResends > before) this.#upstream(name).add('refusedResends', refusedResends - before)
      this.#refusedResends.set(name, refusedResends)
    }
  }
}
