import { cut, longest } from './cut.ts'

/** The largest depth of nesting that is copied. */
const deepest = 6
/** The largest number of entries of one object or list that are copied. */
const widest = 100
/** The largest number of values that are copied in total. */
const mostValues = 500
/** The largest length of a stack with the stacks of its causes, in characters. */
export const longestStack = 4000

/**
 * Copies a value for the log with bounds on its texts, entries, depth and number of values. It never throws: an entry
 * whose getter or proxy throws becomes `[unreadable]`.
 */
export function bounded(value: unknown): unknown {
  return copy(value, '', deepest, { left: mostValues })
}

function copy(value: unknown, key: string, depth: number, values: { left: number }): unknown {
  if (typeof value === 'string') return cut(value, key === 'stack' ? longestStack : longest)
  if (typeof value === 'bigint') return cut(String(value))
  if (typeof value !== 'object' || value === null)
    return typeof value === 'function' || typeof value === 'symbol' ? undefined : value
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value
  if (depth === 0 || values.left <= 0) return '[too deep or too much]'
  try {
    if (Array.isArray(value)) return copyList(value, key, depth, values)
    return copyObject(value as Record<string, unknown>, depth, values)
  } catch {
    return '[unreadable]'
  }
}

function copyList(list: readonly unknown[], key: string, depth: number, values: { left: number }): unknown[] {
  const kept = list.slice(0, widest).map(each => {
    values.left--
    return copy(each, key, depth - 1, values)
  })
  if (list.length > widest) kept.push(`[${list.length - widest} more]`)
  return kept
}

function copyObject(
  object: Readonly<Record<string, unknown>>,
  depth: number,
  values: { left: number },
): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  let entries = 0
  for (const key in object) {
    if (!Object.hasOwn(object, key)) continue
    if (++entries > widest || values.left-- <= 0) {
      kept['[cut]'] = 'more fields'
      break
    }
    const name = cut(key)
    try {
      // An assignment to `__proto__` would set the prototype of the copy, so the property is defined.
      Object.defineProperty(kept, name, {
        value: copy(object[key], name, depth - 1, values),
        enumerable: true,
        configurable: true,
        writable: true,
      })
    } catch {
      kept[name] = '[unreadable]'
    }
  }
  return kept
}
