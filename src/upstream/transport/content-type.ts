import { createDecoder, type CharsetDecoder } from '../../core/charset.ts'
import { isJsonType, readMediaType } from '../../core/media-type.ts'
import { UpstreamError } from '../../errors.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { receivedCharset, receivedType } from './received-type.ts'

/** The result of reading a response's `Content-Type` for its operation. */
export interface ContentType {
  /** True if it is a single type that the operation accepts. */
  readonly isAccepted: boolean
  /** Decodes the text of the body; `undefined` for UTF-8. */
  readonly decoder: CharsetDecoder | undefined
  /** The charset if it cannot be decoded; otherwise `undefined`. */
  readonly unknownCharset: string | undefined
}

const accepted: ContentType = { isAccepted: true, decoder: undefined, unknownCharset: undefined }
const refused: ContentType = { isAccepted: false, decoder: undefined, unknownCharset: undefined }

/**
 * The charsets that are read as UTF-8. ASCII is a subset of UTF-8; the Encoding Standard would read it as windows-1252.
 */
const utf8Charsets = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii'])

/** The maximum length of a remembered header, in characters. */
const longHeader = 200

/** The limit on remembered headers per operation. */
const maxKnown = 64

const types = new WeakMap<OperationSpec, Map<string, ContentType>>()

/**
 * Reads the `Content-Type` of a response. The result is remembered per operation, because an upstream sends few
 * different types.
 */
export function contentTypeOf(spec: OperationSpec, header: string | readonly string[] | undefined): ContentType {
  if (header === undefined) return spec.accept.includes('*/*') ? accepted : refused
  let known = types.get(spec)
  if (known === undefined) types.set(spec, (known = new Map()))
  const text = typeof header === 'string' ? header : header.join(',')
  let type = known.get(text)
  if (type === undefined) {
    type = read(spec, text)
    // An upstream that always sends new types must not fill the memory.
    if (known.size >= maxKnown) known.clear()
    if (text.length <= longHeader) known.set(text, type)
  }
  return type
}

/**
 * Returns the error of a response whose `Content-Type` the operation does not accept, or whose charset cannot be
 * decoded; otherwise `undefined`. The cause contains the type and the charset of the upstream. It is for the log only.
 */
export function contentTypeFault(
  spec: OperationSpec,
  upstreamStatus: number,
  header: string | string[] | undefined,
): UpstreamError | undefined {
  const { isAccepted, unknownCharset } = contentTypeOf(spec, header)
  if (!isAccepted)
    return new UpstreamError('UPSTREAM_CONTENT_TYPE', spec.upstream.name, {
      upstreamStatus,
      detail: `accepted are ${spec.accept.join(', ')}`,
      cause: receivedType(header),
    })
  if (unknownCharset === undefined) return undefined
  return new UpstreamError('UPSTREAM_ENCODING', spec.upstream.name, {
    upstreamStatus,
    detail: 'its charset cannot be decoded',
    cause: receivedCharset(unknownCharset),
  })
}

function read({ accept, responseType }: OperationSpec, header: string): ContentType {
  const media = readMediaType(header)
  if (media === undefined || !accept.some(range => matches(range, media.type))) return refused
  // A charset has no effect on JSON, which is UTF-8 (RFC 8259, sections 8.1 and 11), nor on bytes.
  if (responseType !== 'text' || media.charset === undefined || isJsonType(media.type)) return accepted
  if (utf8Charsets.has(media.charset)) return accepted
  try {
    const decoder = createDecoder(media.charset)
    return decoder.encoding === 'utf-8' ? accepted : { isAccepted: true, decoder, unknownCharset: undefined }
  } catch {
    return { isAccepted: true, decoder: undefined, unknownCharset: media.charset }
  }
}

function matches(range: string, type: string): boolean {
  const [before = '', after] = range.toLowerCase().split('*', 2)
  if (range === '*/*') return true
  return after === undefined ? type === before : type.startsWith(before) && type.endsWith(after)
}
