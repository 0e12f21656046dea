import { maxDepth } from '../schema/depth.ts'

/**
 * JSON texts that are longer than this, in characters, are checked before they are parsed, because parsing brackets
 * takes more than linear time.
 */
export const measuredLength = 64 * 1024

/** A text with at most one opening bracket per this number of characters is not dense. */
const sparseness = 32

/**
 * A text with more opening brackets than this is dense, whatever its length. Parsing this number of nested brackets
 * takes about 15 ms.
 */
const mostBrackets = 64 * 1024

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c

/** The limit that a JSON text exceeds. */
export type Excess = 'depth' | 'values'

/**
 * Returns the limit that a JSON text exceeds. It does not parse the text. Values are the items of lists and the fields
 * of objects. Strings are skipped. The depth is measured only in texts that are longer than `measuredLength` and dense
 * with brackets; for any other text, `isTooDeep` measures the depth of the parsed value. The result may be `undefined`
 * for any text that is not JSON.
 */
export function excessOf(text: string, maxValues: number): Excess | undefined {
  // Each value takes at least two characters.
  const mayHaveMany = text.length > 2 * maxValues
  if (text.length <= measuredLength) return mayHaveMany ? measure(text, Infinity, maxValues) : undefined
  const most = Math.min(mostBrackets, text.length / sparseness)
  const brackets = count(text, '[', most) + count(text, '{', most)
  if (brackets > most) return measure(text, maxDepth, maxValues)
  // The number of brackets and commas is an upper bound for the number of values. Searching for them is faster than
  // reading each character.
  return mayHaveMany && brackets + count(text, ',', maxValues) > maxValues
    ? measure(text, Infinity, maxValues)
    : undefined
}

/**
 * Returns whether the lists and objects of a JSON value have more than `maxValues` items and fields in all. It does not
 * recurse, and it also ends for cyclic values.
 */
export function exceedsValueCount(value: unknown, maxValues: number): boolean {
  const open = [value]
  let values = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue
    if (Array.isArray(next)) {
      values += next.length
      if (values > maxValues) return true
      for (const item of next) if (typeof item === 'object') open.push(item)
    } else {
      for (const key in next) {
        if (++values > maxValues) return true
        const item = (next as Readonly<Record<string, unknown>>)[key]
        if (typeof item === 'object') open.push(item)
      }
    }
  }
  return false
}

/** Counts a character, up to one more than `most`. */
function count(text: string, character: string, most: number): number {
  let found = 0
  for (let at = text.indexOf(character); at !== -1 && found <= most; at = text.indexOf(character, at + 1)) found++
  return found
}

/** Reads a text once, from its start to the first excess. */
function measure(text: string, maxDepth: number, maxValues: number): Excess | undefined {
  let depth = 0
  let values = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = endOfString(text, at)
    } else if (code === comma) {
      values++
    } else if (isOpening(code)) {
      at = beforeNext(text, at)
      // An empty list or object contains no value and adds no depth.
      if (isClosing(text.charCodeAt(at + 1))) {
        at++
        continue
      }
      values++
      if (++depth > maxDepth) return 'depth'
    } else if (isClosing(code)) {
      depth--
    }
    if (values > maxValues) return 'values'
  }
  return undefined
}

function isOpening(code: number): boolean {
  return code === 0x5b || code === 0x7b
}

function isClosing(code: number): boolean {
  return code === 0x5d || code === 0x7d
}

/** Returns the position of the quote that ends a string; a position after the text if the string does not end. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  // Read each character: if a text has many escapes, a search for each quote takes ten times as long.
  for (let code = text.charCodeAt(at); code !== quote && at < text.length; code = text.charCodeAt(at))
    at += code === backslash ? 2 : 1
  return at
}

/** Returns the position before the next character that is not white space. */
function beforeNext(text: string, at: number): number {
  let next = at + 1
  for (
    let code = text.charCodeAt(next);
    code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
    code = text.charCodeAt(next)
  )
    next++
  return next - 1
}
