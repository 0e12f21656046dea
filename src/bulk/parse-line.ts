import { isUtf8 } from 'node:buffer'
import { Problem } from '../errors.ts'
import { excessOf } from '../core/json/excess.ts'
import { parse } from '../core/json/parse.ts'
import { isTooDeep, maxDepth } from '../core/schema/depth.ts'

/** The largest number of values in one line. Items of lists and fields of objects are values. */
const maxValues = 10_000

/**
 * Parses the line of an item.
 *
 * @throws Problem `INPUT_INVALID` for bytes that are not UTF-8, for invalid JSON, for too many or too deep values, and
 * for a key that can change the prototype of an object.
 */
export function parseLine(line: Buffer): unknown {
  if (!isUtf8(line)) throw refused('is not UTF-8')
  const text = line.toString()
  if (excessOf(text, maxValues) !== undefined) throw refused(`has more than ${maxValues} values`)
  const value = parseJson(text)
  if (isTooDeep(value)) throw refused(`is nested deeper than ${maxDepth}`)
  if (hasPrototypeKey(value)) throw refused('has the key __proto__, or a key prototype within constructor')
  return value
}

function parseJson(text: string): unknown {
  try {
    return parse(text)
  } catch {
    throw refused('is not valid JSON')
  }
}

function refused(reason: string): Problem {
  return new Problem('INPUT_INVALID', {
    detail: 'The input cannot be read: see errors.',
    faults: [{ pointer: '', reason }],
  })
}

/** Returns true if a value has a key that changes a prototype when it is copied. The depth of the value is limited. */
function hasPrototypeKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Object.hasOwn(value, '__proto__')) return true
  const { constructor } = value as { readonly constructor: unknown }
  const isUnsafe = typeof constructor === 'object' && constructor !== null && Object.hasOwn(constructor, 'prototype')
  return isUnsafe || Object.values(value).some(hasPrototypeKey)
}
