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

/**
 * Returns a promise of a value that is one, also of another make; `undefined` for any other value. Throws what the
 * value throws when it is looked at.
 */
export function promiseOf(value: unknown): Promise<unknown> | undefined {
  return typeof (value as { readonly then?: unknown } | undefined | null)?.then === 'function'
    ? Promise.resolve(value)
    : undefined
}
