import { types } from 'node:util'

/** Prototypes of values that the structured clone keeps. */
const cloneablePrototypes: ReadonlySet<unknown> = new Set([
  null,
  Object.prototype,
  Array.prototype,
  Date.prototype,
  RegExp.prototype,
  Map.prototype,
  Set.prototype,
  ArrayBuffer.prototype,
  SharedArrayBuffer.prototype,
  Boolean.prototype,
  Number.prototype,
  String.prototype,
  Error.prototype,
  EvalError.prototype,
  RangeError.prototype,
  ReferenceError.prototype,
  SyntaxError.prototype,
  TypeError.prototype,
  URIError.prototype,
])

/**
 * Returns the place and the kind of the first part of a value that the structured clone does not keep, for example
 * `context.user is an object of the class User, …`. Node.js rejects a function without naming its place, and copies an
 * object of a class as a plain object without methods.
 */
export function findUncloneable(value: unknown, at: string, seen = new Set<unknown>()): string | undefined {
  if (typeof value === 'function') return `${at} is a function`
  if (typeof value === 'symbol') return `${at} is a symbol`
  // Views of bytes are cloned with their class.
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return undefined
  seen.add(value)
  if (types.isProxy(value)) return `${at} is a proxy`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!cloneablePrototypes.has(prototype))
    return (
      `${at} is an object of the class ` +
      `${(prototype as { readonly constructor?: { readonly name: string } }).constructor?.name ?? '(unknown)'}, ` +
      'of which the thread would receive only the fields'
    )
  if (Array.isArray(value)) return first(value.entries(), at, seen)
  if (value instanceof Map)
    return first(value.entries(), at, seen) ?? first([...value.keys()].entries(), `the keys of ${at}`, seen)
  if (value instanceof Set) return first([...value].entries(), at, seen)
  for (const name in value) {
    const fault = findUncloneable(
      (value as Readonly<Record<string, unknown>>)[name],
      at === '' ? name : `${at}.${name}`,
      seen,
    )
    if (fault !== undefined) return fault
  }
  return undefined
}

function first(entries: Iterable<readonly [unknown, unknown]>, at: string, seen: Set<unknown>): string | undefined {
  for (const [key, value] of entries) {
    const fault = findUncloneable(value, `${at}[${String(key)}]`, seen)
    if (fault !== undefined) return fault
  }
  return undefined
}
