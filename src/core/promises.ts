/**
 * Marks the rejection of a promise as handled. It is for the results of functions that should return nothing: an
 * unhandled rejection ends the process.
 *
 * @param returned any value; reading it never throws
 */
export function ignoreRejection(returned: unknown): void {
  if ((typeof returned === 'object' && returned !== null) || typeof returned === 'function')
    Promise.resolve(returned).catch(() => {})
}
