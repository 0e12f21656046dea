import { mediaTypeFault } from '../../../core/media-type.ts'
import { kindOf } from '../../../core/option-values.ts'
import { ignoreRejection } from '../../../core/promises.ts'
import { urlText } from '../../../core/url-text.ts'
import { UpstreamError } from '../../../errors.ts'
import { isByteStream, isSize, type SizedStream } from './byte-source.ts'

/** One part of a multipart body. */
export interface Part {
  /** The name of its field, as it is written between quotes. */
  readonly name: string
  /** The name of its file, as it is written between quotes. */
  readonly filename: string | undefined
  /** Its media type; `undefined` for a text. */
  readonly type: string | undefined
  readonly content: Uint8Array | SizedStream
}

const fileFields = new Set(['bytes', 'stream', 'size', 'filename', 'type'])

/**
 * Reads a value as a part: a text, or a file `{ bytes, filename, type }` or `{ stream, size, filename, type }`.
 *
 * @throws `CALL_INPUT_INVALID` for a name or a media type that could be read as another header
 * @throws {TypeError} for a value that is neither a text nor a file
 */
export function readPart(field: string, value: unknown, owner: string): Part {
  const name = quoted(field)
  if (name === undefined) throw refusal(owner, `a field of its body has a name with ${refused}`)
  const text = urlText(value)
  if (text !== undefined) return { name, filename: undefined, type: undefined, content: Buffer.from(text) }

  const { content, filename, type } = fileOf(field, value, owner)
  const quotedFilename = filename === undefined ? undefined : quoted(filename)
  if (filename !== undefined && quotedFilename === undefined)
    throw refusal(owner, `the filename of its field '${field}' has ${refused}`)
  const fault = type === undefined ? undefined : mediaTypeFault(type)
  if (fault !== undefined)
    throw refusal(owner, `the type of its field '${field}' is not a media type, because ${fault}`)
  return {
    name,
    filename: quotedFilename,
    type: type ?? (filename === undefined ? undefined : 'application/octet-stream'),
    content,
  }
}

/** Writes the headers of a part, each with its line end. */
export function headOf({ name, filename, type }: Part): string {
  const file = filename === undefined ? '' : `; filename="${filename}"`
  const contentType = type === undefined ? '' : `Content-Type: ${type}\r\n`
  return `Content-Disposition: form-data; name="${name}"${file}\r\n${contentType}`
}

const refused = 'a control character or a backslash, which servers read in different ways'

/**
 * Writes a name between quotes as browsers do: a quote is `%22` (WHATWG HTML, multipart/form-data encoding algorithm).
 * Servers that read a quoted string as RFC 9110 does take a backslash as an escape, so the text beside a name could
 * become part of it.
 *
 * @returns `undefined` for a text with a control character or a backslash
 */
function quoted(text: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f || code === 0x5c) return undefined
  }
  return text.toWellFormed().replaceAll('"', '%22')
}

interface File {
  readonly content: Uint8Array | SizedStream
  readonly filename: string | undefined
  readonly type: string | undefined
}

function fileOf(field: string, value: unknown, owner: string): File {
  const { filename, type, ...rest } = Object(value) as Readonly<Record<string, unknown>>
  const unknown = Object.keys(rest).find(key => !fileFields.has(key))
  const content = unknown === undefined ? contentOf(rest) : undefined
  if (content !== undefined && isOptionalText(filename) && isOptionalText(type)) return { content, filename, type }
  ignoreRejection(value)
  const isObject = unknown !== undefined && typeof value === 'object'
  throw new TypeError(
    `${owner}, body: the field '${field}' must be a string, a number, a boolean, a date, or a file ` +
      '{ bytes, filename, type } or { stream, size, filename, type }, ' +
      `got ${isObject ? `an object with the field '${unknown}'` : kindOf(value)}: ` +
      `transform it in the operation's body schema`,
  )
}

/** Returns the content of a file; `undefined` if it has none, or both kinds. */
function contentOf({ bytes, stream, size }: Readonly<Record<string, unknown>>): File['content'] | undefined {
  if (bytes === undefined) return isByteStream(stream) && isSize(size) ? { stream, size } : undefined
  return bytes instanceof Uint8Array && stream === undefined && size === undefined ? bytes : undefined
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function refusal(owner: string, detail: string): UpstreamError {
  return new UpstreamError('CALL_INPUT_INVALID', owner, { detail })
}
