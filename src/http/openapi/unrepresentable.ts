import type { z } from 'zod'
import { integerForm } from './bigint-schema.ts'
import type { JsonSchema, Side } from './schema-types.ts'

/** The keyword that marks a schema without a JSON Schema until the conversion has ended. Its value is the zod type. */
export const mark = 'x-unrepresentable'

/** The fix for each zod type without a JSON Schema. */
const fixes: Readonly<Record<string, string>> = {
  transform: 'add .pipe() with the schema of the transformed value',
  date: 'use z.iso.datetime() or z.coerce.date()',
  map: 'use z.record()',
  set: 'use z.array()',
  file: 'use z.base64()',
  undefined: 'remove the schema',
  void: 'remove the schema',
  promise: 'await the value in a step',
  nan: 'remove it',
  'NaN or Infinity': 'remove it',
  number: 'use a finite multipleOf other than 0',
  object: 'remove its symbol keys',
  literal: 'use .optional() for undefined',
}

/**
 * Returns a JSON Schema for a type that zod cannot convert. The schema describes the value as it is written in JSON. If
 * JSON cannot represent the type, the result is a mark. On the response side a date is text, NaN is `null` and
 * `undefined` is absent. On the request side a coerced date is text. A bigint is an integer.
 */
export function wireForm(schema: z.core.$ZodType, side: Side, path: readonly unknown[]): JsonSchema {
  const { type, coerce = false } = schema._zod.def as { readonly type: string; readonly coerce?: boolean }
  if (type === 'date' && (side === 'output' || coerce)) return { type: 'string', format: 'date-time' }
  if (type === 'nan' && side === 'output') return { type: 'null' }
  if ((type === 'undefined' || type === 'void') && (side === 'output' || path.length > 0)) return { not: {} }
  return integerForm(schema) ?? { [mark]: type }
}

/** The keywords with which `.meta()` describes a schema that zod cannot convert. */
const typeKeywords = ['type', 'const', 'enum', 'allOf', 'anyOf', 'oneOf']

/** Returns whether the metadata of a schema has its JSON Schema. */
export function isWrittenByHand(schema: z.core.$ZodType, metadata: Metadata): boolean {
  const meta = metadata.get(schema) ?? {}
  return typeKeywords.some(keyword => Object.hasOwn(meta, keyword))
}

/** The metadata of schemas. */
export interface Metadata {
  get(schema: z.core.$ZodType): Readonly<Record<string, unknown>> | undefined
  has(schema: z.core.$ZodType): boolean
}

/** Returns a message for each mark in a JSON Schema, with its place. */
export function marksIn(value: unknown, where: string, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  const type = Array.isArray(value) ? undefined : (value as JsonSchema)[mark]
  const own = typeof type === 'string' ? [message(type, path, where)] : []
  const inner = Object.entries(value).flatMap(([key, each]) => marksIn(each, where, `${path}/${escaped(key)}`))
  return [...own, ...inner]
}

function message(type: string, path: string, where: string): string {
  const fix = fixes[type] ?? 'use a type that JSON has'
  return (
    `${where}${path === '' ? '' : `, at ${path}`}: '${type}' cannot be written as JSON Schema: ${fix}, or write ` +
    `its JSON Schema with .meta(), for example .meta({ type: 'string' })`
  )
}

/** Returns a key as a token of a JSON Pointer (RFC 6901, section 3). */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

/**
 * Returns the same JSON Schema without the marks of some zod types. A schema without its mark accepts every value.
 *
 * @param types The zod types. @default all
 */
export function withoutMarks<T>(value: T, types?: ReadonlySet<string>): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(each => withoutMarks(each, types)) as T
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, each]) => key !== mark || types?.has(each as string) === false)
      .map(([key, each]) => [key, withoutMarks(each, types)]),
  ) as T
}
