import { createHistogram } from 'node:perf_hooks'

/** An hour, in µs: a longer latency counts as one. */
const highest = 3_600_000_000

/**
 * Latencies in ms, counted in an HDR histogram: from 1 µs to an hour, each to 0.1 %, in 120 kB however many there are.
 */
export interface Latencies {
  readonly count: number
  add(ms: number): void
  /** The latency that this percentage (above 0, to 100) took at most; NaN of none. */
  atMs(percentile: number): number
  clear(): void
}

export function latencyHistogram(): Latencies {
  const histogram = createHistogram({ lowest: 1, highest, figures: 3 })
  return {
    get count() {
      return histogram.count
    },
    add: ms => histogram.record(Math.min(highest, Math.max(1, Math.round(ms * 1000)))),
    atMs: percentile => (histogram.count === 0 ? NaN : histogram.percentile(percentile) / 1000),
    clear: () => histogram.reset(),
  }
}
