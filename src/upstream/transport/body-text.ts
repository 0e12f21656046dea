import { isUtf8 } from 'node:buffer'
import { decoderOf, markLength } from '../../core/charset.ts'
import { UpstreamError } from '../../errors.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { contentTypeOf } from './content-type.ts'
import type { ResponseHeaders } from './response-headers.ts'

/** Decodes a text by the charset of its `Content-Type`, which is UTF-8 by default. */
export function decodeText(spec: OperationSpec, status: number, headers: ResponseHeaders, body: Buffer): string {
  const { decoder: declared } = contentTypeOf(spec, headers['content-type'])
  if (declared === undefined) return decodeUtf8(spec, status, body)
  const decoder = decoderOf(body, declared)
  try {
    return decoder.decode(body)
  } catch {
    throw notEncoded(spec, status, decoder.encoding)
  }
}

export function decodeUtf8(spec: OperationSpec, status: number, body: Buffer): string {
  if (!isUtf8(body)) throw notEncoded(spec, status, 'UTF-8')
  return body.toString('utf8', markLength(body))
}

export function notEncoded(spec: OperationSpec, upstreamStatus: number, encoding: string): UpstreamError {
  return new UpstreamError('UPSTREAM_ENCODING', spec.upstream.name, { upstreamStatus, detail: `it is not ${encoding}` })
}
