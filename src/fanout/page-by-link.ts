import { linkTarget } from '../core/link-header.ts'
import { ignoreRejection } from '../core/promises.ts'
import type { Call } from '../upstream/declare.ts'
import { checkFunctions } from './check-functions.ts'

/**
 * Makes the `next` of `pages` for an upstream that links to the next page: with a `Link` header (RFC 8288) that has
 * `rel="next"`, or with the address of the next page in the body. Only the query of the link is used. Its host and its
 * path are ignored, so an upstream cannot redirect a call.
 *
 * @param link Returns the `Link` header of a page, or the address itself; `null`, `undefined` or an empty text after
 *   the last page.
 * @param call Makes the call of the next page. It gets the fields of the link's query, decoded; of a field that occurs
 *   several times it gets the last value.
 * @returns The option `next` of `pages`.
 * @throws `TypeError` for an argument that is not a function.
 * @example
 * ```ts
 * import { aggregate, byLink, defineUpstream, operation } from 'headwaters'
 * import { z } from 'zod'
 *
 * const github = defineUpstream('github', { origin: 'https://api.github.com' }, {
 *   tags: operation({
 *     path: '/repos/nodejs/node/tags',
 *     query: z.object({ page: z.string().optional() }),
 *     output: z.array(z.object({ name: z.string() })),
 *     responseHeaders: z.object({ link: z.string().optional() }),
 *   }),
 * })
 *
 * const builder = aggregate('tags', { url: '/tags' }).pages('tags', () => github.tags(), {
 *   next: byLink(({ headers }) => headers.link, ({ page }) => github.tags({ page })),
 * })
 * ```
 */
export function byLink<P, A, C extends Call<unknown>>(
  link: (page: P) => string | readonly string[] | null | undefined,
  call: (query: Readonly<Record<string, string | undefined>>, page: P, args: A) => C,
): (page: P, index: number, args: A) => C | undefined {
  checkFunctions('byLink', { link, call })
  return (page, _index, args) => {
    const found = link(page) ?? ''
    // A promise is not a link. If it rejects, the rejection must not end the process.
    ignoreRejection(found)
    const target = targetOf(found)
    return target === undefined ? undefined : call(queryOf(target), page, args)
  }
}

/** A link begins with `<`, which no address contains. */
function targetOf(link: string | readonly string[]): string | undefined {
  if (link.length === 0) return undefined
  return typeof link !== 'string' || link.trimStart().startsWith('<') ? linkTarget(link, 'next') : link
}

function queryOf(target: string): Readonly<Record<string, string | undefined>> {
  const [address = ''] = target.split('#', 1)
  const mark = address.indexOf('?')
  // Without a prototype, a field such as `constructor` is undefined unless the query has it.
  const query = Object.create(null) as Record<string, string | undefined>
  if (mark === -1) return query
  for (const [name, value] of new URLSearchParams(address.slice(mark + 1))) query[name] = value
  return query
}
