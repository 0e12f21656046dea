import { UpstreamError } from '../../errors.ts'
import type { ResponseHeaders } from '../spec/answer.ts'
import { isDecodable } from './decode.ts'
import { readRetryAfter } from '../call/retry-after.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { receivedType } from './received-type.ts'

export type { ResponseHeaders } from '../spec/answer.ts'

/** The class of a response by its headers: read the body, settle with the value `null`, or fail. */
export type ResponseClass = 'read' | 'absent' | UpstreamError

/** Returns the content coding of a response in lower case; undefined without one and for `identity`. */
export function codingOf(headers: ResponseHeaders): string | undefined {
  const coding = headers['content-encoding']
  if (coding === undefined) return undefined
  const name = String(coding).toLowerCase()
  return name === 'identity' ? undefined : name
}

/**
 * Classifies a response by its status, framing, size and content type, before any byte of its body is read.
 *
 * @param isCallersLimit whether a 429 limits this caller, and not all calls to the upstream
 */
export function classifyResponse(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  isCallersLimit = false,
): ResponseClass {
  const upstream = spec.upstream.name
  const transfer = headers['transfer-encoding']
  // The end of such a body cannot be verified, for any status.
  if (transfer !== undefined && !isChunked(transfer)) {
    return new UpstreamError('UPSTREAM_PROTOCOL', upstream, {
      upstreamStatus: status,
      detail: 'its transfer coding is not chunked',
      verdict: 'failed',
    })
  }
  if (status < 200 || status > 299 || status === 205 || status === 206)
    return classifyStatus(spec, status, headers, isCallersLimit)

  const length = headers['content-length']
  if (length !== undefined && Number(length) > spec.upstream.maxResponseBytes && spec.method !== 'HEAD') {
    return new UpstreamError('UPSTREAM_TOO_LARGE', upstream, {
      upstreamStatus: status,
      detail: `the limit is ${spec.upstream.maxResponseBytes} bytes`,
    })
  }
  const coding = codingOf(headers)
  if (coding !== undefined && !isDecodable(coding)) {
    return new UpstreamError('UPSTREAM_ENCODING', upstream, {
      upstreamStatus: status,
      detail: 'its content coding is unknown',
    })
  }
  const mayBeEmpty =
    spec.allowEmpty && (status === 204 || spec.method === 'HEAD' || headers['content-type'] === undefined)
  if (!mayBeEmpty && !accepts(spec.accept, headers['content-type'], spec.responseType !== 'bytes')) {
    return new UpstreamError('UPSTREAM_CONTENT_TYPE', upstream, {
      upstreamStatus: status,
      detail: `accepted are ${spec.accept.join(', ')}`,
      // A caller gets the message and not the cause, which has the upstream's words.
      cause: receivedType(headers['content-type']),
    })
  }
  return 'read'
}

/**
 * Returns whether the close of the connection ends the body (RFC 9112, section 6.3). A truncated body looks complete
 * then.
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
  const upstream = spec.upstream.name
  if (status < 200 || status > 599)
    return new UpstreamError('UPSTREAM_PROTOCOL', upstream, {
      upstreamStatus: status,
      detail: `${status} is no HTTP status`,
    })
  const retryAfter = headers['retry-after']
  return new UpstreamError(status === 429 || status === 503 ? 'UPSTREAM_BUSY' : 'UPSTREAM_STATUS', upstream, {
    upstreamStatus: status,
    detail: `status ${status}`,
    retryAfterMs: readRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined, Date.now()),
    // Retries of one caller would spend the retry budget of all callers.
    ...(isCallersLimit && { verdict: 'ignored', retryable: false }),
  })
}

/** Content types longer than this are not remembered, in characters. */
const longType = 200

const accepted = new WeakMap<readonly string[], Map<string, boolean>>()

/** Returns whether a content type is accepted. The result is remembered: an upstream sends few different types. */
function accepts(ranges: readonly string[], header: string | string[] | undefined, isText: boolean): boolean {
  if (typeof header !== 'string') return header === undefined && ranges.includes('*/*')
  let known = accepted.get(ranges)
  if (known === undefined) accepted.set(ranges, (known = new Map()))
  let isAccepted = known.get(header)
  if (isAccepted === undefined) {
    isAccepted = matches(ranges, header, isText)
    // An upstream that sends ever new types must not fill the memory.
    if (known.size >= 64) known.clear()
    if (header.length <= longType) known.set(header, isAccepted)
  }
  return isAccepted
}

function matches(ranges: readonly string[], header: string, isText: boolean): boolean {
  const [type = '', ...parameters] = header
    .toLowerCase()
    .split(';')
    .map(part => part.trim())
  const charset = parameters
    .find(parameter => parameter.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '')
  if (isText && charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset)) return false
  return ranges.some(range => {
    const [before = '', after] = range.toLowerCase().split('*', 2)
    if (range === '*/*') return true
    return after === undefined ? type === before : type.startsWith(before) && type.endsWith(after)
  })
}
