import type { z } from 'zod'
import { defOf, partsOf } from '../json/parts.ts'

/** The deepest nesting of a body where its schema accepts any value. */
export const maxDepth = 64

/** Types that accept any value unchanged, or whose depth is not in the declaration. */
const openTypes = new Set(['unknown', 'any', 'custom', 'lazy'])

/** Returns whether a schema accepts values of any depth: it accepts any value somewhere, or it contains itself. */
export function isOpen(schema: z.ZodType, known = new Map<z.ZodType, boolean>()): boolean {
  const before = known.get(schema)
  if (before !== undefined) return before
  // Until the result is known, a schema that is reached again contains itself.
  known.set(schema, true)
  const verdict = isOpenItself(schema, known)
  known.set(schema, verdict)
  return verdict
}

function isOpenItself(schema: z.ZodType, known: Map<z.ZodType, boolean>): boolean {
  return openTypes.has(defOf(schema).type) || partsOf(schema).some(part => isOpen(part, known))
}

/**
 * Returns whether a JSON value is nested deeper than allowed. It does not recurse, because an upstream chooses the
 * depth.
 */
export function isTooDeep(value: unknown): boolean {
  let level: object[] = []
  note(value, level)
  for (let depth = 0; level.length > 0; depth++) {
    const below: object[] = []
    for (const each of level) {
      if (Array.isArray(each)) {
        if (depth === maxDepth && each.length > 0) return true
        for (const item of each) note(item, below)
      } else {
        for (const key in each) {
          if (depth === maxDepth) return true
          note((each as Readonly<Record<string, unknown>>)[key], below)
        }
      }
    }
    level = below
  }
  return false
}

function note(item: unknown, level: object[]): void {
  if (typeof item === 'object' && item !== null) level.push(item)
}
