import { fraction } from '../../src/demo-upstreams/random.ts'

/**
 * The distribution of an upstream's latencies. All samples follow from the seed, so expected results can be computed.
 */
export interface LatencyDistribution {
  readonly seed: number
  /** Ratio of slow attempts. */
  readonly slowRatio: number
  readonly slowMs: number
  /** Minimum latency of a fast attempt. */
  readonly fastFromMs: number
  /** Maximum latency of a fast attempt. */
  readonly fastToMs: number
}

/** Samples per call. Each attempt uses separate samples, so a second attempt is independent of the first. */
const samplesPerCall = 8

/** Returns the latency of attempt `attempt` (from 1) of call `id`, in ms. */
export function sampleMs(
  { seed, slowRatio, slowMs, fastFromMs, fastToMs }: LatencyDistribution,
  id: number,
  attempt: number,
): number {
  const counter = id * samplesPerCall + Math.min(attempt, samplesPerCall) - 1
  if (isSlowSample(seed, slowRatio, counter)) return slowMs
  return fastFromMs + fraction(seed + 1, counter) * (fastToMs - fastFromMs)
}

/** Returns true when each of the first `attempts` attempts of a call is slow. */
export function areAllSlow({ seed, slowRatio }: LatencyDistribution, id: number, attempts: number): boolean {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (!isSlowSample(seed, slowRatio, id * samplesPerCall + attempt - 1)) return false
  }
  return true
}

function isSlowSample(seed: number, slowShare: number, counter: number): boolean {
  return fraction(seed, counter) < slowShare
}
