import type { z } from 'zod'
import { defOf, innerOf, partsOf, valuesOf } from './parts.ts'

const withBigints = new WeakMap<z.ZodType, boolean>()
const needing = new WeakMap<z.ZodType, boolean>()

/** Returns whether a schema has a bigint somewhere, which JSON writes as an integer. */
export function hasBigint(schema: z.ZodType): boolean {
  return some(schema, isBigint, withBigints)
}

/**
 * Returns whether a schema reads even small integers of JSON in a way that zod does not: as a bigint, or from text
 * without rounding.
 */
export function needsExact(schema: z.ZodType): boolean {
  return some(schema, each => isBigint(each) || isCoercedNumber(each), needing)
}

function isBigint(schema: z.ZodType): boolean {
  const { type } = defOf(schema)
  return (
    type === 'bigint' ||
    ((type === 'literal' || type === 'enum') && [...valuesOf(schema)].some(value => typeof value === 'bigint'))
  )
}

function isCoercedNumber(schema: z.ZodType): boolean {
  const { type, coerce } = defOf(schema)
  return type === 'number' && coerce === true
}

function some(schema: z.ZodType, is: (schema: z.ZodType) => boolean, known: WeakMap<z.ZodType, boolean>): boolean {
  const before = known.get(schema)
  if (before !== undefined) return before
  const seen = new Set<z.ZodType>()
  const open = [schema]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    if (is(next)) break
    open.push(...(defOf(next).type === 'lazy' ? [innerOf(next)] : partsOf(next)))
  }
  const verdict = [...seen].some(is)
  known.set(schema, verdict)
  return verdict
}
