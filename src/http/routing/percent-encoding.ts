/** A run of percent-encoded bytes. */
const encoded = /(?:%[0-9a-f]{2})+/gi

/**
 * The reserved characters. Their meaning differs between the encoded and the unencoded form (RFC 3986, section 2.2).
 */
const reserved = /[;/?:@&=+$,#]/g

/**
 * Added to the code of a reserved character that is encoded. The sum is a lone surrogate, which cannot occur in a URL.
 */
const mark = 0xd800

const marked = /\p{Surrogate}/gu

/**
 * Decodes percent-encoded characters, as `decodeURI` does: `; / ? : @ & = + $ , #` stay distinct from the same
 * characters unencoded. Each encoded one becomes one lone surrogate, so that no part of it can be read as text.
 *
 * @param text Valid percent-encoded UTF-8.
 */
export function decodeUnreserved(text: string): string {
  return text.includes('%')
    ? text.replaceAll(encoded, run => decodeURIComponent(run).replaceAll(reserved, marking))
    : text
}

/** Decodes the characters that `decodeUnreserved` has not decoded. */
export function decodeReserved(text: string): string {
  return text.replaceAll(marked, surrogate => String.fromCharCode(surrogate.charCodeAt(0) - mark))
}

function marking(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) + mark)
}
