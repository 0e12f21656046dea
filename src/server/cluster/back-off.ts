/** Bound of the first pause, in ms; it doubles with each. */
const firstMs = 200
/** Bound of every pause, in ms. */
const longestMs = 30_000

/**
 * Returns the time before a worker is restarted that has exited `times` times in a row before, in ms: a random value
 * between half of the bound and the bound.
 */
export function backOff(times: number, random: () => number = Math.random): number {
  const bound = Math.min(longestMs, firstMs * 2 ** times)
  return bound / 2 + (random() * bound) / 2
}
