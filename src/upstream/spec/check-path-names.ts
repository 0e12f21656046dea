import type { z } from 'zod'
import { defOf } from '../../core/schema/wrapped.ts'

/**
 * Refuses a path template with a name for which `params` has no schema.
 *
 * @param where names the owner and the schema, for example `cats.find, params`
 * @throws {TypeError} that names the first such name
 */
export function checkPathNames(where: string, schema: z.ZodType | undefined, names: readonly string[]): void {
  const missing = names.find(name => schema === undefined || !mayHave(schema, name, []))
  if (missing !== undefined)
    throw new TypeError(`${where}: there is no schema for '{${missing}}' of the path: add ${missing} to params`)
}

/** Returns whether an output may have a field. */
function mayHave(schema: z.ZodType, name: string, within: readonly z.ZodType[]): boolean {
  if (within.includes(schema)) return false
  const { shape, catchall, left, right, options, innerType, out } = defOf(schema)
  const inside = [...within, schema]
  const has = (part: z.ZodType) => mayHave(part, name, inside)
  if (shape !== undefined) return Object.hasOwn(shape, name) || (catchall !== undefined && !isNever(catchall))
  if (left !== undefined && right !== undefined) return has(left) || has(right)
  if (options !== undefined) return options.some(has)
  const inner = innerType ?? out
  return inner === undefined || has(inner)
}

function isNever(schema: z.ZodType): boolean {
  return defOf(schema).type === 'never'
}
