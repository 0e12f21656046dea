import type { z } from 'zod'
import { UpstreamError } from '../../errors.ts'
import { Call } from './call.ts'
import { ignoreRejection } from '../../core/promises.ts'
import { currentExplanation } from './explaining.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { parseInput, type Fields } from './parse-input.ts'
import { pathForms, queryForms, writerOf } from './target.ts'
import { bodyWriter, type BodyWriter } from './write-body/body-writer.ts'
import { closeStreamsIn } from './write-body/input-streams.ts'
import { headerWriter } from './write-headers.ts'

const nothing: Fields = Object.freeze({})

/** The maximum length of an idempotency key, in characters. */
const maxKeyLength = 255

/**
 * Returns the function that creates a call from the input of an operation. It throws `CALL_INPUT_INVALID` for input
 * that the schemas refuse. A call that is refused closes the streams in its input. Within an explanation, an input with
 * values that are not known is a call too.
 */
export function callFactory(spec: OperationSpec): (input?: Fields) => Call<unknown> {
  const { name, template, params, query, body, bodyType, headers, idempotencyKey } = spec

  if ([params, query, body, headers, idempotencyKey].every(part => part === undefined)) {
    const always = Object.freeze(new Call<unknown>(spec, template.path, undefined, undefined))
    return () => always
  }

  const isShared = [params, query, body, headers].filter(schema => schema !== undefined).length > 1
  const writePath = params && writerOf(pathForms(spec, params, isShared))
  const writeQuery = query && writerOf(queryForms(spec, query, isShared))
  const writeHeaders = headers && headerWriter(name, headers)
  const writeBody = body && bodyWriter(spec, body)

  const createWith =
    (write: BodyWriter | undefined) =>
    (input: Fields = nothing): Call<unknown> => {
      const path = writePath === undefined ? template.path : writePath(input)
      return new Call(
        spec,
        writeQuery === undefined ? path : path + writeQuery(input),
        write === undefined ? undefined : write(parseInput(body as z.ZodType, input['body'], name, 'body')),
        idempotencyKey === undefined ? undefined : keyOf(idempotencyKey(input as never), name),
        writeHeaders?.(input),
      )
    }

  if (writeBody === undefined || (bodyType !== 'bytes' && bodyType !== 'multipart')) {
    const create = createWith(writeBody)
    return input => {
      try {
        return create(input)
      } catch (error) {
        return explainedCall(spec, input, error)
      }
    }
  }
  return input => {
    const inputs: unknown[] = [input]
    const write: BodyWriter = value => {
      inputs.push(value)
      return writeBody(value)
    }
    try {
      return createWith(write)(input)
    } catch (error) {
      closeStreamsIn(inputs)
      return explainedCall(spec, input, error)
    }
  }
}

/** Returns the call of an explanation for a refused input. Outside an explanation it throws the error. */
function explainedCall(spec: OperationSpec, input: Fields | undefined, error: unknown): Call<unknown> {
  const explanation = currentExplanation.getStore()
  if (explanation === undefined) throw error
  return explanation.callOf(spec, input ?? nothing, error)
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
