import { hash } from 'node:crypto'

/** Bodies that are longer than this are represented by their hash: in characters, or in bytes. */
const longestPlain = 256

/**
 * Returns the part of a key that represents the body of a call: the text itself, or the hash of a long text and of
 * bytes. Without the hash, a cache would keep a copy of each body, and no limit would count the copies of calls in
 * flight.
 */
export function bodyKey(body: string | Uint8Array | undefined): string | readonly [hash: string] | undefined {
  if (body === undefined || (typeof body === 'string' && body.length <= longestPlain)) return body
  // A list is not equal to any text, so the hash of one body is never the text of another.
  return [hash('sha256', body, 'base64url')]
}
