import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../../errors.ts'
import type { BoundedResponse } from '../connection/bounded-response.ts'
import { addVary } from '../reply/vary.ts'
import { identifyClients, keyFinder, requireKey, type KeysOfRequests } from './api-keys.ts'
import type { PathIndex } from './path-index.ts'
import type { PressureGauge } from './pressure.ts'
import { addRateLimit, type RateLimit } from './rate-limit.ts'
import type { CountRequest } from './shared-rate-store.ts'

export interface RequestGuardOptions {
  readonly gauge: PressureGauge
  readonly paths: PathIndex
  /** Requests per minute of one client; 0 means no limit. */
  readonly rateLimit: number
  /** API keys. A caller must send one of them. If the list is empty, no key is required. */
  readonly keys: readonly string[]
  /**
   * The largest number of clients whose requests are counted. Above it the least recent client is dropped. @default
   * 50_000
   */
  readonly maxClients?: number
  /** Counts a client's requests if several processes share the limit. @default a counter in this process */
  readonly countRequest?: CountRequest | undefined
}

/** The guard of an app. */
export interface RequestGuard {
  /** Also counts requests of other routes and the calls of batches. Undefined without a limit. */
  readonly limit: RateLimit | undefined
  /** Returns the API key of an accepted request. Undefined if the app requires none. */
  readonly keyOf: (request: FastifyRequest) => string | undefined
}

/**
 * Refuses requests before their body is read, with the cheapest check first: overload (503), rate limit (429), missing
 * key (401).
 *
 * @returns What later parts of the app need of the guard.
 */
export async function guardRequests(
  app: FastifyInstance,
  { gauge, paths, rateLimit, keys, maxClients = 50_000, countRequest }: RequestGuardOptions,
): Promise<RequestGuard> {
  const find = keys.length > 0 ? keyFinder(keys) : undefined
  // A cache must not serve the reply for one key to a caller with another key, so `vary` has `authorization`. This hook
  // is the first one, so that refusals have the header too.
  if (find !== undefined)
    app.addHook('onRequest', (_request, reply, done) => {
      addVary(reply, 'authorization')
      done()
    })
  app.addHook('onRequest', ({ raw }, reply, done) => {
    // A path that is never refused at the server can be a route of this scope.
    const { criticality = 'normal' } = paths.find(raw.url as string)
    if ((reply.raw as Partial<BoundedResponse>).isAdmitted === true || gauge.admits(criticality)) return done()
    done(new Problem('OVERLOADED'))
  })
  const keysOfRequests: KeysOfRequests = new WeakMap()
  if (find !== undefined) identifyClients(app, find, keysOfRequests)
  const limit =
    rateLimit > 0 ? await addRateLimit(app, { max: rateLimit, maxClients, keysOfRequests, countRequest }) : undefined
  if (find !== undefined) requireKey(app, keysOfRequests)
  return {
    limit,
    keyOf(request) {
      const index = keysOfRequests.get(request)
      return index === undefined ? undefined : keys[index]
    },
  }
}
