import type { z } from 'zod'
import type { JsonSchema } from './schema-types.ts'

interface Def {
  readonly type: string
  readonly innerType?: z.core.$ZodType
  readonly getter?: () => z.core.$ZodType
  readonly options?: readonly z.core.$ZodType[]
  readonly left?: z.core.$ZodType
  readonly right?: z.core.$ZodType
  readonly out?: z.core.$ZodType
}

/**
 * Returns whether the output of a schema may be `undefined`. `JSON.stringify` omits a field that is undefined, and
 * writes `null` for an undefined item of a list.
 */
export function mayBeAbsent(schema: z.core.$ZodType): boolean {
  const def = schema._zod.def as unknown as Def
  switch (def.type) {
    case 'undefined':
    case 'void':
    case 'any':
    case 'unknown':
      return true
    case 'optional':
      return !schema._zod.traits.has('$ZodExactOptional')
    case 'nullable':
    case 'readonly':
    case 'catch':
    case 'promise':
      return mayBeAbsent(def.innerType as z.core.$ZodType)
    case 'lazy':
      // A lazy schema may contain itself. Reading `optout` is safe, since zod computes it without an endless loop.
      return schema._zod.optout === 'optional'
    case 'pipe':
      return mayBeAbsent(def.out as z.core.$ZodType)
    case 'union':
      return (def.options as readonly z.core.$ZodType[]).some(mayBeAbsent)
    case 'intersection':
      return mayBeAbsent(def.left as z.core.$ZodType) && mayBeAbsent(def.right as z.core.$ZodType)
    default:
      return false
  }
}

const nothing: JsonSchema = { type: 'null' }

/** Returns the JSON Schema of the same values and `null`. */
export function orNull(schema: JsonSchema): JsonSchema {
  const { type, anyOf, not, ...others } = schema as {
    readonly type?: unknown
    readonly anyOf?: readonly JsonSchema[]
  } & JsonSchema
  if (isNever(schema)) return nothing
  const isOpen = Object.keys(schema).every(key => key === 'title' || key === 'description' || key === 'examples')
  const types = Array.isArray(type) ? (type as readonly unknown[]) : [type]
  if (isOpen || types.includes('null') || anyOf?.some(option => option['type'] === 'null')) return schema
  const { description, ...rest } = schema
  const words = description === undefined ? {} : { description }
  if (
    type !== undefined &&
    anyOf === undefined &&
    not === undefined &&
    Object.keys(others).every(key => key === 'description')
  )
    return { ...words, type: [...types, 'null'] }
  if (anyOf !== undefined && Object.keys(rest).length === 1) return { ...words, anyOf: [...anyOf, nothing] }
  return { ...words, anyOf: [rest, nothing] }
}

/** Returns whether no value matches a JSON Schema. */
export function isNever({ not }: JsonSchema): boolean {
  return typeof not === 'object' && not !== null && Object.keys(not).length === 0
}
