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
 * Returns a promise for a value that is a promise, including promises of other libraries; `undefined` for any other
 * value. Throws the error that reading the value throws.
 */
export function promiseOf(value: unknown): Promise<unknown> | undefined {
  return typeof (value as { readonly then?: unknown } | undefined | null)?.then === 'function'
    ? Promise.resolve(value)
    : undefined
}
