/** The first pause after a failure of the store, in ms. */
export const firstStorePause = 500

/** The longest pause after a failure of the store, in ms. */
const longestPause = 30_000

/** Returns the pause after one more failure in a row, in ms. */
export function nextStorePause(ms: number): number {
  return Math.min(longestPause, 2 * ms)
}
