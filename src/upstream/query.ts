import { urlText } from './url-text.ts'

/** Writes a query string with its question mark; `undefined` and `null` are left out, an array repeats its name. */
export function writeQuery (query: Readonly<Record<string, unknown>>, owner: string): string {
  let text = ''
  for (const name of Object.keys(query)) {
    const value = query[name]
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined && item !== null) text += pair(name, item, owner)
    }
  }
  return text === '' ? '' : `?${text.slice(1)}`
}

function pair (name: string, value: unknown, owner: string): string {
  return `&${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(written(name, value, owner))}`
}

function written (name: string, value: unknown, owner: string): string {
  const text = urlText(value)
  if (text !== undefined) return text
  throw new TypeError(`${owner}: the query parameter '${name}' is neither text, number, boolean nor date: transform it in the operation's query schema`)
}
