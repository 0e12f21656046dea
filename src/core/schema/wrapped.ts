import { types } from 'node:util'
import { z } from 'zod'
import { defOf as wholeDefOf, partsOf } from '../json/parts.ts'

/** The fields of a zod definition that contain other schemas. `type` determines which of them exist. */
export interface Def {
  readonly type: string
  readonly coerce?: boolean
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly out?: z.ZodType
  readonly left?: z.ZodType
  readonly right?: z.ZodType
  readonly element?: z.ZodType
  readonly valueType?: z.ZodType
  readonly keyType?: z.ZodType
  /** Of a record. */
  readonly mode?: string
  /** Of a record: true if keys can be left out. */
  readonly partial?: boolean
  readonly catchall?: z.ZodType | undefined
  readonly rest?: z.ZodType | null
  readonly options?: readonly z.ZodType[]
  readonly items?: readonly z.ZodType[]
  readonly shape?: Readonly<Record<string, z.ZodType>>
  /** Of a lazy schema. */
  readonly getter?: () => z.ZodType
  /** Of a codec. */
  readonly transform?: unknown
}

/** Returns the definition of a schema. */
export function defOf(schema: z.ZodType): Def {
  return schema._zod.def
}

/**
 * Returns the schemas that read the same value as this one: the inner schema of a wrapper, the options of a union, the
 * sides of an intersection, the input of a pipe, and the output of a `z.preprocess`. The result is empty for an object,
 * a list and a leaf.
 */
export function innersOf(schema: z.ZodType): readonly z.ZodType[] {
  const { innerType, in: input, out, left, right, options, getter } = defOf(schema)
  if (getter !== undefined) return [getter()]
  if (options !== undefined) return options
  if (left !== undefined && right !== undefined) return [left, right]
  if (input !== undefined && out !== undefined) return [defOf(input).type === 'transform' ? out : input]
  return innerType === undefined ? [] : [innerType]
}

/** Returns the same schema with other inner schemas; its checks, its functions and its metadata for parsing stay. */
export function rebuilt(schema: z.ZodType, change: Partial<Def>): z.ZodType {
  return z.core.clone(schema, z.core.util.mergeDefs(schema._zod.def, change) as typeof schema._zod.def)
}

/** One field of a schema. */
export interface SchemaField {
  readonly schema: z.ZodType
  /** True if every object that the schema may read needs it. */
  readonly isRequired: boolean
}

/**
 * Returns the fields of an object schema by name, through every wrapper. If a name occurs several times, its first
 * schema is used.
 */
export function fieldsOf(schema: z.ZodType, within: readonly z.ZodType[] = []): ReadonlyMap<string, SchemaField> {
  const { type, shape } = defOf(schema)
  if (within.includes(schema)) return new Map()
  if (shape !== undefined)
    return new Map(
      Object.entries(shape).map(([name, field]) => [
        name,
        { schema: field, isRequired: !field.safeParse(undefined).success },
      ]),
    )
  const parts = innersOf(schema).map(inner => fieldsOf(inner, [...within, schema]))
  const found = new Map<string, SchemaField>()
  for (const part of parts) {
    for (const [name, field] of part) {
      const uses = parts.filter(each => each.get(name)?.isRequired === true).length
      if (!found.has(name))
        found.set(name, { schema: field.schema, isRequired: type === 'union' ? uses === parts.length : uses > 0 })
    }
  }
  return found
}

/**
 * A check of a schema. zod stores the function of `refine` in the definition of the check, and the function of `check`
 * outside of the definition.
 */
interface Check {
  readonly _zod: { readonly def: { readonly fn?: unknown }; readonly check?: unknown }
}

/**
 * Returns whether a schema has an async function. Schemas are read synchronously: zod refuses a promise and drops it,
 * and if the promise then rejects, the unhandled rejection ends the process. The function of `superRefine` cannot be
 * found.
 */
export function hasAsync(schema: z.ZodType, seen = new Set<z.ZodType>()): boolean {
  if (seen.has(schema)) return false
  seen.add(schema)
  const { transform, reverseTransform, fn, checks = [] } = wholeDefOf(schema)
  const ofChecks = (checks as readonly Check[]).flatMap(({ _zod: { def, check } }) => [def.fn, check])
  return (
    [transform, reverseTransform, fn, ...ofChecks].some(each => types.isAsyncFunction(each)) ||
    partsOf(schema).some(part => hasAsync(part, seen))
  )
}

/**
 * Refuses a value that is not a zod 4 schema, because its parts cannot be read, and a schema with an async function.
 *
 * @param owner the owner of the schemas, for example `aggregate 'cats'`
 * @throws {TypeError} that names the part and the fix
 */
export function checkZod(owner: string, schemas: Readonly<Record<string, object | undefined>>): void {
  for (const [part, schema] of Object.entries(schemas)) {
    if (schema !== undefined && (typeof schema !== 'object' || schema === null || !('_zod' in schema)))
      throw new TypeError(
        `${owner}: its ${part} schema is not a zod 4 schema: install zod 4, or import { z } from 'zod/v4'`,
      )
    if (schema !== undefined && hasAsync(schema as z.ZodType))
      throw new TypeError(
        `${owner}: its ${part} schema has an async function, and schemas are parsed synchronously: await in a step`,
      )
  }
}
