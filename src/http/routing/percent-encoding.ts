/** A run of percent-encoded bytes. */
const encoded = /(?:%[0-9a-f]{2})+/gi

/** The reserved characters, which mean something else encoded than unencoded (RFC 3986, section 2.2). */
const reserved = /[;/?:@&=+$,#]/g

/** Added to the code of a reserved character that is encoded. The sum is a lone surrogate, which no URL can hold. */
const mark = 0xd800

const marked = /\p{Surrogate}/gu

/**
 * Decodes percent-encoded characters, as `decodeURI` does: `; / ? : @ & = + $ , #` stay distinct from those that are
 * not encoded. Each of them becomes one lone surrogate, so that no part of it can be taken for text.
 *
 * @param text Valid percent-encoded UTF-8.
 */
export function decodeUnreserved(text: string): string {
  return text.includes('%')
    ? text.replaceAll(encoded, run => decodeURIComponent(run).replaceAll(reserved, marking))
    : text
}

/** Decodes what `decodeUnreserved` has left. */
export function decodeReserved(text: string): string {
  return text.replaceAll(marked, surrogate => String.fromCharCode(surrogate.charCodeAt(0) - mark))
}

function marking(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) + mark)
}
