import { z } from 'zod'
import { UpstreamError } from '../../errors.ts'
import { exactSchema } from '../../core/json/wire-schema.ts'

/** The input of an operation: the fields of its schemas, and the body. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * Returns the function that picks the fields of one schema from an input that several schemas share. Without it, a
 * schema that refuses unknown fields would refuse the fields of the other schemas.
 */
export function picker(schema: z.ZodType, isShared: boolean): (input: Fields) => Fields {
  if (!isShared || !(schema instanceof z.ZodObject)) return whole
  const keys = Object.keys(schema.shape)
  return input => Object.fromEntries(keys.filter(key => Object.hasOwn(input, key)).map(key => [key, input[key]]))
}

function whole(input: Fields): Fields {
  return input
}

/**
 * Parses a part of an input.
 *
 * @param part the name of the part in the message, if the value is not the input itself
 * @throws `CALL_INPUT_INVALID` for a value that the schema refuses
 */
export function parseInput(schema: z.ZodType, value: unknown, owner: string, part?: string): unknown {
  const { success, data, error } = exactSchema(schema).safeParse(value)
  if (success) return data
  const [{ path, message }] = error.issues as [z.core.$ZodIssue]
  const field = [...(part === undefined ? [] : [part]), ...path].join('.')
  throw new UpstreamError('CALL_INPUT_INVALID', owner, {
    detail: `${field === '' ? 'input' : field}: ${message}`,
    cause: error,
  })
}
