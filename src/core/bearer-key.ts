/** The smallest length of a key, in characters. */
const shortest = 16

/**
 * Returns why a text cannot be a key that a caller sends as `authorization: Bearer <key>` (RFC 6750, section 2.1), or
 * `undefined` if it can. The reason does not show the key.
 */
export function keyFault(key: string): string | undefined {
  if (key.length < shortest) return `has fewer than ${shortest} characters: use ${shortest} or more`
  if (!/^[\w.~+/-]+=*$/.test(key))
    return 'has a character that a bearer token cannot contain: use letters, digits and - . _ ~ + /'
  return undefined
}
