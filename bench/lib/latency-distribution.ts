import { fraction } from '../../src/demo-upstreams/fraction.ts'

/** How an upstream's answers are spread; all of it follows from the seed, so what ought to come out can be computed. */
export interface LatencyDistribution {
  readonly seed: number
  /** Share of attempts that are slow. */
  readonly slowRatio: number
  readonly slowMs: number
  /** The others take from this long … */
  readonly fastFromMs: number
  /** … to this long. */
  readonly fastToMs: number
}

/** Draws there are for one call; its attempts take them in turn, so a second attempt is independent of the first. */
const drawsPerCall = 8

/** How long attempt `attempt` (from 1) of call `id` takes, in ms. */
export function sampleMs(
  { seed, slowRatio, slowMs, fastFromMs, fastToMs }: LatencyDistribution,
  id: number,
  attempt: number,
): number {
  const counter = id * drawsPerCall + Math.min(attempt, drawsPerCall) - 1
  if (isSlowDraw(seed, slowRatio, counter)) return slowMs
  return fastFromMs + fraction(seed + 1, counter) * (fastToMs - fastFromMs)
}

/** Whether every one of the first `attempts` draws of a call is slow. */
export function areAllSlow({ seed, slowRatio }: LatencyDistribution, id: number, attempts: number): boolean {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (!isSlowDraw(seed, slowRatio, id * drawsPerCall + attempt - 1)) return false
  }
  return true
}

function isSlowDraw(seed: number, slowShare: number, counter: number): boolean {
  return fraction(seed, counter) < slowShare
}
