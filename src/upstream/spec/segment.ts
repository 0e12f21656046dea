import { pathFault } from './path-fault.ts'

/** The maximum length of a value, in characters. Node.js and most servers accept at most 16 KiB of request headers. */
export const longest = 16 * 1024

/** Values that need no encoding, in any place of a segment. */
const unreserved = /^[A-Za-z0-9_-][A-Za-z0-9\-._~]*$/

/**
 * Values that every server reads as part of one segment that is not only dots. A letter, a digit or a mark of any
 * script is read as letters, digits, marks and spaces (test/upstream/spec/segment.test.ts).
 */
const harmless = /^[A-Za-z0-9_\-\p{L}\p{Nd}][A-Za-z0-9\-._~!$&'()*+,=:@ \p{L}\p{M}\p{Nd}]*$/u

/** Encodes one segment. Returns `undefined` for a text that it refuses. */
type SegmentEncoder = (segment: string) => string | undefined

/** Reserved characters that `encodeURIComponent` does not encode (RFC 3986, section 2.2). */
const leftReserved = /[!'()*]/g

/**
 * Encodes a text as one segment of a path.
 *
 * @returns `undefined` for a text that is empty, too long, or has a `pathFault`
 */
export function encodeSegment(text: string): string | undefined {
  if (text.length > longest) return undefined
  if (unreserved.test(text)) return text
  if (harmless.test(text)) return encodeURIComponent(text)
  const wellFormed = text.toWellFormed()
  return text === '' || pathFault(wellFormed) !== undefined ? undefined : encodeURIComponent(wellFormed)
}

/**
 * Encodes a text as a part of a segment, beside literal text without a `%` or a backslash.
 *
 * @returns `undefined` for a text that may change the meaning of the text beside it
 */
export function encodePart(text: string): string | undefined {
  if (text.length > longest) return undefined
  if (unreserved.test(text)) return text
  return harmless.test(text) ? encodeReserved(encodeURIComponent(text)) : undefined
}

/**
 * Encodes a text as several segments of a path. Its slashes stay, and each segment is encoded by itself. A segment that
 * is encoded has no slash in any reading, so the slashes of the text are the only ones that a server finds.
 *
 * @param encode `encodeSegment`, or `encodePart` beside literal text
 * @returns `undefined` for a text that is too long or empty, or that has a segment that is empty or has no encoded form
 */
export function encodeSegments(text: string, encode: SegmentEncoder): string | undefined {
  if (text.length > longest) return undefined
  let path = ''
  for (const segment of text.split('/')) {
    const encoded = encode(segment)
    if (encoded === undefined) return undefined
    path += path === '' ? encoded : `/${encoded}`
  }
  return path
}

/** Encodes the reserved characters that are left in an encoded text (RFC 6570, section 3.2.2). */
export function encodeReserved(encoded: string): string {
  return encoded.replaceAll(leftReserved, percentEncoded)
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
