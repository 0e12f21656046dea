import { ignoreRejection } from '../core/promises.ts'
import type { Call } from '../upstream/declare.ts'
import { checkFunctions } from './check-functions.ts'

/**
 * Makes the `next` of `pages` for an upstream whose pages contain a cursor: a value with which the next page is called.
 *
 * @param cursor Returns the cursor of a page; `null`, `undefined` or an empty text after the last page.
 * @param call Makes the call of the next page.
 * @returns The option `next` of `pages`.
 * @throws `TypeError` for an argument that is not a function.
 * @example
 * ```ts
 * import { aggregate, byCursor, defineUpstream, operation } from 'headwaters'
 * import { z } from 'zod'
 *
 * const shop = defineUpstream('shop', { origin: 'https://shop.example' }, {
 *   orders: operation({
 *     path: '/orders',
 *     query: z.object({ after: z.string().optional() }),
 *     output: z.object({ orders: z.array(z.string()), after: z.string().nullable() }),
 *   }),
 * })
 *
 * const builder = aggregate('orders', { url: '/orders' }).pages('orders', () => shop.orders(), {
 *   next: byCursor(page => page.after, after => shop.orders({ after })),
 * })
 * ```
 */
export function byCursor<P, A, T, C extends Call<unknown>>(
  cursor: (page: P) => T,
  call: (cursor: NonNullable<T>, page: P, args: A) => C,
): (page: P, index: number, args: A) => C | undefined {
  checkFunctions('byCursor', { cursor, call })
  return (page, _index, args) => {
    const found = cursor(page)
    // A promise is not a cursor. If it rejects, the rejection must not end the process.
    ignoreRejection(found)
    return found === null || found === undefined || found === '' ? undefined : call(found, page, args)
  }
}
