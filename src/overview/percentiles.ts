import { latencyBuckets, latencyOf } from '../metrics/latency-counts.ts'
import type { WindowCounts } from './window-counts.ts'

/** Percentiles of durations, in ms; `null` if there were too few of them. */
export interface Percentiles {
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

/** The number of durations from which there are percentiles. */
const fewest = 5

/** The durations that stand for the buckets, as they are sent. */
const durations = Array.from({ length: latencyBuckets }, (_, bucket) => rounded(latencyOf(bucket)))

/** The percentiles of too few durations. */
export const noPercentiles: Percentiles = Object.freeze({ p50: null, p95: null, p99: null })

/**
 * Returns the percentiles of durations that are counted by the buckets of `LatencyCounts`. Each is within 5 % of the
 * exact one, for durations from 0.1 ms to 60 s.
 */
export function percentilesOf({ sums, total }: WindowCounts): Percentiles {
  if (total < fewest) return noPercentiles
  const ranks = [Math.ceil(0.5 * total), Math.ceil(0.95 * total), Math.ceil(0.99 * total)]
  const found: number[] = []
  let below = 0
  for (let bucket = 0; bucket < sums.length && found.length < ranks.length; bucket++) {
    below += sums[bucket] as number
    while (found.length < ranks.length && below >= (ranks[found.length] as number))
      found.push(durations[bucket] as number)
  }
  const [p50 = null, p95 = null, p99 = null] = found
  return { p50, p95, p99 }
}

/** Returns a whole number as it is, and another one with three significant digits, which are shorter to send. */
export function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(3))
}
