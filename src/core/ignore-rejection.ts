/**
 * Marks a rejection as handled, of a promise that a function returned whose type returns none: a rejection that nothing
 * handles ends the process.
 *
 * @param returned any value; reading it never throws
 */
export function ignoreRejection(returned: unknown): void {
  if ((typeof returned === 'object' && returned !== null) || typeof returned === 'function')
    Promise.resolve(returned).catch(() => {})
}
