import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../../errors.ts'

/** Returns the index of the key that an `authorization` header shows, or undefined. It identifies the client. */
export type FindKey = (authorization: string | undefined) => number | undefined

/**
 * Returns a function that finds the key of an `Authorization: Bearer` header. It compares the digest of every key, so
 * that its duration does not depend on the keys.
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

/** The index of the key of each request that has a valid key. */
export type KeysOfRequests = WeakMap<FastifyRequest, number>

/** Finds the key of each request. */
export function identifyClients(app: FastifyInstance, find: FindKey, keysOfRequests: KeysOfRequests): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const key = find(request.headers.authorization)
    if (key !== undefined) keysOfRequests.set(request, key)
    done()
  })
}

/** Refuses requests without a valid key, and removes the key from accepted requests, so that it is never forwarded. */
export function requireKey(app: FastifyInstance, keysOfRequests: KeysOfRequests): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { authorization } = request.headers
    delete request.headers.authorization
    if (keysOfRequests.has(request)) return done()
    reply.header('www-authenticate', authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"')
    done(new Problem('UNAUTHENTICATED'))
  })
}
