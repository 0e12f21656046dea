import type { z } from 'zod'
import { needsExact } from '../json/needs-exact.ts'
import { wireSchema } from '../json/wire-schema.ts'
import { compileParser } from './parser.ts'
import { isAnyText, isPlain, isPlainInt, type Def, type Internals, type Parser } from './parser-parts.ts'

/** Reads one field of an object without its other fields. */
export interface FieldReader {
  readonly name: string
  /** The values that the schema accepts: all strings, all safe integers, or what `parse` accepts. */
  readonly type: 'string' | 'integer' | 'other'
  /**
   * The result for `undefined`: the field stays out, `parse` returns a default value, or only the schema of the object
   * can tell, because it treats a missing field and `undefined` differently.
   */
  readonly absent: 'omitted' | 'parsed' | 'unknown'
  /** Returns the output of the schema for one value, or `INVALID`. */
  readonly parse: Parser
}

/**
 * Returns readers of the fields of an object schema, in the order of the output.
 *
 * @returns `undefined` for a schema whose fields are not independent: it has a check or a function, or it is not an
 *   object
 */
export function fieldReaders(schema: z.ZodType): readonly FieldReader[] | undefined {
  const def = defOf(schema)
  if (def.type !== 'object' || !isPlain(def)) return undefined
  const { shape = {} } = def
  const names = Object.keys(shape)
  if (names.some(name => name in Object.prototype) || Object.getOwnPropertySymbols(shape).length > 0) return undefined
  const isExact = needsExact(schema)
  return names.map(name => {
    const field = shape[name] as z.ZodType
    return { name, ...readerOf(isExact ? wireSchema(field) : field) }
  })
}

function readerOf(schema: z.ZodType): Omit<FieldReader, 'name'> {
  const def = defOf(schema)
  if (def.type === 'optional' && isPlain(def) && mayBeUndefined(schema))
    return { ...readerOf(def.innerType as z.ZodType), absent: 'omitted' }
  return {
    type: isAnyText(schema) ? 'string' : isPlainInt(def) ? 'integer' : 'other',
    absent: def.type === 'default' || def.type === 'prefault' ? 'parsed' : 'unknown',
    parse: compileParser(schema),
  }
}

/** Returns whether an optional schema returns `undefined` for `undefined` and for a missing field. */
function mayBeUndefined(schema: z.ZodType): boolean {
  const inner = defOf(schema).innerType as z.ZodType
  return inner._zod.optin === undefined && !schema._zod.traits.has('$ZodExactOptional')
}

function defOf(schema: z.ZodType): Def {
  return (schema._zod as unknown as Internals).def
}
