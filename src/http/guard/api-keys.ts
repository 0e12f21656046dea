import { createHash, timingSafeEqual } from 'node:crypto'

/** What tells one of our callers from another: the place of a key that was shown, or nothing. */
export type FindKey = (authorization: string | undefined) => number | undefined

/**
 * Which of the keys an `Authorization: Bearer` shows; every key is compared, by its digest, so that time tells nothing
 * of any.
 */
export function keyFinder(keys: readonly string[]): FindKey {
  const digests = keys.map(digest)
  return authorization => {
    const [, token] = /^bearer +([^\s]+) *$/i.exec(authorization ?? '') ?? []
    if (token === undefined) return undefined
    const shown = digest(token)
    let found: number | undefined
    for (const [index, each] of digests.entries()) if (timingSafeEqual(each, shown)) found = index
    return found
  }
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
