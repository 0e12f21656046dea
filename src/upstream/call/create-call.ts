import { z } from 'zod'
import { UpstreamError } from '../../errors.ts'
import { Call } from './call.ts'
import { bodyFix } from '../../core/schema/check-written.ts'
import { droppedIn, hasUnknownOutput } from '../../core/schema/dropped.ts'
import { hasBigint } from '../../core/json/needs-exact.ts'
import { exactSchema } from '../../core/json/wire-schema.ts'
import { ignoreRejection } from '../../core/promises.ts'
import { writeJson } from '../../core/json/write.ts'
import { queryNameMatcher } from '../spec/query-name.ts'
import { writeQuery } from './query.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { fillTemplate } from '../spec/template.ts'

type Fields = Readonly<Record<string, unknown>>

const nothing: Fields = Object.freeze({})

/** The maximum length of an idempotency key, in characters. */
const maxKeyLength = 255

/**
 * Returns the function that creates a call from the input of an operation. It throws `CALL_INPUT_INVALID` for input
 * that the schemas refuse.
 */
export function callFactory(spec: OperationSpec): (input?: Fields) => Call<unknown> {
  const {
    name,
    template,
    params,
    query,
    body,
    idempotencyKey,
    upstream: { auth },
  } = spec

  if (params === undefined && query === undefined && body === undefined && idempotencyKey === undefined) {
    const always = Object.freeze(new Call<unknown>(spec, template.path, undefined, undefined))
    return () => always
  }

  const several = [params, query, body].filter(schema => schema !== undefined).length > 1
  const ofParams = several ? picker(params) : whole
  const ofQuery = several ? picker(query) : whole
  const write = body !== undefined && hasUnknownOutput(body) ? writeWhole : writeKnown
  const isReserved = auth !== undefined && 'query' in auth ? queryNameMatcher(auth.query) : undefined

  return (input = nothing) => {
    let path =
      params === undefined
        ? template.path
        : fillTemplate(template, parse(params, ofParams(input), name) as Fields, name)
    if (query !== undefined) path += writeQuery(parse(query, ofQuery(input), name) as Fields, name, isReserved)
    return new Call(
      spec,
      path,
      body === undefined ? undefined : write(parse(body, input['body'], name, 'body'), hasBigint(body), name),
      idempotencyKey === undefined ? undefined : keyOf(idempotencyKey(input as never), name),
    )
  }
}

/** Writes a body whose schema allows only values that JSON can hold. */
function writeKnown(value: unknown, isExact: boolean): string {
  return writeJson(value, isExact)
}

/** Writes a body whose schema allows any value. Throws for a value of which JSON would omit something. */
function writeWhole(value: unknown, isExact: boolean, owner: string): string | undefined {
  const text = writeJson(value, isExact) as string | undefined
  // A circular value has thrown in `writeJson`.
  const dropped = droppedIn(value)
  if (dropped === undefined) {
    if (text !== undefined || value === undefined) return text
    throw new TypeError(`${owner}, body: its toJSON returns a value that JSON cannot represent: ${bodyFix}`)
  }
  ignoreRejection(dropped.value)
  throw new TypeError(
    `${owner}, body${dropped.pointer === '' ? '' : `, at ${dropped.pointer}`}: ` +
      `${dropped.kind} cannot be written as JSON: ${bodyFix}`,
  )
}

/** Checks the key that the function `idempotencyKey` returned. */
function keyOf(key: unknown, owner: string): string {
  if (typeof key !== 'string') {
    ignoreRejection(key)
    throw new TypeError(`${owner}: idempotencyKey must return a string, got ${key === null ? 'null' : typeof key}`)
  }
  if (key.length > maxKeyLength)
    throw new UpstreamError('CALL_INPUT_INVALID', owner, {
      detail: `its idempotency key has more than ${maxKeyLength} characters`,
    })
  if (/[^ ]/.test(key) && /^[\x20-\x7e]*$/.test(key)) return key
  throw new UpstreamError('CALL_INPUT_INVALID', owner, {
    detail: 'its idempotency key is empty or contains characters that are not allowed in a header',
  })
}

function whole(input: Fields): Fields {
  return input
}

/**
 * Returns the function that picks the fields of one schema from an input that several schemas share. Without it, a
 * schema that refuses unknown fields would refuse the fields of the other schemas.
 */
function picker(schema: z.ZodType | undefined): (input: Fields) => Fields {
  if (!(schema instanceof z.ZodObject)) return whole
  const keys = Object.keys(schema.shape)
  return input => Object.fromEntries(keys.filter(key => Object.hasOwn(input, key)).map(key => [key, input[key]]))
}

function parse(schema: z.ZodType, input: unknown, owner: string, part?: string): unknown {
  const { success, data, error } = exactSchema(schema).safeParse(input)
  if (success) return data
  const [{ path, message }] = error.issues as [z.core.$ZodIssue]
  const field = [...(part === undefined ? [] : [part]), ...path].join('.')
  throw new UpstreamError('CALL_INPUT_INVALID', owner, {
    detail: `${field === '' ? 'input' : field}: ${message}`,
    cause: error,
  })
}
