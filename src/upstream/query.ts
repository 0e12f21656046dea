import { textOf } from './json/integers.ts'

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
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number') return textOf(value)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof Date) return value.toISOString()
  throw new TypeError(`${owner}: the query parameter '${name}' is neither text, number, boolean nor date: transform it in the operation's query schema`)
}
