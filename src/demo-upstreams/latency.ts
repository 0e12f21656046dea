import { fraction, hash } from './random.ts'

/** The delays of a demo upstream. */
export interface LatencyOptions {
  /** The seed. Equal seeds give an equal sequence of delays. */
  seed: number
  /**
   * The median delay, in milliseconds. With 0 there is no delay.
   * @default 15
   */
  medianMs?: number
  /**
   * The maximum delay, in milliseconds.
   * @default 300
   */
  maxMs?: number
}

// ln(8) / 2.326: one delay of 100 is more than eight times the median.
const SIGMA = 0.894

/**
 * Returns a function that returns the next delay in milliseconds. The delays have a lognormal distribution and are
 * equal for equal seeds.
 */
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
