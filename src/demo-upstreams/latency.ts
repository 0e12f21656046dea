import { fraction, hash } from './random.ts'

/** The delays of a demo upstream. */
export interface LatencyOptions {
  /** Equal seeds give equal delays, draw by draw. */
  seed: number
  /**
   * Half of the answers are faster, in milliseconds; 0 answers at once.
   * @default 15
   */
  medianMs?: number
  /**
   * No delay is longer, in milliseconds.
   * @default 300
   */
  maxMs?: number
}

// ln(8) / 2.326: one draw in a hundred is more than eight times the median.
const SIGMA = 0.894

/** Returns a function that gives the next delay in milliseconds, lognormal and the same for the same seed. */
export function createLatency({ seed, medianMs = 15, maxMs = 300 }: LatencyOptions): () => number {
  if (medianMs <= 0) return () => 0
  const radiusSeed = hash(seed, 1)
  const angleSeed = hash(seed, 2)
  let counter = 0

  return function nextDelayMs() {
    const radius = Math.sqrt(-2 * Math.log(fraction(radiusSeed, counter)))
    const normal = radius * Math.cos(2 * Math.PI * fraction(angleSeed, counter))
    counter += 1
    return Math.min(medianMs * Math.exp(SIGMA * normal), maxMs)
  }
}
