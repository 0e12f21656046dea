import type { z } from 'zod'
import { kindOf } from '../../../core/option-values.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import { checkSize } from './body-size.ts'
import { isByteStream, isSize, type SizedStream } from './byte-source.ts'
import { writeForm } from './form-body.ts'
import { jsonWriter } from './json-body.ts'
import { writeMultipart } from './multipart-body.ts'
import type { RequestBody } from './request-body.ts'
import { writeStream } from './write-stream.ts'

/** Writes the output of a body schema. `undefined` means that the request has no body. */
export type BodyWriter = (value: unknown) => RequestBody | undefined

/**
 * Returns the function that writes the body of an operation in its format. It throws `CALL_INPUT_INVALID` for a body
 * above `maxRequestBytes`, and `TypeError` for a value that the format cannot represent.
 */
export function bodyWriter(spec: OperationSpec, body: z.ZodType): BodyWriter {
  const { name, bodyType } = spec
  if (bodyType === 'multipart') return value => (value === undefined ? undefined : writeMultipart(value, spec))
  if (bodyType === 'bytes') {
    return value => {
      const sized = sizedStream(value)
      if (sized !== undefined) return writeStream(spec, [sized])
      if (value !== undefined) checkSize(writeBytes(value, name), spec)
      return value as Uint8Array | undefined
    }
  }
  const write = bodyType === 'json' ? jsonWriter(body, name) : formats[bodyType]
  return value => {
    const written = value === undefined ? undefined : write(value, name)
    if (written !== undefined) checkSize(written, spec)
    return written
  }
}

const formats = { form: writeForm, text: writeText }

function writeText(value: unknown, owner: string): string {
  if (typeof value === 'string') return value
  throw new TypeError(
    `${owner}, body: a text is written from a string, got ${kindOf(value)}: convert it with .transform(…)`,
  )
}

/** Returns the stream of a value: a stream, or `{ stream, size }`. */
function sizedStream(value: unknown): SizedStream | undefined {
  if (isByteStream(value)) return { stream: value, size: undefined }
  const { stream, size } = Object(value) as Readonly<Record<string, unknown>>
  return isByteStream(stream) && isSize(size) ? { stream, size } : undefined
}

function writeBytes(value: unknown, owner: string): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new TypeError(
    `${owner}, body: bytes are written from a Uint8Array, a stream of them or { stream, size }, ` +
      `got ${kindOf(value)}: convert it with .transform(…)`,
  )
}
