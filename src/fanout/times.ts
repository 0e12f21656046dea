/**
 * Makes a list of `count` calls, for an `each` or a `firstOf`.
 *
 * @param count The number of calls.
 * @param make Makes one call; its argument is 0 for the first one, then 1, 2 and so on.
 * @returns The calls, in order.
 * @example
 * ```ts
 * import { times, type Operation } from 'headwaters'
 *
 * declare const fact: Operation<{ readonly max_length?: number }, { readonly fact: string }>
 *
 * const calls = times(3, () => fact({ max_length: 140 }))
 * ```
 */
export function times<T>(count: number, make: (index: number) => T): T[] {
  const made: T[] = []
  for (let index = 0; index < count; index++) made.push(make(index))
  return made
}
