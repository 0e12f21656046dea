import { isDoubtful, prints } from './integers.ts'

/** Returned by `normalizeNumbers` for a value that contains a number beyond the largest double. */
export const overflow = Symbol('overflow')

/**
 * Converts a value of `parseExact` for a schema that accepts any value: each bigint that a number can represent becomes
 * that number. Copies the value if it changes it. Returns `overflow` for a value that contains `Infinity`.
 */
export function normalizeNumbers(value: unknown): unknown {
  const root = { value }
  const verdict = survey(root)
  if (verdict !== 'change') return verdict === 'keep' ? value : overflow
  const settled: { value: unknown } = { value: undefined }
  const open: Copy[] = [{ from: root, to: settled }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { from, to } = next
    if (Array.isArray(from)) {
      const items = to as unknown as unknown[]
      for (let index = 0; index < from.length; index++) {
        const item = settledItem(from[index], open)
        if (item === overflow) return overflow
        items[index] = item
      }
    } else {
      // A spread of an object with very many fields takes three times as long.
      for (const key in from) {
        const item = settledItem((from as Fields)[key], open)
        if (item === overflow) return overflow
        if (key === '__proto__') Object.defineProperty(to, key, { value: item, ...asAssigned })
        else (to as Fields)[key] = item
      }
    }
  }
  return settled.value
}

type Fields = Record<string, unknown>

/** A list or an object, and its copy that is being filled. */
interface Copy {
  readonly from: object
  readonly to: object
}

const asAssigned = { writable: true, enumerable: true, configurable: true } as const

/** Returns the item of the copy. The copy of a list or an object is filled later. */
function settledItem(item: unknown, later: Copy[]): unknown {
  if (typeof item === 'bigint') return isPrintable(item) ? Number(item) : item
  if (item === Infinity || item === -Infinity) return overflow
  if (!isPlain(item)) return item
  const to = Array.isArray(item) ? [] : {}
  later.push({ from: item, to })
  return to
}

type Verdict = 'keep' | 'change' | 'overflow'

/**
 * Returns the first reason to change or refuse a value, without recursion. It stops at the first reason: reading 90,000
 * named values takes 30 ms, and the copy reads them again.
 */
function survey(root: object): Verdict {
  const open = [root]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    // Iterating over a list with for-in, or over all values of an object with Object.values, takes several times as
    // long.
    if (Array.isArray(next)) {
      for (const item of next) {
        const verdict = verdictOf(item, open)
        if (verdict !== 'keep') return verdict
      }
    } else {
      for (const key in next) {
        const verdict = verdictOf((next as Fields)[key], open)
        if (verdict !== 'keep') return verdict
      }
    }
  }
  return 'keep'
}

/** Returns the verdict on one item. Adds a list or an object to `later`. */
function verdictOf(item: unknown, later: object[]): Verdict {
  if (typeof item === 'number') return item === Infinity || item === -Infinity ? 'overflow' : 'keep'
  if (typeof item === 'bigint') return isPrintable(item) ? 'change' : 'keep'
  if (isPlain(item)) later.push(item)
  return 'keep'
}

/** Only a bigint from 2^53 on can come from a text; a smaller one was made by the author. */
function isPrintable(integer: bigint): boolean {
  return isDoubtful(Number(integer)) && prints(integer)
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null
}
