import { Call } from '../upstream/call/call.ts'
import { readQuery, type ReceivedCall } from './received-call.ts'

/**
 * Which calls are meant: an operation (`catfactNinja.fact`, by its path), one call of it (`catfactNinja.fact({
 * max_length: 40 })`, by its method, path and query), or a text: `'*'`, `'/breeds/{id}'`, `'POST /orders'`, `'GET
 * /facts?limit=2'` (more in the query is let through).
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
