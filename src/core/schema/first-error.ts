import { z } from 'zod'
import { defOf } from '../json/parts.ts'
import { wireSchema } from '../json/wire-schema.ts'
import { INVALID, compileWireParser } from './parser.ts'
import { isPlainUnion } from './parser-parts.ts'

/** Types that may accept `undefined` or `null`, and pass every other value to their inner schema. */
const wrappers = new Set(['optional', 'nullable', 'default', 'readonly'])

/**
 * Reads a value by its wire schema up to the first part that the schema refuses. zod creates an issue for each wrong
 * part, and 100,000 issues take about 0.2 s. Only the parts of lists, objects, records and unions are read separately.
 */
export function readToFirstError(schema: z.ZodType, value: unknown): z.ZodSafeParseResult<unknown> {
  const error = errorOfParts(schema, value)
  return error === undefined ? wireSchema(schema).safeParse(value) : { success: false, error }
}

function errorOfParts(schema: z.ZodType, value: unknown): z.ZodError | undefined {
  const own = unwrapped(schema)
  if (defOf(own).type === 'union') return errorOfUnion(own, value)
  for (const [place, part, inner] of partsOf(own, value)) {
    if (compileWireParser(inner)(part) !== INVALID) continue
    const { error } = readToFirstError(inner, part)
    // The paths of the issues are relative to the part.
    if (error !== undefined)
      return new z.ZodError(error.issues.map(issue => ({ ...issue, path: [place, ...issue.path] })))
  }
  return undefined
}

/**
 * Codes of issues after which zod runs no further check of a value. If an option of a union has other issues, zod may
 * report only these for the union.
 */
const finalCodes: ReadonlySet<string> = new Set(['invalid_type', 'invalid_value', 'invalid_union'])

function errorOfUnion(schema: z.ZodType, value: unknown): z.ZodError | undefined {
  const def = defOf(schema)
  const { options, checks = [], error: message } = def
  // zod must create a message that the author has declared.
  if (typeof value !== 'object' || value === null || message !== undefined || checks.length > 0 || !isPlainUnion(def))
    return undefined
  const errors: z.core.$ZodIssue[][] = []
  for (const option of options as readonly z.ZodType[]) {
    const { success, error } = readToFirstError(option, value)
    if (success || !error.issues.every(({ code }) => finalCodes.has(code))) return undefined
    errors.push(error.issues)
  }
  return errors.length < 2
    ? undefined
    : new z.ZodError([{ code: 'invalid_union', input: value, path: [], message: 'Invalid input', errors }])
}

function unwrapped(schema: z.ZodType): z.ZodType {
  let own = schema
  while (wrappers.has(defOf(own).type)) own = defOf(own)['innerType'] as z.ZodType
  return own
}

/** Yields the parts of a list, an object or a record. If a part is refused, the whole value is refused. */
function* partsOf(
  schema: z.ZodType,
  value: unknown,
): Generator<readonly [place: string | number, part: unknown, schema: z.ZodType]> {
  if (typeof value !== 'object' || value === null) return
  const { type, element, shape = {}, catchall, keyType, valueType } = defOf(schema)
  const fields = value as Readonly<Record<string, unknown>>
  if (Array.isArray(value)) {
    if (type === 'array' && !isTooLong(schema, value))
      for (let index = 0; index < value.length; index++) yield [index, value[index], element as z.ZodType]
  } else if (type === 'object') {
    for (const [key, field] of Object.entries(shape as Readonly<Record<string, z.ZodType>>))
      if (Object.hasOwn(value, key)) yield [key, fields[key], field]
    // A strict object reports all unknown fields in one issue.
    if (catchall !== undefined && defOf(catchall as z.ZodType).type !== 'never')
      for (const key of Object.keys(value))
        if (!Object.hasOwn(shape as object, key)) yield [key, fields[key], catchall as z.ZodType]
  } else if (type === 'record' && isAnyText(keyType as z.ZodType)) {
    for (const key of Object.keys(value)) yield [key, fields[key], valueType as z.ZodType]
  }
}

/** Returns whether a list is longer than its schema allows. zod does not read the items of such a list. */
function isTooLong(schema: z.ZodType, { length }: readonly unknown[]): boolean {
  for (const {
    _zod: { def },
  } of (defOf(schema).checks ?? []) as readonly {
    readonly _zod: { readonly def: { readonly maximum?: number; readonly length?: number } }
  }[]) {
    if (length > (def.maximum ?? def.length ?? Infinity)) return true
  }
  return false
}

function isAnyText(schema: z.ZodType): boolean {
  const { type, checks = [] } = defOf(schema)
  return type === 'string' && checks.length === 0
}
