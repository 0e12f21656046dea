/** A run of percent-encoded bytes. */
const encoded = /(?:%[0-9a-f]{2})+/gi

/** A percent sign and the reserved characters that `decodeURI` keeps encoded. */
const kept = /[%;/?:@&=+$,#]/g

/**
 * Decodes percent-encoded characters except `%` and the reserved ones `; / ? : @ & = + $ , #`, which stay encoded with
 * upper-case digits. Two texts for which a URI parser sees the same path have the same result (RFC 3986, section
 * 6.2.2).
 *
 * @param text Valid percent-encoded UTF-8.
 */
export function decodeUnreserved(text: string): string {
  return text.includes('%')
    ? text.replaceAll(encoded, run => decodeURIComponent(run).replaceAll(kept, encodeURIComponent))
    : text
}
