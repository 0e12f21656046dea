import type { z } from 'zod'
import { valuesOf } from '../../core/json/parts.ts'
import { lazily } from '../../core/schema/check-written.ts'
import { defOf } from '../../core/schema/wrapped.ts'

/**
 * Refuses a path template with a name for which `params` has no schema.
 *
 * @param where The owner and the schema, for example `cats.find, params`.
 * @throws {TypeError} The message contains the first of these names.
 */
export function checkPathNames(where: string, schema: z.ZodType | undefined, names: readonly string[]): void {
  const missing = names.find(name => schema === undefined || !mayHave(schema, name, []))
  if (missing !== undefined)
    throw new TypeError(`${where}: there is no schema for '{${missing}}' of the path: add ${missing} to params`)
}

/** The schema types of keys whose values are a list. */
const named = new Set(['enum', 'literal'])

/** Returns whether an output can have a field, whichever option of a union has parsed it. */
function mayHave(schema: z.ZodType, name: string, within: readonly z.ZodType[]): boolean {
  // A recursive schema adds no other output.
  if (within.includes(schema)) return true
  const { shape, catchall, left, right, options, innerType, out, getter, keyType, mode, partial } = defOf(schema)
  if (partial === true) return false
  const inside = [...within, schema]
  const has = (part: z.ZodType) => mayHave(part, name, inside)
  if (shape !== undefined) return Object.hasOwn(shape, name) || (catchall !== undefined && !isNever(catchall))
  if (left !== undefined && right !== undefined) return has(left) || has(right)
  if (options !== undefined) return options.every(has)
  if (keyType !== undefined && mode !== 'loose' && named.has(defOf(keyType).type)) return valuesOf(keyType).has(name)
  const inner = innerType ?? out ?? (getter && lazily(getter))
  return inner === undefined || has(inner)
}

function isNever(schema: z.ZodType): boolean {
  return defOf(schema).type === 'never'
}
