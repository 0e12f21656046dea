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
