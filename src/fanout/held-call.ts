import { isItem } from './chain.ts'

/** The number of objects and lists in which `findCall` searches, so that a large value costs little. */
const maxSearched = 1000

/** The keys of a list or of a plain object. Other objects may have many keys, as bytes do, and hold no calls. */
function keysOf(value: object): Iterable<string | number> {
  if (Array.isArray(value)) return value.keys()
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null ? Object.keys(value) : []
}

/**
 * Searches a value for a call or a chain, through lists and plain objects.
 *
 * @param depth The number of levels that are searched.
 * @returns The operation of the first call and its path in the value, for example `shop.order at /items/0`; undefined
 *   if no call is found.
 */
export function findCall(value: unknown, depth = 8): string | undefined {
  let searched = 0

  function search(item: unknown, level: number): { readonly operation: string; path: string } | undefined {
    if (typeof item !== 'object' || item === null) return undefined
    if (isItem(item)) return { operation: item.spec.name, path: '' }
    if (level === depth || searched++ === maxSearched) return undefined
    for (const key of keysOf(item)) {
      const found = search((item as Readonly<Record<string | number, unknown>>)[key], level + 1)
      if (found !== undefined) return { operation: found.operation, path: `/${key}${found.path}` }
      if (searched > maxSearched) return undefined
    }
    return undefined
  }

  const found = search(value, 0)
  return found && (found.path === '' ? found.operation : `${found.operation} at ${found.path}`)
}
