import type { z } from 'zod'
import { lazily, unknowns } from './check-written.ts'
import { defOf } from './wrapped.ts'

/**
 * Returns the names of the fields that the output of a schema can have, whichever option of a union has parsed it.
 *
 * @param where names the owner and the schema, for example `cats.find, headers`
 * @throws {TypeError} for a schema whose output can have other fields
 */
export function writtenNames(where: string, schema: z.ZodType): ReadonlySet<string> {
  const names = new Set<string>()
  const seen = new Set<z.ZodType>()

  function walk(part: z.ZodType): void {
    if (seen.has(part)) return
    seen.add(part)
    const { type, shape, catchall, options = [], left, right, innerType, out, getter, keyType, mode } = defOf(part)
    const keys = keyType?._zod.values
    const isOpen =
      (type !== 'never' && unknowns.has(type)) ||
      (catchall !== undefined && defOf(catchall).type !== 'never') ||
      (keyType !== undefined && (keys === undefined || mode === 'loose'))
    if (isOpen)
      throw new TypeError(
        `${where}: the names of its fields are not known from '${type}': ` +
          'use z.object(…) with a field for each name, and transform the fields',
      )
    for (const name of [...Object.keys(shape ?? {}), ...(keys ?? [])]) names.add(String(name))
    for (const inner of [...options, left, right, innerType, out, getter && lazily(getter)])
      if (inner !== undefined) walk(inner)
  }

  walk(schema)
  return names
}
