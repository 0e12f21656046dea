import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../../errors.ts'
import { clientAddress } from '../request/client-address.ts'
import type { KeysOfRequests } from './api-keys.ts'
import { createSharedStore, type CountRequest } from './shared-rate-store.ts'

/** Counts a request, and throws `RATE_LIMITED` if its client exceeds the limit. */
export type RateLimitHook = (request: FastifyRequest) => Promise<void>

export interface RateLimitOptions {
  /** Requests per minute of one client. */
  readonly max: number
  readonly maxClients: number
  /** A client with a key is identified by the key. A client without a key is identified by its address. */
  readonly keysOfRequests: KeysOfRequests
  readonly countRequest: CountRequest | undefined
}

/** Limits the requests per minute of each client. */
export async function addRateLimit(
  app: FastifyInstance,
  { max, maxClients, keysOfRequests, countRequest }: RateLimitOptions,
): Promise<RateLimitHook> {
  const { default: rateLimit, normalizeIP } = await import('@fastify/rate-limit')
  await app.register(rateLimit, {
    global: false,
    max,
    timeWindow: 60_000,
    cache: maxClients,
    ...(countRequest !== undefined && { store: createSharedStore(countRequest, failureLog(app)) }),
    // If requests cannot be counted, they are accepted.
    skipOnError: true,
    // A client remains the same client with an invalid key, from another port, and from another IPv6 address in its /64
    // network.
    keyGenerator: request =>
      keysOfRequests.has(request) ? `key ${keysOfRequests.get(request)}` : normalizeIP(clientAddress(request)),
  })
  const count = app.createRateLimit()
  const limit: RateLimitHook = async request => {
    const counted = await count(request)
    if (!counted.isAllowed && counted.isExceeded)
      throw new Problem('RATE_LIMITED', { retryAfterSeconds: Math.max(1, counted.ttlInSeconds) })
  }
  app.addHook('onRequest', limit)
  return limit
}

/** Logs failures of a counter, at most one per minute. */
function failureLog(app: FastifyInstance): (error: Error) => void {
  let nextAt = -Infinity
  return err => {
    if (performance.now() < nextAt) return
    nextAt = performance.now() + 60_000
    app.log.error({ err }, 'rate limit counter failed; requests are admitted without a limit')
  }
}
