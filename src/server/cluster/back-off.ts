/** The bound of the first pause, in ms. The bound doubles with each further exit. */
const firstMs = 200
/** The largest bound of a pause, in ms. */
const longestMs = 30_000

/**
 * Returns the pause before a worker is restarted after `times` earlier exits in a row, in ms. It is a random value
 * between half of the bound and the bound.
 */
export function backOff(times: number, random: () => number = Math.random): number {
  const bound = Math.min(longestMs, firstMs * 2 ** times)
  return bound / 2 + (random() * bound) / 2
}
