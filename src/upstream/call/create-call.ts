import { UpstreamError } from '../../errors.ts'
import { Call } from './call.ts'
import { bodyFix } from '../../core/schema/check-written.ts'
import { droppedIn, hasUnknownOutput } from '../../core/schema/dropped.ts'
import { hasBigint } from '../../core/json/needs-exact.ts'
import { ignoreRejection } from '../../core/promises.ts'
import { writeJson } from '../../core/json/write.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { parseInput, type Fields } from './parse-input.ts'
import { pathForms, queryForms, writerOf } from './target.ts'
import { headerWriter } from './write-headers.ts'

const nothing: Fields = Object.freeze({})

/** The maximum length of an idempotency key, in characters. */
const maxKeyLength = 255

/**
 * Returns the function that creates a call from the input of an operation. It throws `CALL_INPUT_INVALID` for input
 * that the schemas refuse.
 */
export function callFactory(spec: OperationSpec): (input?: Fields) => Call<unknown> {
  const { name, template, params, query, body, headers, idempotencyKey } = spec

  if ([params, query, body, headers, idempotencyKey].every(part => part === undefined)) {
    const always = Object.freeze(new Call<unknown>(spec, template.path, undefined, undefined))
    return () => always
  }

  const isShared = [params, query, body, headers].filter(schema => schema !== undefined).length > 1
  const writePath = params && writerOf(pathForms(spec, params, isShared))
  const writeQuery = query && writerOf(queryForms(spec, query, isShared))
  const writeHeaders = headers && headerWriter(name, headers)
  const write = body !== undefined && hasUnknownOutput(body) ? writeWhole : writeKnown

  return (input = nothing) => {
    const path = writePath === undefined ? template.path : writePath(input)
    return new Call(
      spec,
      writeQuery === undefined ? path : path + writeQuery(input),
      body === undefined ? undefined : write(parseInput(body, input['body'], name, 'body'), hasBigint(body), name),
      idempotencyKey === undefined ? undefined : keyOf(idempotencyKey(input as never), name),
      writeHeaders?.(input),
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
