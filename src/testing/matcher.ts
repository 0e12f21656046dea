import { Call } from '../upstream/call/call.ts'
import { readQuery, type ReceivedCall } from './received-call.ts'

/**
 * Selects the calls that a line of a script is for.
 *
 * - An operation, `cats.picture`, selects the calls to its path.
 * - A call, `cats.picture({ id: 'a' })`, selects the calls with its method, its path and exactly its query.
 * - A text selects by what it names: `'*'`, `'/pictures/{id}'`, `'POST /orders'` or `'GET /facts?limit=2'`. Other
 *   fields of the query are allowed.
 */
export type Matcher = string | Call<unknown> | OperationLike

/** An operation of an upstream, whatever its input and its answer are. */
export interface OperationLike {
  (...input: never[]): Call<unknown>
  readonly path: string
}

/** A matcher made ready. */
export interface Match {
  /** As a reader would say it. */
  readonly name: string
  fits(call: ReceivedCall): boolean
}

const written = /^(?:([A-Z]+) )?(\*|\/[^?\s]*)(?:\?(\S*))?$/

/** Reads a matcher; throws a `TypeError` for a text that names no path. */
export function readMatcher(matcher: Matcher): Match {
  if (matcher instanceof Call)
    return matchOf(matcher.spec.method, matcher.path.split('?')[0] as string, matcher.path.split('?')[1] ?? '', true)
  const text = typeof matcher === 'string' ? matcher : matcher.path
  const [, method, path, search] = written.exec(text) ?? []
  if (path === undefined)
    throw new TypeError(
      `'${text}' names no calls: write '*', a path ('/breeds/{id}') or a method and a path ('POST /orders')`,
    )
  return matchOf(method, path, search ?? '', false)
}

function matchOf(method: string | undefined, path: string, search: string, whole: boolean): Match {
  const pattern =
    path === '*'
      ? /^/
      : new RegExp(`^${path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{[^{}]*\}/g, '[^/]+')}$`)
  const query = Object.entries(readQuery(search))
  return {
    name: `${method ?? 'any'} ${path}${search === '' ? '' : `?${search}`}`,
    fits: call =>
      (method === undefined || call.method === method) &&
      pattern.test(call.path) &&
      query.every(([field, value]) => JSON.stringify(call.query[field]) === JSON.stringify(value)) &&
      (!whole || Object.keys(call.query).length === query.length),
  }
}
