import { isDoubtful, prints } from './integers.ts'

/** Returned by `settle` for a value that holds a number beyond the largest double. */
export const overflow = Symbol('overflow')

/**
 * Gives an exact JSON value the form that it has where a schema lets everything through: a bigint that a number can
 * stand for is that number. Copies what it changes, and returns `overflow` for a value that holds `Infinity`.
 */
export function settle(value: unknown): unknown {
  const root = { value }
  const verdict = survey(root)
  if (verdict !== 'change') return verdict === 'keep' ? value : overflow
  const settled = { ...root }
  const open: Fields[] = [settled]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const key of Object.keys(next)) {
      const item = next[key]
      // A spread keeps a key `__proto__` a field, and an assignment to a field that is there changes that field.
      if (isPlain(item))
        open.push((next[key] = (Array.isArray(item) ? [...(item as unknown[])] : { ...item }) as Fields))
      else if (typeof item === 'bigint' && isPrintable(item)) next[key] = Number(item)
    }
  }
  return settled.value
}

type Fields = Record<string, unknown>

/** Returns what must become of a value, without recursion. */
function survey(root: object): 'keep' | 'change' | 'overflow' {
  let verdict: 'keep' | 'change' = 'keep'
  const open = [root]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const item of Object.values(next) as unknown[]) {
      if (typeof item === 'number') {
        if (item === Infinity || item === -Infinity) return 'overflow'
      } else if (typeof item === 'bigint') {
        // Asking takes half a microsecond.
        if (verdict === 'keep' && isPrintable(item)) verdict = 'change'
      } else if (isPlain(item)) open.push(item)
    }
  }
  return verdict
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
