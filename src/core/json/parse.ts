import { randomBytes } from 'node:crypto'
import { hasDoubtful, isDoubtful } from './integers.ts'
import { overflow, normalizeNumbers } from './settle.ts'

/** The prefix of a string that represents an integer. It is random, so no string of an upstream begins with it. */
const mark = `#${randomBytes(12).toString('base64url')}:`

/** Integer literals that a double may not hold, where a value can begin. Some of these places are inside strings. */
const literals = /[:,[\s]-?\d{16,}(?![\d.eE])/g

/**
 * Parses JSON as `JSON.parse` does, except that an integer literal from 2^53 on is a bigint. A literal that is too
 * large for a double stays `Infinity`, and a number with a fraction or an exponent stays a number. The time is linear
 * in the length of the text.
 * @param text JSON that `JSON.parse` has taken; it is not checked again.
 */
export function parseExact(text: string): unknown {
  const steps = parseExactInSteps(text)
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/** Parses JSON as `parseExact` does, but in steps. No step takes much longer than `JSON.parse`. */
export function* parseExactInSteps(text: string): Generator<undefined, unknown, undefined> {
  const marked = markIntegers(text)
  yield
  const value: unknown = JSON.parse(marked)
  if (marked === text) return value
  yield
  return unmark(value)
}

/**
 * Parses JSON as `parseExact` does, from a text that was not checked before. Calls only `JSON.parse` if this loses no
 * digits.
 * @throws A `SyntaxError` for a text that is not JSON.
 */
export function parse(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return hasDoubtful(value) ? parseExact(text) : value
}

/**
 * Parses JSON for a reader without a schema: an integer that `JSON.stringify` would not write with the same digits is a
 * bigint.
 * @throws A `SyntaxError` for a text that is not JSON.
 */
export function readJson(text: string): unknown {
  const value = parse(text)
  const settled = normalizeNumbers(value)
  return settled === overflow ? value : settled
}

/** Replaces each integer literal from 2^53 on by a marked string. */
function markIntegers(json: string): string {
  // With the space, `literals` also matches a text that consists of one number.
  const text = ` ${json}`
  let marked = ''
  let copied = 0
  const quotes = new Quotes(text)
  literals.lastIndex = 0
  for (let match = literals.exec(text); match !== null; match = literals.exec(text)) {
    const start = match.index + 1
    const literal = match[0].slice(1)
    const double = Number(literal)
    if (!isDoubtful(double) || !Number.isFinite(double) || quotes.isInside(start)) continue
    marked += `${text.slice(copied, start)}"${mark}${literal}"`
    copied = literals.lastIndex
  }
  return copied === 0 ? json : marked + text.slice(copied)
}

/** Follows the quotes of a JSON text from its start. */
class Quotes {
  readonly #text: string
  #next: number
  #isOpen = false

  constructor(text: string) {
    this.#text = text
    this.#next = text.indexOf('"')
  }

  /** Returns whether a place is inside a string. Each call must have a later place than the previous call. */
  isInside(place: number): boolean {
    while (this.#next !== -1 && this.#next < place) {
      if (!this.#isOpen || !isEscaped(this.#text, this.#next)) this.#isOpen = !this.#isOpen
      this.#next = this.#text.indexOf('"', this.#next + 1)
    }
    return this.#isOpen
  }
}

function isEscaped(text: string, quote: number): boolean {
  let before = quote - 1
  while (text[before] === '\\') before--
  return (quote - before) % 2 === 0
}

/** Replaces each marked string by its bigint, in place. No other code has the value yet. */
function unmark(value: unknown): unknown {
  const root = { value }
  const open: object[] = [root]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) {
      const items: unknown[] = next
      for (let index = 0; index < items.length; index++) {
        const item = unmarked(items[index], open)
        if (typeof item === 'bigint') items[index] = item
      }
    } else {
      const fields = next as Record<string, unknown>
      for (const key in fields) {
        const item = unmarked(fields[key], open)
        if (typeof item === 'bigint') fields[key] = item
      }
    }
  }
  return root.value
}

/** Returns the bigint of a marked string, and any other item unchanged. Adds a list or an object to `later`. */
function unmarked(item: unknown, later: object[]): unknown {
  if (typeof item === 'string') return item.startsWith(mark) ? BigInt(item.slice(mark.length)) : item
  if (typeof item === 'object' && item !== null) later.push(item)
  return item
}
