import type { LatencyCounts } from '../metrics/latency-counts.ts'
import type { AggregateCounts, IndexedCounts, NamedCounts, UpstreamCounts } from './process-sample.ts'
import { aggregateCountNames, upstreamCountNames, upstreamGaugeNames } from './process-sample.ts'

/** The growth of the counts of durations since the reading before. */
class LatencyGrowth {
  #before = new Float64Array(0)

  read({ counts }: LatencyCounts): IndexedCounts {
    if (this.#before.length === 0) this.#before = new Float64Array(counts.length)
    const growth: number[] = []
    for (let bucket = 0; bucket < counts.length; bucket++) {
      const count = (counts[bucket] as number) - (this.#before[bucket] as number)
      if (count > 0) growth.push(bucket, count)
    }
    if (growth.length > 0) this.#before.set(counts)
    return growth
  }
}

/** Counts by a text that are taken with each sample. */
class NamedGrowth {
  readonly #counts = new Map<string, number>()

  add(name: string, count: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
  }

  take(): NamedCounts {
    if (this.#counts.size === 0) return []
    const taken = [...this.#counts]
    this.#counts.clear()
    return taken
  }
}

/** The counts of one upstream since the sample before. */
export class CountedUpstreamRow {
  readonly failures = new NamedGrowth()
  /** The present values, in the order of `upstreamGaugeNames`. */
  readonly gauges: number[] = upstreamGaugeNames.map(() => 0)
  #counts: number[] = upstreamCountNames.map(() => 0)
  #sentGauges: readonly number[] = this.gauges.slice()
  readonly #latency = new LatencyGrowth()

  add(name: (typeof upstreamCountNames)[number], count: number): void {
    const at = upstreamCountNames.indexOf(name)
    this.#counts[at] = (this.#counts[at] as number) + count
  }

  /** Returns the row, and begins the next one; `undefined` if nothing was counted and no present value has changed. */
  take(name: string, latency: LatencyCounts | undefined): UpstreamCounts | undefined {
    const counts = this.#counts
    const gauges = this.gauges.slice()
    if (counts.every(count => count === 0) && gauges.every((value, at) => value === this.#sentGauges[at]))
      return undefined
    this.#counts = upstreamCountNames.map(() => 0)
    this.#sentGauges = gauges
    return {
      name,
      counts,
      gauges,
      latency: latency === undefined ? [] : this.#latency.read(latency),
      failures: this.failures.take(),
    }
  }
}

/** The counts of one aggregate since the sample before. */
export class CountedAggregateRow {
  readonly codes = new NamedGrowth()
  readonly statuses = new NamedGrowth()
  #counts: number[] = aggregateCountNames.map(() => 0)
  readonly #latency = new LatencyGrowth()

  add(name: (typeof aggregateCountNames)[number], count: number): void {
    const at = aggregateCountNames.indexOf(name)
    this.#counts[at] = (this.#counts[at] as number) + count
  }

  /** Returns the row, and begins the next one; `undefined` if nothing was counted. */
  take(name: string, latency: LatencyCounts | undefined): AggregateCounts | undefined {
    const counts = this.#counts
    const codes = this.codes.take()
    const statuses = this.statuses.take()
    if (counts.every(count => count === 0) && codes.length === 0 && statuses.length === 0) return undefined
    this.#counts = aggregateCountNames.map(() => 0)
    return { name, counts, latency: latency === undefined ? [] : this.#latency.read(latency), codes, statuses }
  }
}
