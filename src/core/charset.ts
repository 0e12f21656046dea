import { TextDecoder } from 'node:util'
import { decodeWindows1252 } from './windows-1252.ts'

/** Decodes the text of one charset; throws for bytes that are not in the charset. */
export interface CharsetDecoder {
  /** The name of the charset (WHATWG Encoding, section 4.2). */
  readonly encoding: string
  /** Decodes a text, or with `stream` a piece of it. A call without a piece ends the text. */
  decode(piece?: Buffer, options?: { readonly stream?: boolean }): string
}

/** Size of a piece of `decodeInSteps`, in bytes: the most costly charsets take about 5 ms. */
const pieceBytes = 256 * 1024

const windows1252: CharsetDecoder = {
  encoding: 'windows-1252',
  decode: piece => (piece === undefined ? '' : decodeWindows1252(piece)),
}

/**
 * Returns a decoder of a charset.
 *
 * @throws {RangeError} for a label that is not in the Encoding Standard
 */
export function createDecoder(label: string): CharsetDecoder {
  const decoder = new TextDecoder(label, { fatal: true })
  return decoder.encoding === windows1252.encoding ? windows1252 : decoder
}

const utf8 = createDecoder('utf-8')
const utf16be = createDecoder('utf-16be')
const utf16le = createDecoder('utf-16le')

/** Returns the length of the UTF-8 byte order mark at the start of a body, in bytes; 0 without one. */
export function markLength(body: Buffer): number {
  return body.length > 2 && body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0
}

/**
 * Returns the decoder of a text. A byte order mark overrides the declared charset (RFC 7303, section 3.2; WHATWG
 * Encoding, section 6). The decoders leave the mark out.
 */
export function decoderOf(body: Buffer, declared: CharsetDecoder): CharsetDecoder {
  if (markLength(body) > 0) return utf8
  if (body[0] === 0xfe && body[1] === 0xff) return utf16be
  return body[0] === 0xff && body[1] === 0xfe ? utf16le : declared
}

/**
 * Decodes a large text in steps.
 *
 * @throws {TypeError} for bytes that are not in the charset
 */
export function* decodeInSteps(encoding: string, body: Buffer): Generator<undefined, string, undefined> {
  // A decoder keeps the start of a character between two pieces, so other texts must not use it.
  const decoder = createDecoder(encoding)
  let text = ''
  for (let at = 0; at < body.length; at += pieceBytes) {
    text += decoder.decode(body.subarray(at, at + pieceBytes), { stream: true })
    yield
  }
  return text + decoder.decode()
}
