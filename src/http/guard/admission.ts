import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../../errors.ts'
import { clientAddress } from '../request/client-address.ts'
import { keyFinder } from './api-keys.ts'
import { createSharedStore, type CountRequest } from './shared-rate-store.ts'
import type { PressureGauge } from './pressure.ts'
import { addVary } from '../reply/vary.ts'

/** Counts a request, and throws `RATE_LIMITED` where its client has asked too often. */
export type RateLimitHook = (request: FastifyRequest) => Promise<void>

export interface AdmissionOptions {
  readonly gauge: PressureGauge
  /** Requests a minute of one client; 0 is no limit. */
  readonly rateLimit: number
  /** Keys of which a caller must show one; nobody must where there are none. */
  readonly keys: readonly string[]
  /**
   * Clients whose requests are counted at once; of more, those that asked longest ago are forgotten.
   * @default 50_000
   */
  readonly maxClients?: number
  /** Counts a client's requests where several processes share the limit. @default this process counts by itself */
  readonly countRequest?: CountRequest | undefined
}

/**
 * Refuses, before a body is read, what is more than the app can do, more than a client may ask, or asked without a key.
 * The cheapest refusal comes first. A key is taken out of the request, so that nothing hands it on.
 *
 * @returns A hook that counts requests of other routes with the same limit.
 */
export async function admitRequests(
  app: FastifyInstance,
  { gauge, rateLimit: max, keys, maxClients: clientsCounted = 50_000, countRequest }: AdmissionOptions,
): Promise<RateLimitHook | undefined> {
  const find = keys.length > 0 ? keyFinder(keys) : undefined
  // A cache must not give the reply for one key to a caller with another. It is added first, so that replies that a
  // hook ends have it too.
  if (find !== undefined)
    app.addHook('onRequest', (_request, reply, done) => {
      addVary(reply, 'authorization')
      done()
    })
  app.addHook('onRequest', (_request, _reply, done) => {
    if (gauge.level !== 'overloaded') return done()
    done(new Problem('OVERLOADED'))
  })
  const clients = new WeakMap<FastifyRequest, number>()
  if (find !== undefined)
    app.addHook('onRequest', (request, _reply, done) => {
      const key = find(request.headers.authorization)
      if (key !== undefined) clients.set(request, key)
      done()
    })
  let limit: RateLimitHook | undefined
  if (max > 0) {
    const { default: rateLimit, normalizeIP } = await import('@fastify/rate-limit')
    await app.register(rateLimit, {
      global: false,
      max,
      timeWindow: 60_000,
      cache: clientsCounted,
      ...(countRequest !== undefined && { store: createSharedStore(countRequest, failureLog(app)) }),
      // A limit that cannot be counted must not refuse everybody.
      skipOnError: true,
      // Neither an invalid key nor another port counts as another client, nor does another IPv6 address of the same /64
      // network.
      keyGenerator: request =>
        clients.has(request) ? `key ${clients.get(request)}` : normalizeIP(clientAddress(request)),
    })
    const count = app.createRateLimit()
    limit = async request => {
      const counted = await count(request)
      if (!counted.isAllowed && counted.isExceeded)
        throw new Problem('RATE_LIMITED', { retryAfterSeconds: Math.max(1, counted.ttlInSeconds) })
    }
    app.addHook('onRequest', limit)
  }
  if (find !== undefined)
    app.addHook('onRequest', (request, reply, done) => {
      const { authorization } = request.headers
      delete request.headers.authorization
      if (clients.has(request)) return done()
      reply.header('www-authenticate', authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"')
      done(new Problem('UNAUTHENTICATED'))
    })
  return limit
}

/** Logs failures of a counter, at most one per minute. */
function failureLog(app: FastifyInstance): (error: Error) => void {
  let nextAt = -Infinity
  return err => {
    if (performance.now() < nextAt) return
    nextAt = performance.now() + 60_000
    app.log.error({ err }, 'counting requests failed; they are let through')
  }
}
