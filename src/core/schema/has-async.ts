import { types } from 'node:util'
import type { z } from 'zod'
import { defOf, partsOf } from '../json/parts.ts'

/** A check of a schema: zod keeps the function of `refine` in its definition and that of `check` beside it. */
interface Check {
  readonly _zod: { readonly def: { readonly fn?: unknown }; readonly check?: unknown }
}

/**
 * Returns whether a schema has an async function. Schemas are read synchronously: zod refuses the promise and drops it,
 * and if the promise then rejects, nothing handles that and the process ends. The function of `superRefine` cannot be
 * seen.
 */
export function hasAsync(schema: z.ZodType, seen = new Set<z.ZodType>()): boolean {
  if (seen.has(schema)) return false
  seen.add(schema)
  const { transform, reverseTransform, fn, checks = [] } = defOf(schema)
  const ofChecks = (checks as readonly Check[]).flatMap(({ _zod: { def, check } }) => [def.fn, check])
  return (
    [transform, reverseTransform, fn, ...ofChecks].some(each => types.isAsyncFunction(each)) ||
    partsOf(schema).some(part => hasAsync(part, seen))
  )
}
