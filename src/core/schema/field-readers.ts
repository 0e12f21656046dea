import type { z } from 'zod'
import { compileParser } from './parser.ts'
import { isAnyText, isPlain, isPlainInt, type Def, type Internals, type Parser } from './parser-parts.ts'

/** Reads one field of an object without its other fields. */
export interface FieldReader {
  readonly name: string
  /** The values that the schema accepts: all strings, all safe integers, or what `parse` accepts. */
  readonly type: 'string' | 'integer' | 'other'
  /**
   * The treatment of `undefined` and of a missing field: it is omitted, `parse` returns its default value, or the field
   * is refused. The schema of the object may still accept a field that is refused here.
   */
  readonly absent: 'omitted' | 'parsed' | 'refused'
  /** Returns the output of the schema for one value, or `INVALID`. */
  readonly parse: Parser
}

/**
 * Returns readers of the fields of an object schema, in the order of the output. The caller decides about fields that
 * the schema does not name.
 *
 * @param change returns the schema that a field is read by
 * @returns `undefined` if the fields cannot be read separately, for example because the object has a check
 */
export function fieldReaders(
  schema: z.ZodType,
  change: (field: z.ZodType) => z.ZodType = field => field,
): readonly FieldReader[] | undefined {
  const def = defOf(schema)
  if (def.type !== 'object' || !isPlain(def)) return undefined
  const { shape = {} } = def
  const names = Object.keys(shape)
  if (names.some(name => name in Object.prototype) || Object.getOwnPropertySymbols(shape).length > 0) return undefined
  const readers: FieldReader[] = []
  for (const name of names) {
    const reader = readerOf(name, change(shape[name] as z.ZodType))
    if (reader === undefined) return undefined
    readers.push(reader)
  }
  return readers
}

function readerOf(name: string, schema: z.ZodType): FieldReader | undefined {
  const def = defOf(schema)
  if (isOptional(schema, def)) {
    const { type, parse } = valueReader(def.innerType as z.ZodType)
    return { name, type, absent: 'omitted', parse }
  }
  if (isPlain(def) && (def.type === 'default' || def.type === 'prefault'))
    return { name, absent: 'parsed', ...valueReader(schema) }
  // Only zod knows what other schemas make of a missing field.
  return schema._zod.optin === undefined ? { name, absent: 'refused', ...valueReader(schema) } : undefined
}

function valueReader(schema: z.ZodType): Pick<FieldReader, 'type' | 'parse'> {
  return {
    type: isAnyText(schema) ? 'string' : isPlainInt(defOf(schema)) ? 'integer' : 'other',
    parse: compileParser(schema),
  }
}

/** Returns whether a schema is optional, and returns `undefined` for `undefined`. */
function isOptional(schema: z.ZodType, def: Def): boolean {
  return (
    def.type === 'optional' &&
    isPlain(def) &&
    (def.innerType as z.ZodType)._zod.optin === undefined &&
    !schema._zod.traits.has('$ZodExactOptional')
  )
}

function defOf(schema: z.ZodType): Def {
  return (schema._zod as unknown as Internals).def
}
