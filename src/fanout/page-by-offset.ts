import { ignoreRejection } from '../core/promises.ts'
import type { Call } from '../upstream/declare.ts'
import { checkFunctions } from './check-functions.ts'
import type { CallList } from './page-types.ts'

/** The numbers that `byOffset` reads from pages. */
export interface OffsetReaders<P> {
  /** Returns the number of rows of all pages together. */
  readonly total: (page: P) => number
  /** Returns the number of rows of a page. That of the first page is the distance between two offsets. */
  readonly count: (page: P) => number
}

/**
 * Makes the `next` of `pages` for an upstream whose pages contain the total number of rows. After the first page, all
 * further pages are called at once. If the total has grown by the last of them, the new offsets are called too.
 *
 * @param readers Return the total and the number of rows of a page.
 * @param call Makes the call of a page. Its first argument is the offset: the number of rows before the page.
 * @returns The option `next` of `pages`.
 * @throws `TypeError` for an argument that is not a function.
 * @example
 * ```ts
 * import { aggregate, byOffset, defineUpstream, operation } from 'headwaters'
 * import { z } from 'zod'
 *
 * const shop = defineUpstream('shop', { origin: 'https://shop.example' }, {
 *   rows: operation({
 *     path: '/rows',
 *     query: z.object({ offset: z.number(), limit: z.number() }),
 *     output: z.object({ rows: z.array(z.string()), total: z.number() }),
 *   }),
 * })
 *
 * const builder = aggregate('rows', { url: '/rows' }).pages('rows', () => shop.rows({ offset: 0, limit: 100 }), {
 *   next: byOffset(
 *     { total: page => page.total, count: page => page.rows.length },
 *     offset => shop.rows({ offset, limit: 100 }),
 *   ),
 *   concurrency: 4,
 * })
 * ```
 */
export function byOffset<P, A, C extends Call<unknown>>(
  { total, count }: OffsetReaders<P>,
  call: (offset: number, page: P, args: A) => C,
): (page: P, index: number, args: A, pages: readonly P[]) => CallList<C> | undefined {
  checkFunctions('byOffset', { total, count, call })
  return (page, index, args, [first = page]) => {
    const size = numberOf('count', count(first))
    const known = index + 1
    const length = size > 0 ? Math.ceil(numberOf('total', total(page)) / size) - known : 0
    // The calls are made on demand: a wrong total must not make more calls than maxPages allows.
    return length > 0 ? { length, at: at => call((known + at) * size, page, args) } : undefined
  }
}

/** A wrong number would end the pages too early, without an error. */
function numberOf(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  ignoreRejection(value)
  throw new TypeError(`byOffset: ${name} must return a finite number, got ${String(value)}`)
}
