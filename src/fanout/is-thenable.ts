/** Returns true for a value with a `then` method. Any other value is used directly, without a promise. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
