import { z } from 'zod'
import { holds, isDoubtful, prints, bigintMode } from './integers.ts'
import { inexact, notAnInteger, tooLarge } from './number-fault.ts'
import { defOf, valuesOf } from './parts.ts'
import { overflow, normalizeNumbers } from './settle.ts'

/** Converts a value to the form that a leaf reads. Calls `refuse` with the reason if the value has no such form. */
type Prepare = (value: unknown, refuse: (reason: string) => void) => unknown

/**
 * Returns the wire schema of a leaf of the author's schema. Returns `undefined` for a schema that has parts, or that
 * does not read numbers.
 */
export function leafOf(schema: z.ZodType): z.ZodType | undefined {
  const prepare = preparing(schema)
  return prepare && prepared(schema, prepare)
}

/** Returns the wire schema of a leaf that accepts any value. Integers from 2^53 on stay bigints. */
export function keepingLeafOf(schema: z.ZodType): z.ZodType {
  return prepared(schema, (value, refuse) => {
    if (normalizeNumbers(value) === overflow) refuse(tooLarge)
    return value
  })
}

function preparing(schema: z.ZodType): Prepare | undefined {
  const { type, coerce = false, format } = defOf(schema)
  switch (type) {
    case 'number':
      return format === 'float64' || format === 'float32' ? asFloat : coerce ? asCoercedNumber : asNumber
    case 'bigint':
      return asBigint
    case 'literal':
    case 'enum':
      return oneOf(valuesOf(schema))
    case 'unknown':
    case 'any':
    case 'custom':
    case 'transform':
      return asItIs
    default:
      return coerce ? asFinite : undefined
  }
}

/** Returns the same schema with a conversion before it. */
function prepared(schema: z.ZodType, prepare: Prepare): z.ZodType {
  const own = z.core.clone(schema, schema._zod.def)
  const run = own._zod.run.bind(own._zod)
  own._zod.run = (payload, context) => {
    let isRefused = false
    payload.value = prepare(payload.value, message => {
      isRefused = true
      payload.issues.push({ code: 'custom', message, input: payload.value, inst: own })
    })
    return isRefused ? payload : run(payload, context)
  }
  return own
}

const asFinite: Prepare = (value, refuse) => {
  if (value === Infinity || value === -Infinity) refuse(tooLarge)
  return value
}

const asFloat: Prepare = (value, refuse) => (typeof value === 'bigint' ? Number(value) : asFinite(value, refuse))

const asNumber: Prepare = (value, refuse) => {
  // A smaller bigint does not come from a JSON text, so do not convert it to a number.
  if (typeof value !== 'bigint' || !isDoubtful(Number(value))) return asFinite(value, refuse)
  if (holds(value)) return numberOf(value)
  refuse(inexact)
  return value
}

function numberOf(held: bigint): number {
  if (!prints(held)) bigintMode.isUsed = true
  return Number(held)
}

const integerText = /^\s*[+-]?\d{16,}\s*$/

/** Converts a text to a number. A list of one number is first converted to its text. */
const asCoercedNumber: Prepare = (value, refuse) => {
  const text = textOf(value)
  if (!integerText.test(text)) return asNumber(value, refuse)
  // Creating a bigint from very many digits is slow, so check the size first.
  return asNumber(Number.isFinite(Number(text)) ? BigInt(text.trim().replace('+', '')) : Infinity, refuse)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return Array.isArray(value) ? String(value) : ''
  } catch {
    // String() throws if an item has its own field `toString`, or if lists are nested too deeply.
    return ''
  }
}

const asBigint: Prepare = (value, refuse) => {
  if (typeof value !== 'number') return value
  if (Number.isSafeInteger(value)) return BigInt(value)
  refuse(Number.isFinite(value) ? notAnInteger : tooLarge)
  return value
}

/** Converts an integer to the form, number or bigint, in which the literal was declared. */
function oneOf(values: ReadonlySet<unknown>): Prepare {
  return value => {
    if (typeof value === 'number' && !values.has(value) && Number.isSafeInteger(value))
      return values.has(BigInt(value)) ? BigInt(value) : value
    return typeof value === 'bigint' && !values.has(value) && holds(value) ? numberOf(value) : value
  }
}

const asItIs: Prepare = (value, refuse) => {
  const settled = normalizeNumbers(value)
  if (settled !== overflow) return settled
  refuse(tooLarge)
  return value
}
