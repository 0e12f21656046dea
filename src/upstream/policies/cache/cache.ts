import { UpstreamError } from '../../../errors.ts'
import { Abort } from '../../../core/abort.ts'
import { ageOf, generationOf, machineClock, type Clock, type Lookup, type LookupResult } from './entry.ts'
import type { Invalidations } from './invalidations.ts'
import { sizeOf, type CacheStore } from './store.ts'
import type { CachePolicy } from '../../spec/cache-policy.ts'
import { createRevalidation, type Revalidation } from './revalidation.ts'
import type { Place } from './cache-key.ts'
import { createCacheAdapter, type ReportFault } from './cache-adapter.ts'
import { createLeaseAdapter } from './lease-adapter.ts'
import { createReplicaFlights } from './replica-flights.ts'
import { allowsStale } from './stale-if-error.ts'
import { storedAnswer } from './stored-answer.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { deadline } from '../deadline.ts'
import { Detachable } from '../detachable.ts'
import type { Layer, Service } from '../../call/layer.ts'
import type { Answer } from '../../spec/answer.ts'

export interface CacheLayerOptions {
  readonly upstream: string
  readonly store: CacheStore
  /** Returns the key that an answer is stored under. */
  readonly keyOf: (call: LiveCall<unknown>) => string
  /**
   * The origin of the upstream and the prefix of its paths. Together with the path of a call it is the URI of the call.
   */
  readonly base: string
  /** Returns which URIs were changed without a confirmation by the store. */
  readonly invalidations: Pick<Invalidations, 'since'>
  /** Called with each fault of the store. @default not called */
  readonly onFault?: ReportFault
  /** The limit of a background refresh, in ms. */
  readonly refreshLimit: number
  /**
   * The limit on background refreshes at the same time. The other permits are for calls that have callers.
   * @default 16
   */
  readonly refreshWidth?: number
  readonly clock?: Clock
}

/** The counts of a cache, and its size if the store reports it. */
export interface CacheGauge {
  /** The number of calls that were answered with a fresh entry. */
  readonly hits: number
  /** The number of calls that were answered with a stale entry. */
  readonly stale: number
  /** The number of calls that the upstream answered, background refreshes included. */
  readonly misses: number
  /** The number of misses for which the upstream confirmed the stored entry (304). */
  readonly revalidated: number
  /** The number of background refreshes. */
  readonly refreshes: number
  /** The number of faults of the store. */
  readonly storeFaults: number
  /** The number of entries, if the store counts them. */
  readonly entries?: number
  /** The bytes that the entries hold, if the store counts them. */
  readonly bytes?: number
}

/** The layer of a cache, with its counts. */
export interface ResponseCache {
  readonly layer: Layer
  /** The layer below `coalesce` that shares the calls of replicas; `undefined` if the store has no leases. */
  readonly replicaFlights: Layer | undefined
  /** Returns the keys of `coalesce`: calls below the cache with equal keys may share an answer. */
  readonly flightKey: Revalidation['flightKey']
  readonly gauge: () => CacheGauge
  /** Counts a fault of the store, and reports it. */
  readonly report: ReportFault
  readonly close: () => void
}

/** The soft limit while too few latencies are known, in ms. */
const firstSoftMs = 100

/**
 * Stores answers and uses them for later calls, as a shared cache of RFC 9111 does. If allowed, it uses a stale answer
 * while one call refreshes it, or in place of a failure (RFC 5861).
 *
 * The key has every header that is sent, so callers with different credentials share nothing. A stored answer has
 * passed the checks of its framing, the parser and the schema. Below the cache, equal calls must share one flight
 * (`coalesce`).
 */
export function cache({
  upstream,
  store,
  keyOf,
  base,
  invalidations,
  onFault,
  refreshLimit,
  refreshWidth = 16,
  clock = machineClock,
}: CacheLayerOptions): ResponseCache {
  const counts = { hits: 0, stale: 0, misses: 0, revalidated: 0, refreshes: 0, storeFaults: 0 }
  const report: ReportFault = (failed, cause) => {
    counts.storeFaults++
    onFault?.(failed, cause)
  }
  const adapter = createCacheAdapter(store, report)
  const life = new Abort()
  const replicas =
    store.leases &&
    createReplicaFlights({
      leases: createLeaseAdapter(store, store.leases, report),
      find: async (place, call) => {
        const found = await adapter.find(place, call)
        const now = clock.steady()
        return {
          answer: isFresh(found, place, now) ? storedAnswer(found, 'hit', now) : undefined,
          began: { requestedAt: now, generation: generationOf(found) },
        }
      },
      usualMs: spec => usualMs(spec),
      now: () => clock.steady(),
    })
  const { fetchAnswer, refresh, usualMs, flightKey } = createRevalidation({
    adapter,
    clock,
    counts,
    refreshWidth,
    life,
    replicas,
  })
  /** Keys whose calls have exceeded the soft limit and have not ended. */
  const late = new Set<string>()

  /** Returns whether a lookup has an entry that may be used without the upstream. */
  function isFresh(found: Lookup, { uri }: Place, now: number): found is LookupResult {
    const { entry } = found
    return entry !== undefined && !invalidations.since(uri, entry.requestedAt) && ageOf(entry, now) < entry.lifetime
  }

  function answer(
    next: Service,
    refreshNext: Service,
    place: Place,
    found: Lookup,
    call: LiveCall<unknown>,
  ): Promise<Answer<unknown>> {
    const { entry } = found
    if (entry === undefined) return fetchAnswer(next, place, found, call)
    if (invalidations.since(place.uri, entry.requestedAt))
      return fetchAnswer(next, place, { entry: undefined, generation: entry.generation }, call)
    const now = clock.steady()
    const staleFor = ageOf(entry, now) - entry.lifetime
    if (staleFor < 0) {
      counts.hits++
      return Promise.resolve(storedAnswer(found, 'hit', now))
    }
    if (staleFor < entry.staleWhileRevalidate) {
      counts.stale++
      refresh(refreshNext, place, found, call)
      return Promise.resolve(storedAnswer(found, 'stale', now))
    }
    if (staleFor >= entry.staleIfError) return fetchAnswer(next, place, found, call)
    const { staleAfter = usualMs(call.spec) ?? firstSoftMs } = call.spec.cache as CachePolicy
    return late.has(place.key)
      ? Promise.resolve(giveOld(found, now, tooSlow(staleAfter)))
      : askWithin(refreshNext, place, found, call, staleAfter)
  }

  /** Calls the upstream. Uses the stored answer if the call fails or exceeds the soft limit. */
  function askWithin(
    refreshNext: Service,
    place: Place,
    found: LookupResult,
    call: LiveCall<unknown>,
    softMs: number,
  ): Promise<Answer<unknown>> {
    if (call.abort.aborted) return Promise.reject(call.abort.reason)
    const { key } = place
    const sent = new Detachable(call)
    let isGiven = false
    /** True if this call has marked the key as late. */
    let isFirst = false
    return new Promise((resolve, reject) => {
      fetchAnswer(refreshNext, place, found, sent.call)
        .finally(() => {
          sent.end()
          if (isFirst) late.delete(key)
        })
        .then(resolve, (error: unknown) => {
          const now = clock.steady()
          if (isGiven || !allowsStale(error, call.abort.aborted) || !mayStandIn(found, now)) reject(error)
          else resolve(giveOld(found, now, error))
        })
      sent.limit(softMs, () => {
        const now = clock.steady()
        if (!mayStandIn(found, now)) return
        isGiven = true
        isFirst = !late.has(key)
        if (isFirst) counts.refreshes++
        late.add(key)
        sent.detach(life)
        resolve(giveOld(found, now, tooSlow(softMs)))
      })
    })
  }

  function mayStandIn({ entry }: LookupResult, now: number): boolean {
    return ageOf(entry, now) - entry.lifetime < entry.staleIfError
  }

  /** Returns the stored answer in place of the answer of the upstream (stale-if-error). */
  function giveOld(found: LookupResult, now: number, insteadOf: UpstreamError): Answer<unknown> {
    counts.stale++
    return storedAnswer(found, 'stale', now, insteadOf)
  }

  function tooSlow(softMs: number): UpstreamError {
    return new UpstreamError('UPSTREAM_TIMEOUT', upstream, {
      detail: `a stale cached response is used after ${softMs} ms`,
      verdict: 'ignored',
    })
  }

  return {
    layer: next => {
      const refreshNext = deadline({ upstream, deadline: refreshLimit })(next)
      const service = (call: LiveCall<unknown>): Promise<Answer<unknown>> => {
        const { spec, path, abort } = call
        if (spec.cache === undefined) return next(call)
        if (abort.aborted) return Promise.reject(abort.reason)
        const place = { key: keyOf(call), uri: base + path }
        const found = adapter.find(place, call)
        return found instanceof Promise
          ? found.then(lookup => answer(next, refreshNext, place, lookup, call))
          : answer(next, refreshNext, place, found, call)
      }
      return service as Service
    },
    replicaFlights: replicas?.layer,
    flightKey,
    gauge: () => ({ ...counts, ...sizeOf(store) }),
    report,
    close() {
      life.abort(new UpstreamError('RUNTIME_CLOSED', upstream))
      adapter.close()
    },
  }
}
