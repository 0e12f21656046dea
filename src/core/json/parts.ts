import type { z } from 'zod'

/** The parts of a zod definition that determine which values a schema accepts. */
export interface Def {
  readonly type: string
  readonly coerce?: boolean
  readonly check?: string
  readonly format?: string
  readonly checks?: readonly unknown[]
  readonly discriminator?: string
  readonly in?: z.ZodType
  readonly [part: string]: unknown
}

/** Returns the definition of a schema. */
export function defOf(schema: z.ZodType): Def {
  return schema._zod.def as unknown as Def
}

/** Returns the values that a literal or an enum accepts. */
export function valuesOf(schema: z.ZodType): ReadonlySet<unknown> {
  return (schema._zod as unknown as { readonly values: ReadonlySet<unknown> }).values
}

/** Returns the inner schema of a lazy schema. */
export function innerOf(schema: z.ZodType): z.ZodType {
  return (schema._zod as unknown as { readonly innerType: z.ZodType }).innerType
}

/** Returns whether something is a zod schema. */
export function isSchema(part: unknown): part is z.ZodType {
  return typeof part === 'object' && part !== null && '_zod' in part && 'def' in (part._zod as object)
}

/**
 * Returns the schemas that a schema contains, independently of their names in its definition. Does not read computed
 * properties, such as a default.
 */
export function partsOf(schema: z.ZodType): z.ZodType[] {
  const { shape, ...others } = Object.getOwnPropertyDescriptors(defOf(schema)) as Readonly<
    Record<string, { readonly value?: unknown }>
  >
  return [
    ...Object.values(others).map(({ value }) => value),
    ...(shape === undefined ? [] : Object.values(defOf(schema)['shape'] as object)),
  ]
    .flat()
    .filter(isSchema)
}

/**
 * Returns whether a schema is `z.json()`, with or without metadata: any JSON, written with the schemas of its kinds.
 */
export function isAnyJson(schema: z.ZodType): boolean {
  if (defOf(schema).type !== 'lazy') return false
  const inner = innerOf(schema)
  const { type, options } = defOf(inner) as unknown as {
    readonly type: string
    readonly options?: readonly z.ZodType[]
  }
  if (type !== 'union' || options?.length !== 6) return false
  const [text, number, boolean, nothing, list, record] = options.map(defOf) as [Def, Def, Def, Def, Def, Def]
  const isSame = (part: unknown) => isSchema(part) && defOf(part).type === 'lazy' && innerOf(part) === inner
  return (
    [text.type, number.type, boolean.type, nothing.type].join() === 'string,number,boolean,null' &&
    isSame(list['element']) &&
    isSame(record['valueType'])
  )
}
