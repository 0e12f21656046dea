import { UpstreamError } from '../../errors.ts'
import { urlText } from '../../core/url-text.ts'

/**
 * Writes a query string with its question mark. `undefined` and `null` are omitted. An array repeats its name.
 *
 * @param isReserved Returns whether a name belongs to the upstream's `auth`.
 * @throws `CALL_INPUT_INVALID` for a reserved name.
 */
export function writeQuery(
  query: Readonly<Record<string, unknown>>,
  owner: string,
  isReserved?: (name: string) => boolean,
): string {
  let text = ''
  for (const name of Object.keys(query)) {
    const value = query[name]
    const before = text.length
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined && item !== null) text += pair(name, item, owner)
    }
    if (text.length > before && isReserved?.(name) === true) {
      throw new UpstreamError('CALL_INPUT_INVALID', owner, {
        detail: `its query has a field that belongs to the upstream's auth`,
      })
    }
  }
  return text === '' ? '' : `?${text.slice(1)}`
}

function pair(name: string, value: unknown, owner: string): string {
  return `&${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(written(name, value, owner))}`
}

function written(name: string, value: unknown, owner: string): string {
  const text = urlText(value)
  if (text !== undefined) return text
  throw new TypeError(
    `${owner}: the query parameter '${name}' must be a string, a number, a boolean or ` +
      `a date: transform it in the operation's query schema`,
  )
}

/** Texts that `encodeURIComponent` does not change. */
const unreserved = /^[A-Za-z0-9\-_.!~*'()]*$/

/** Encodes a text as a value of a query. */
export function encodeQueryText(text: string): string {
  return unreserved.test(text) ? text : encodeURIComponent(text.toWellFormed())
}

/**
 * Appends a field to a query, like `writeQuery`.
 *
 * @param name the encoded name
 * @returns `undefined` for a value that a query cannot represent
 */
export function appendPairs(query: string, name: string, value: unknown): string | undefined {
  if (!Array.isArray(value)) return appendPair(query, name, value)
  let text: string | undefined = query
  for (const item of value) {
    text = appendPair(text, name, item)
    if (text === undefined) return undefined
  }
  return text
}

function appendPair(query: string, name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return query
  const text = urlText(value)
  return text === undefined ? undefined : `${query}${query === '' ? '?' : '&'}${name}=${encodeQueryText(text)}`
}
