import { TextDecoder } from 'node:util'

const utf8 = new TextDecoder('utf-8', { fatal: true })
const utf16be = new TextDecoder('utf-16be', { fatal: true })
const utf16le = new TextDecoder('utf-16le', { fatal: true })

/** Returns the length of the UTF-8 byte order mark at the start of a body, in bytes; 0 without one. */
export function markLength(body: Buffer): number {
  return body.length > 2 && body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0
}

/**
 * Returns the decoder of a text. A byte order mark overrides the declared charset (RFC 7303, section 3.2; WHATWG
 * Encoding, section 6). The decoders leave the mark out.
 */
export function decoderOf(body: Buffer, declared: TextDecoder): TextDecoder {
  if (markLength(body) > 0) return utf8
  if (body[0] === 0xfe && body[1] === 0xff) return utf16be
  return body[0] === 0xff && body[1] === 0xfe ? utf16le : declared
}
