import { UpstreamError } from '../../errors.ts'
import type { ResponseHeaders } from '../spec/answer.ts'
import { isDecodable } from './decode.ts'
import { readRetryAfter } from '../call/retry-after.ts'
import type { OperationSpec } from '../spec/spec.ts'

export type { ResponseHeaders } from '../spec/answer.ts'

/** What to do with an answer, known before its body: read it, take it as "there is none", or fail. */
export type ResponseClass = 'read' | 'absent' | UpstreamError

/** The content coding of an answer, lower case; none for `identity`, which is none. */
export function codingOf(head: ResponseHeaders): string | undefined {
  const coding = head['content-encoding']
  if (coding === undefined) return undefined
  const name = String(coding).toLowerCase()
  return name === 'identity' ? undefined : name
}

/**
 * Judges status, framing, size and content type of an answer before a byte of its body is read.
 *
 * @param isCallersLimit - Whether a 429 is a limit of the caller, and not of all calls to the upstream.
 */
export function classifyResponse(
  spec: OperationSpec,
  status: number,
  head: ResponseHeaders,
  isCallersLimit = false,
): ResponseClass {
  const upstream = spec.upstream.name
  const transfer = head['transfer-encoding']
  // Such a body has no end that is known to be right, whatever the status says.
  if (transfer !== undefined && !isChunked(transfer)) {
    return new UpstreamError('UPSTREAM_PROTOCOL', upstream, {
      upstreamStatus: status,
      detail: 'its transfer coding is not chunked',
      verdict: 'failed',
    })
  }
  if (status < 200 || status > 299 || status === 205 || status === 206)
    return classifyStatus(spec, status, head, isCallersLimit)

  const length = head['content-length']
  if (length !== undefined && Number(length) > spec.upstream.maxResponseBytes && spec.method !== 'HEAD') {
    return new UpstreamError('UPSTREAM_TOO_LARGE', upstream, {
      upstreamStatus: status,
      detail: `the limit is ${spec.upstream.maxResponseBytes} bytes`,
    })
  }
  const coding = codingOf(head)
  if (coding !== undefined && !isDecodable(coding)) {
    return new UpstreamError('UPSTREAM_ENCODING', upstream, {
      upstreamStatus: status,
      detail: 'its content coding is unknown',
    })
  }
  const mayBeEmpty = spec.allowEmpty && (status === 204 || spec.method === 'HEAD' || head['content-type'] === undefined)
  if (!mayBeEmpty && !accepts(spec.accept, head['content-type'], spec.responseType !== 'bytes')) {
    return new UpstreamError('UPSTREAM_CONTENT_TYPE', upstream, {
      upstreamStatus: status,
      detail: `accepted are ${spec.accept.join(', ')}`,
    })
  }
  return 'read'
}

/**
 * Returns whether the end of an answer's body is the end of its connection (RFC 9112, section 6.3), so that a cut body
 * looks complete.
 */
export function isCloseDelimited(method: string, status: number, head: ResponseHeaders): boolean {
  const transfer = head['transfer-encoding']
  if (transfer === undefined ? head['content-length'] !== undefined : isChunked(transfer)) return false
  return method !== 'HEAD' && status !== 204 && status !== 304
}

function isChunked(transfer: string | string[]): boolean {
  return /^chunked$/i.test(String(transfer))
}

function classifyStatus(
  spec: OperationSpec,
  status: number,
  head: ResponseHeaders,
  isCallersLimit: boolean,
): ResponseClass {
  if (spec.nullOn.includes(status)) return 'absent'
  const upstream = spec.upstream.name
  if (status < 200 || status > 599)
    return new UpstreamError('UPSTREAM_PROTOCOL', upstream, {
      upstreamStatus: status,
      detail: `${status} is no HTTP status`,
    })
  const retryAfter = head['retry-after']
  return new UpstreamError(status === 429 || status === 503 ? 'UPSTREAM_BUSY' : 'UPSTREAM_STATUS', upstream, {
    upstreamStatus: status,
    detail: `status ${status}`,
    retryAfterMs: readRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined, Date.now()),
    // Retries of one caller would spend the budget that all callers share.
    ...(isCallersLimit && { verdict: 'ignored', retryable: false }),
  })
}

/** Longer content types are read each time, in characters. */
const longType = 200

const accepted = new WeakMap<readonly string[], Map<string, boolean>>()

/** Whether a content type is one of those accepted; remembered, since an upstream sends few different ones. */
function accepts(ranges: readonly string[], header: string | string[] | undefined, isText: boolean): boolean {
  if (typeof header !== 'string') return header === undefined && ranges.includes('*/*')
  let known = accepted.get(ranges)
  if (known === undefined) accepted.set(ranges, (known = new Map()))
  let verdict = known.get(header)
  if (verdict === undefined) {
    verdict = matches(ranges, header, isText)
    // An upstream that invents types must not fill the memory.
    if (known.size >= 64) known.clear()
    if (header.length <= longType) known.set(header, verdict)
  }
  return verdict
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
