import { isDoubtful, prints } from './integers.ts'

/** Returned by `settle` for a value that holds a number beyond the largest double. */
export const overflow = Symbol('overflow')

/**
 * Gives an exact JSON value the form that it has where a schema lets everything through: a bigint that a number can
 * stand for is that number. Copies what it changes, and returns `overflow` for a value that holds `Infinity`.
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
      for (let index = 0; index < from.length; index++) items[index] = settledItem(from[index], open)
    } else {
      // A spread of an object with very many fields takes three times as long.
      for (const key in from) {
        const item = settledItem((from as Fields)[key], open)
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

/** Returns an item as it is in the copy; a list or an object is filled later. */
function settledItem(item: unknown, later: Copy[]): unknown {
  if (typeof item === 'bigint') return isPrintable(item) ? Number(item) : item
  if (!isPlain(item)) return item
  const to = Array.isArray(item) ? [] : {}
  later.push({ from: item, to })
  return to
}

type Verdict = 'keep' | 'change' | 'overflow'

/** Returns what must become of a value, without recursion. */
function survey(root: object): Verdict {
  let verdict = 'keep' as Verdict
  const open = [root]
  const look = (item: unknown): void => {
    if (typeof item === 'number') {
      if (item === Infinity || item === -Infinity) verdict = 'overflow'
    } else if (typeof item === 'bigint') {
      // Asking takes half a microsecond.
      if (verdict === 'keep' && isPrintable(item)) verdict = 'change'
    } else if (isPlain(item)) open.push(item)
  }
  for (let next = open.pop(); next !== undefined && verdict !== 'overflow'; next = open.pop()) {
    // Reading a list by the names of its places, or all values of an object at once, takes several times as long.
    if (Array.isArray(next)) for (const item of next) look(item)
    else for (const key in next) look((next as Fields)[key])
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
