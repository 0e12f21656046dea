import { Call } from '../upstream/call/call.ts'
import { readQuery } from './read-fields.ts'
import type { ReceivedCall } from './received-call.ts'

/**
 * Selects the calls to which a line of a script applies.
 *
 * - An operation, `cats.picture`, selects the calls to its path.
 * - A call, `cats.picture({ id: 'a' })`, selects the calls with its method, its path and exactly its query.
 * - A text selects all calls (`'*'`), or the calls with its path, and with its method and its query fields if it has
 *   them: `'/pictures/{id}'`, `'POST /orders'` or `'GET /facts?limit=2'`. The calls may have further query fields.
 */
export type Matcher = string | Call<unknown> | OperationLike

/** An operation of an upstream, with any input and any answer. */
export interface OperationLike {
  (...input: never[]): Call<unknown>
  readonly path: string
}

/** A matcher that was read. */
export interface Match {
  /** The method, path and query for messages, for example `GET /fact`. Without a method it begins with `any`. */
  readonly name: string
  fits(call: ReceivedCall): boolean
}

const written = /^(?:([A-Z]+) )?(\*|\/[^?\s]*)(?:\?(\S*))?$/

/** Reads a matcher. Throws a `TypeError` for a text that has neither a path nor `*`. */
export function readMatcher(matcher: Matcher): Match {
  if (matcher instanceof Call)
    return matchOf(matcher.spec.method, matcher.path.split('?')[0] as string, matcher.path.split('?')[1] ?? '', true)
  const text = typeof matcher === 'string' ? matcher : matcher.path
  const [, method, path, search] = written.exec(text) ?? []
  if (path === undefined)
    throw new TypeError(
      `'${text}' selects no calls: write '*', a path ('/breeds/{id}') or a method and a path ('POST /orders')`,
    )
  return matchOf(method, path, search ?? '', false)
}

function matchOf(method: string | undefined, path: string, search: string, whole: boolean): Match {
  const pattern = path === '*' ? /^/ : patternOf(path)
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

/** Returns the pattern of a path template. `{path+}` stands for several segments, other names for one or a part. */
function patternOf(path: string): RegExp {
  const escaped = path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&')
  const text = escaped.replaceAll(/\{[^{}]*\}/g, each => (each.endsWith('+}') ? '[^/]+(?:/[^/]+)*' : '[^/]+'))
  return new RegExp(`^${text}$`)
}
