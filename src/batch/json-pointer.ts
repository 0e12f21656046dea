import { writeJson } from '../core/json/write.ts'
import { parse } from '../core/json/parse.ts'
import { maxDepth } from '../core/schema/depth.ts'

/** The largest number of tokens of a pointer: `data`, and one for each level of the deepest value of an upstream. */
const mostTokens = 1 + maxDepth

/** The size that counts for a number, a boolean and null, in characters. */
const scalarSize = 8

/** A value to which a pointer points. */
export interface PointedValue {
  readonly value: unknown
  /** The length of its JSON, in characters. It is not exact for a number, a boolean and null. */
  readonly size: number
}

/**
 * Reads a JSON Pointer in the form of a URI fragment (RFC 6901, section 6), without its `#`.
 *
 * @returns Its tokens, or the reason for which it is refused.
 */
export function readPointer(fragment: string): readonly string[] | string {
  let pointer: string
  try {
    pointer = decodeURIComponent(fragment)
  } catch {
    return 'has a pointer that is not valid percent-encoded UTF-8'
  }
  if (pointer !== '' && !pointer.startsWith('/')) return 'has a pointer that does not begin with /'
  const tokens = pointer.split('/').slice(1)
  if (tokens.length > mostTokens) return `has a pointer of ${tokens.length} tokens, and it has at most ${mostTokens}`
  for (let at = pointer.indexOf('~'); at !== -1; at = pointer.indexOf('~', at + 1)) {
    const next = pointer[at + 1]
    if (next !== '0' && next !== '1') return 'has a ~ in its pointer that is not part of ~0 or ~1'
  }
  return tokens.map(token => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Writes tokens as a JSON Pointer. */
export function writePointer(tokens: readonly PropertyKey[]): string {
  return tokens.map(token => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/**
 * Returns the value to which tokens point, as JSON has it: a `Date` is a text, and fields that JSON leaves out are not
 * there. Only own fields count, so no token reaches a prototype. The value is a copy.
 *
 * @returns Undefined if the tokens point to nothing, or if a `toJSON` on the way throws.
 */
export function valueAt(value: unknown, tokens: readonly string[]): PointedValue | undefined {
  try {
    return pointedValue(value, tokens)
  } catch {
    return undefined
  }
}

function pointedValue(value: unknown, tokens: readonly string[]): PointedValue | undefined {
  let at = jsonOf(value, '')
  for (const token of tokens) {
    if (typeof at !== 'object' || at === null) return undefined
    if (Array.isArray(at) ? !isIndex(token, at.length) : !Object.prototype.propertyIsEnumerable.call(at, token))
      return undefined
    at = jsonOf((at as Readonly<Record<string, unknown>>)[token], token)
  }
  if (at === undefined || typeof at === 'function' || typeof at === 'symbol') return undefined
  if (typeof at === 'string') return { value: at, size: at.length }
  // JSON has null in the place of NaN and Infinity.
  if (typeof at === 'number' && !Number.isFinite(at)) return { value: null, size: scalarSize }
  if (typeof at !== 'object' || at === null) return { value: at, size: scalarSize }
  const text = writeJson(at)
  return { value: parse(text), size: text.length }
}

/** Returns what JSON has in the place of a value with a method toJSON. */
function jsonOf(value: unknown, key: string): unknown {
  const { toJSON } = (value ?? {}) as { readonly toJSON?: unknown }
  return typeof toJSON === 'function' && typeof value === 'object' ? (toJSON.call(value, key) as unknown) : value
}

/** Returns whether a token is the index of an item. */
export function isIndex(token: string, length: number): boolean {
  const index = Number(token)
  return Number.isInteger(index) && index >= 0 && index < length && String(index) === token
}
