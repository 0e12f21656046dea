import { z } from 'zod'
import { defOf } from './json/parts.ts'
import { wireSchema } from './json/wire-schema.ts'
import { unfit, wireReaderOf } from './schema-reader.ts'

/**
 * Returns the error of the first part of a value that its schema refuses, or `undefined` where each part is taken. zod makes an issue of each
 * wrong part, and a hundred thousand of them take some 0.2 s. Only plain lists and objects are taken apart.
 */
export function firstError (schema: z.ZodType, value: unknown): z.ZodError | undefined {
  for (const [place, part, inner] of partsOf(schema, value)) {
    if (wireReaderOf(inner)(part) !== unfit) continue
    const error = firstError(inner, part)
    // The paths of its issues begin at the part.
    if (error !== undefined) return new z.ZodError(error.issues.map(issue => ({ ...issue, path: [place, ...issue.path] })))
  }
  return Array.isArray(value) && isPlain(schema, 'array') ? undefined : wireSchema(schema).safeParse(value).error
}

function isPlain (schema: z.ZodType, type: string): boolean {
  const { type: own, checks = [] } = defOf(schema)
  return own === type && checks.length === 0
}

/** Gives the parts of a list, an object or a record whose schema refuses it wherever it refuses one of them. */
function * partsOf (schema: z.ZodType, value: unknown): Generator<readonly [place: string | number, part: unknown, schema: z.ZodType]> {
  if (typeof value !== 'object' || value === null) return
  const { type, element, shape = {}, keyType, valueType } = defOf(schema)
  if (Array.isArray(value)) {
    if (isPlain(schema, 'array')) for (let index = 0; index < value.length; index++) yield [index, value[index], element as z.ZodType]
  } else if (type === 'object') {
    for (const [key, field] of Object.entries(shape as Readonly<Record<string, z.ZodType>>)) if (Object.hasOwn(value, key)) yield [key, (value as Readonly<Record<string, unknown>>)[key], field]
  } else if (type === 'record' && isPlain(keyType as z.ZodType, 'string')) {
    for (const [key, field] of Object.entries(value)) yield [key, field, valueType as z.ZodType]
  }
}
