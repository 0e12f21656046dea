import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../../errors.ts'
import { clientAddress } from '../request/client-address.ts'
import type { KeysOfRequests } from './api-keys.ts'
import { createCounter, createSharedStore, type CountCalls, type CountRequest } from './shared-rate-store.ts'

/** Counts requests towards the limit of their client. Each method rejects with `RATE_LIMITED` above the limit. */
export interface RateLimit {
  /** Counts a request. */
  readonly countRequest: (request: FastifyRequest) => Promise<void>
  /**
   * Counts the calls of a batch, in one step. The request of the batch is already counted as one of them.
   *
   * @param calls The number of all calls of the batch.
   */
  readonly countCalls: (request: FastifyRequest, calls: number) => Promise<void>
}

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
): Promise<RateLimit> {
  const { default: rateLimit, normalizeIP } = await import('@fastify/rate-limit')
  // A client remains the same client with an invalid key, from another port, and from another IPv6 address in its /64
  // network.
  const clientOf = (request: FastifyRequest) =>
    keysOfRequests.has(request) ? `key ${keysOfRequests.get(request)}` : normalizeIP(clientAddress(request))
  const shared = countRequest && createCounter(countRequest, failureLog(app))
  await app.register(rateLimit, {
    global: false,
    max,
    timeWindow: 60_000,
    cache: maxClients,
    ...(shared !== undefined && { store: createSharedStore(shared) }),
    // If requests cannot be counted, they are accepted.
    skipOnError: true,
    keyGenerator: clientOf,
  })
  const count = app.createRateLimit()
  const limit: RateLimit = {
    async countRequest(request) {
      const counted = await count(request)
      if (!counted.isAllowed && counted.isExceeded) throw exceeded(counted.ttl)
    },
    async countCalls(request, calls) {
      const more = calls - 1
      if (more < 1) return
      // The store of the plugin counts one request at a time.
      const counted =
        shared === undefined
          ? (await Promise.all(Array.from({ length: more }, () => count(request)))).at(-1)
          : await countTogether(shared, clientOf(request), more, max)
      if (counted !== undefined && !counted.isAllowed && counted.isExceeded) throw exceeded(counted.ttl, calls, max)
    },
  }
  app.addHook('onRequest', limit.countRequest)
  return limit
}

interface Counted {
  readonly isAllowed: false
  readonly isExceeded: boolean
  readonly ttl: number
}

/** Counts several calls in one step. Resolves to undefined if they cannot be counted. */
function countTogether(count: CountCalls, client: string, calls: number, max: number): Promise<Counted | undefined> {
  return new Promise(resolve => {
    count(client, calls, (_error, counted) => {
      resolve(counted && { isAllowed: false, isExceeded: counted.current > max, ttl: counted.ttl })
    })
  })
}

/** Returns the refusal of a request. A batch with more calls than the limit never succeeds, so its detail says so. */
function exceeded(ttl: number, calls = 1, max = calls): Problem {
  return new Problem('RATE_LIMITED', {
    retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)),
    ...(calls > max && {
      detail:
        `Each call of a batch counts as a request: the batch has ${calls} calls, and the limit is ${max} per ` +
        'minute. Send fewer calls.',
    }),
  })
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
