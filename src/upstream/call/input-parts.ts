import { z } from 'zod'
import { defOf } from '../../core/schema/wrapped.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { picker, type Fields } from './parse-input.ts'

/** A part of the input of an operation. */
export interface InputPart {
  readonly schema: z.ZodType
  /** The field of the input that has the part; undefined if the part is fields of the input itself. */
  readonly field: 'body' | 'headers' | undefined
  /** Picks the fields of the part, if it is fields of the input itself. */
  readonly pick: (input: Fields) => Fields
}

/** Returns the parts of the input of an operation, in the order in which a call reads them. */
export function inputPartsOf({ params, query, body, headers }: OperationSpec): readonly InputPart[] {
  const schemas = [params, query, body, headers?.schema].filter(schema => schema !== undefined)
  const isShared = schemas.length > 1
  const parts: InputPart[] = []
  for (const schema of [params, query])
    if (schema !== undefined) parts.push({ schema, field: undefined, pick: picker(schema, isShared) })
  if (body !== undefined) parts.push({ schema: body, field: 'body', pick: input => input })
  if (headers !== undefined) parts.push({ schema: headers.schema, field: 'headers', pick: input => input })
  return parts
}

/**
 * Returns the names of the fields that the input of an operation may have; `undefined` if a schema reads fields that it
 * does not name.
 */
export function inputFieldsOf(spec: OperationSpec): ReadonlySet<string> | undefined {
  const names = new Set<string>()
  for (const { schema, field } of inputPartsOf(spec)) {
    if (field !== undefined) names.add(field)
    else if (!(schema instanceof z.ZodObject) || isOpen(schema)) return undefined
    else for (const name of Object.keys(schema.shape)) names.add(name)
  }
  return names
}

/** Returns whether an object schema reads fields that it does not name. That of a strict object accepts none. */
function isOpen(schema: z.ZodType): boolean {
  const { catchall } = defOf(schema)
  return catchall !== undefined && defOf(catchall).type !== 'never'
}
