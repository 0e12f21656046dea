/** Bound of the first pause, in ms; it doubles with each. */
const firstMs = 200
/** Bound of every pause, in ms. */
const longestMs = 30_000

/**
 * How long to wait before a worker is replaced that has ended so many times in a row before, in ms: half of the bound,
 * and at random up to all of it.
 */
export function backOff(times: number, random: () => number = Math.random): number {
  const bound = Math.min(longestMs, firstMs * 2 ** times)
  return bound / 2 + (random() * bound) / 2
}
