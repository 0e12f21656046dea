import { contentCodings } from '../../core/content-coding.ts'
import { UpstreamError } from '../../errors.ts'
import type { ResponseHeaders } from '../spec/answer.ts'
import { contentTypeFault, contentTypeOf } from './content-type.ts'
import { isDecodable } from './decode.ts'
import { readRetryAfter } from '../call/retry-after.ts'
import { statusError } from '../call/status-error.ts'
import type { OperationSpec } from '../spec/spec.ts'

export type { ResponseHeaders } from '../spec/answer.ts'

/** The class of a response by its headers: read the body, settle without one, or fail. */
export type ResponseClass = 'read' | 'absent' | UpstreamError

/**
 * The maximum length of a body that may be white space only, in bytes. A longer body is refused for its type at once.
 */
const maxBlankBytes = 16 * 1024

/** Returns the content codings of a response in lower case; `undefined` without one. */
export function codingOf(headers: ResponseHeaders): string | undefined {
  return contentCodings(headers['content-encoding'])
}

/**
 * Classifies a response by its status, framing, size and content type, before any byte of its body is read.
 *
 * @param isCallersLimit True if a 429 limits this caller only, and not all calls to the upstream.
 */
export function classifyResponse(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  isCallersLimit = false,
): ResponseClass {
  const upstream = spec.upstream.name
  const transfer = headers['transfer-encoding']
  // The end of a body with another transfer coding cannot be verified, for any status.
  if (transfer !== undefined && !isChunked(transfer)) {
    return new UpstreamError('UPSTREAM_PROTOCOL', upstream, {
      upstreamStatus: status,
      detail: 'its transfer coding is not chunked',
      verdict: 'failed',
    })
  }
  if (!isRead(spec, status)) return classifyStatus(spec, status, headers, isCallersLimit)
  return classifyBody(spec, status, headers)
}

/** Returns whether a status has an answer whose body is read. */
function isRead({ responses }: OperationSpec, status: number): boolean {
  if (responses === undefined) return status >= 200 && status <= 299 && status !== 205 && status !== 206
  return status !== 205 && responses.get(status)?.isFailure === false
}

/**
 * Returns whether the body of a failed response is read: its operation lists the status in `responses`, and accepts the
 * headers.
 */
export function readsFailure(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  { code }: UpstreamError,
): boolean {
  if (code === 'UPSTREAM_PROTOCOL' || spec.responses?.get(status)?.isFailure !== true) return false
  // The body of another type is not awaited, because it would fail after all, and later.
  const hasNoBody = spec.method === 'HEAD' || Number(headers['content-length'] ?? 1) === 0
  if (!hasNoBody && !contentTypeOf(spec, headers['content-type']).isAccepted) return false
  return classifyBody(spec, status, headers) === 'read'
}

/** Classifies a response with a status that is read, by its size, its coding and its type. */
function classifyBody(spec: OperationSpec, status: number, headers: ResponseHeaders): ResponseClass {
  const upstream = spec.upstream.name
  const length = headers['content-length']
  if (
    length !== undefined &&
    Number(length) > spec.upstream.maxResponseBytes &&
    spec.method !== 'HEAD' &&
    status !== 204
  ) {
    return new UpstreamError('UPSTREAM_TOO_LARGE', upstream, {
      upstreamStatus: status,
      detail: `the limit is ${spec.upstream.maxResponseBytes} bytes`,
    })
  }
  const coding = codingOf(headers)
  const type = contentTypeOf(spec, headers['content-type'])
  if (type.isAccepted && type.unknownCharset === undefined && (coding === undefined || isDecodable(coding)))
    return 'read'
  return classifyUnreadable(spec, status, headers, coding)
}

/** Classifies a response that cannot be read, unless it is empty. */
function classifyUnreadable(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  coding: string | undefined,
): ResponseClass {
  const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
  const isEmpty = spec.method === 'HEAD' || status === 204 || length === 0
  const mayBeEmpty = isEmpty || (spec.allowEmpty && length === undefined)
  // Without a body there is nothing to decode.
  if (coding !== undefined && !isDecodable(coding) && !mayBeEmpty) return unknownCoding(spec, status)
  // The result is known at the end of the body: a compressed body may be empty when it is decoded.
  if (spec.allowEmpty && (length === undefined || isEmpty || coding !== undefined || mayBeBlank(spec, length)))
    return 'read'
  return contentTypeFault(spec, status, headers['content-type']) ?? 'read'
}

/** Returns whether the body may be only white space, which counts as empty for JSON. */
function mayBeBlank({ responseType }: OperationSpec, length: number): boolean {
  return responseType === 'json' && length <= maxBlankBytes
}

/** Returns the error of a response whose content coding cannot be decoded. */
export function unknownCoding(spec: OperationSpec, upstreamStatus: number): UpstreamError {
  return new UpstreamError('UPSTREAM_ENCODING', spec.upstream.name, {
    upstreamStatus,
    detail: 'its content coding is unknown',
  })
}

/**
 * Returns whether the close of the connection ends the body (RFC 9112, section 6.3). If so, a truncated body looks
 * complete.
 */
export function isCloseDelimited(method: string, status: number, headers: ResponseHeaders): boolean {
  const transfer = headers['transfer-encoding']
  if (transfer === undefined ? headers['content-length'] !== undefined : isChunked(transfer)) return false
  return method !== 'HEAD' && status !== 204 && status !== 304
}

function isChunked(transfer: string | string[]): boolean {
  return /^chunked$/i.test(String(transfer))
}

function classifyStatus(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  isCallersLimit: boolean,
): ResponseClass {
  if (spec.nullOn.includes(status)) return 'absent'
  // A 205 has no body (RFC 9110, section 15.3.6). Bytes that arrive after its headers are not read.
  if (status === 205 && spec.allowEmpty && spec.responses?.has(205) !== false) return 'absent'
  const upstream = spec.upstream.name
  if (status < 200 || status > 599)
    return new UpstreamError('UPSTREAM_PROTOCOL', upstream, {
      upstreamStatus: status,
      detail: `status ${status} is not from 200 to 599`,
    })
  return statusError(upstream, status, {
    retryAfterMs: readRetryAfter(onlyValue(headers['retry-after']), Date.now()),
    // Retries for one caller would use the retry budget of all callers.
    ...(isCallersLimit && { verdict: 'ignored', retryable: false }),
  })
}

/** Returns the value of a header; `undefined` if it has several different values. */
function onlyValue(header: string | string[] | undefined): string | undefined {
  if (!Array.isArray(header)) return header
  const [first, ...others] = header
  return others.every(value => value === first) ? first : undefined
}
