import { hash } from 'node:crypto'
import { contentOf, type RequestBody } from './write-body/request-body.ts'

/** Bodies that are longer than this are represented by their hash: in characters, or in bytes. */
const longestPlain = 256

/**
 * Returns the part of a key that represents the body of a call: the text itself, or the hash of a long text and of
 * bytes. Without the hash, a cache would keep a copy of each body, and no limit would count the copies of calls in
 * flight.
 */
export function bodyKey(body: RequestBody | undefined): string | readonly [hash: string] | undefined {
  const content = contentOf(body)
  if (content === undefined || (typeof content === 'string' && content.length <= longestPlain)) return content
  // A list is not equal to any text, so the hash of one body is never the text of another.
  return [hash('sha256', content, 'base64url')]
}
