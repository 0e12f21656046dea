import { UpstreamError } from '../errors.ts'
import { ownLoop } from '../core/loop-share.ts'
import type { UpstreamMetrics } from '../metrics/upstream-metrics.ts'
import { cacheKey } from './policies/cache/cache-key.ts'
import { createMemoryStore } from './policies/cache/memory-store.ts'
import type { Invalidations } from './policies/cache/invalidations.ts'
import { invalidate } from './policies/cache/invalidate.ts'
import { keyOf } from './transport/dispatch.ts'
import { adaptiveConcurrency } from './policies/bulkhead/adaptive-concurrency.ts'
import { attempt } from './policies/attempt.ts'
import { breaker } from './policies/breaker/breaker.ts'
import { bulkhead } from './policies/bulkhead/bulkhead.ts'
import { cache } from './policies/cache/cache.ts'
import type { ReportFault } from './policies/cache/cache-adapter.ts'
import { closeStreams } from './policies/close-streams.ts'
import { coalesce } from './policies/coalesce.ts'
import { deadline } from './policies/deadline.ts'
import { hedge } from './policies/hedge/hedge.ts'
import { keyBatch } from './policies/key-batch/key-batch.ts'
import type { SpanServer } from './call/spans.ts'
import { sendOf, serviceOf, stack, type Layer, type Send } from './call/layer.ts'
import { observe, type Counts } from './policies/observe.ts'
import { custom } from './policies/custom/custom.ts'
import { redirect } from './policies/redirect.ts'
import { retry } from './policies/retry/retry.ts'
import { statusAnswers } from './policies/status-answers.ts'
import { retryBudgetOf, shareLimits } from './shared-limits.ts'
import type { SharedState } from './shared-state.ts'
import type { LayerPosition } from './spec/layers.ts'
import type { NameServices } from './auth/authorized-transport.ts'
import type { ClientListeners } from './client-events.ts'
import { gaugeOf, readingsOf, type Gauge } from './client-gauge.ts'
import { openClientTransport } from './client-transport.ts'
import type { EffectiveUpstream } from './effective-upstream.ts'
import type { CacheStore } from './policies/cache/store.ts'

/** The services that all clients of a runtime share. */
export interface ClientServices extends NameServices {
  readonly cacheStore: CacheStore | undefined
  readonly invalidations: Invalidations
  /** The state that replicas share. */
  readonly shared: SharedState | undefined
}

export interface ClientOptions {
  readonly listeners: ClientListeners
  readonly metrics: UpstreamMetrics
  /** Returns false if the definitions that are served now do not use the client. */
  readonly isCurrent: () => boolean
}

/** One upstream with its pool and the state of its layers. */
export interface Client {
  readonly send: Send
  readonly counts: Counts
  /** The limit on one attempt, in ms. */
  readonly attemptTimeout: number
  /**
   * Returns the calls that wait for a permit, per permit; 0 if a call holds its permit for more than `maxHoldMs` on
   * average.
   */
  permitBacklog(maxHoldMs: number): number
  /** Returns the present state of the layers of the upstream. */
  readonly gauge: () => Gauge
  /** Closes the transport. Calls in flight are rejected with `RUNTIME_CLOSED`. Call it once. */
  close(): Promise<void>
}

/** Returns the server of an origin as spans name it. */
function serverOf({ hostname, port, protocol }: URL, base: string): SpanServer {
  return { address: hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port), base }
}

/** Opens an upstream: its transport, and its layers in their fixed order. */
export function createClient(
  { spec, address, access }: EffectiveUpstream,
  { resolve, records, cacheStore, invalidations, shared }: ClientServices,
  { listeners, metrics, isCurrent }: ClientOptions,
): Client {
  const { name: upstream, concurrency, maxQueue, attemptTimeout } = spec
  const counts: Counts = { calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, queuedMs: 0 }
  const { transport, origins } = openClientTransport({ spec, address, access }, { resolve, records }, listeners)
  const budget = retryBudgetOf(spec, shared)
  const circuit =
    spec.breaker &&
    breaker({
      upstream,
      ...spec.breaker,
      rejectQueued(refusal) {
        permits.rejectQueued(refusal)
        transport?.rejectQueued(refusal)
      },
      onStateChange(from, to) {
        metrics.breakerChanged(from, to, isCurrent())
        listeners.onBreakerChange({ upstream, from, to })
      },
    })
  const permits = bulkhead({
    upstream,
    maxQueue,
    concurrency: concurrency === 'adaptive' ? adaptiveConcurrency(spec) : concurrency,
    isLoopBusy: now => ownLoop.isBusy(now),
  })
  /** The functions that end what the client has joined. */
  const ends: (() => void)[] = []
  if (shared !== undefined) ends.push(shareLimits(spec, { budget, permits }, shared))
  const { origin } = address.url
  const base = origin + address.prefix
  const onFault: ReportFault = (failed, cause) => listeners.onCacheStoreFault({ upstream, function: failed, cause })
  const store = cacheStore ?? createMemoryStore({ maxBytes: spec.maxCacheBytes })
  if (spec.caches) ends.push(invalidations.add(origin, store))
  const responseCache =
    spec.caches &&
    cache({
      upstream,
      store,
      keyOf: cacheKey([base, transport?.identity], keyOf),
      base,
      invalidations,
      onFault,
      refreshLimit: spec.totalTimeout ?? 30_000,
      refreshWidth: Math.ceil(spec.connections / 4),
    })
  /**
   * Calls of other declarations also change paths of this origin, and the `Location` of an answer can name a changed
   * path.
   */
  const listen = (leaveBehind: (changed: string) => void) => {
    const end = invalidations.listen(origin, uri => {
      if (uri.startsWith(base)) leaveBehind(uri.slice(base.length))
    })
    ends.push(end)
  }
  const redirectOptions = {
    upstream,
    origin,
    prefix: address.prefix,
    credential: spec.auth !== undefined && 'query' in spec.auth ? spec.auth.query : undefined,
    limit: spec.redirects,
  }
  const notInvalidated = (cause: unknown) => (responseCache ? responseCache.report : onFault)('invalidate', cause)

  const customAt = (position: LayerPosition) =>
    spec.layers[position].map(layer => custom(layer, position, { name: upstream, origin, prefix: address.prefix }))

  // The outermost layer is first. Each comment names the layers that must be below, and the reason.
  const layers: readonly (Layer | false)[] = [
    // Above all layers: it also counts refusals and the time in the queue.
    observe(counts, metrics),
    // Above all layers that can refuse, cut or repeat a call: the stream of its body ends with the call.
    spec.streams && closeStreams(),
    // Above all layers that wait or repeat a call: one limit covers all of them.
    spec.totalTimeout !== undefined && deadline({ upstream, deadline: spec.totalTimeout }),
    // Above the custom layers and the cache, so that changed URIs are invalid before the caller gets the answer.
    spec.changes && invalidate({ origin, base, invalidations, onFault: notInvalidated }),
    // Above the cache, coalesce and retry: the headers that a custom layer adds are part of the key of a call.
    ...customAt('call'),
    // Above the cache and all attempts: they handle a listed status such as 503 as a failure.
    spec.listsStatuses && statusAnswers(),
    // Above coalesce: a hit uses no layer below, and equal misses become one call.
    responseCache && responseCache.layer,
    // Above all attempts: callers with equal calls share all attempts of one call.
    spec.coalesces && coalesce({ keyOf: responseCache ? responseCache.flightKey(keyOf) : keyOf, listen }),
    // Directly below coalesce: one lease per flight, whose patience is that of its last caller.
    spec.coalescesReplicas && responseCache && (responseCache.replicaFlights ?? false),
    // Above all attempts, below coalesce: equal keys become one call, and a batch of keys is retried as one call.
    spec.keyBatches && keyBatch({ keyOf }),
    // Above the breaker: each attempt counts for it, and an open breaker ends the retries.
    spec.retry && retry({ ...spec.retry, budget }),
    // Above the breaker and the bulkhead: a second attempt counts separately and needs its own permit.
    spec.hedge && hedge({ ...spec.hedge, budget }),
    // Above the bulkhead: an open breaker holds no permit, and refusals of the bulkhead do not count as failures.
    circuit && circuit.layer,
    // Above attempt: a permit is held exactly while the transport is in use.
    permits.layer,
    // Above attempt: an attempt, its token, its redirects and its layers use one origin. Below the bulkhead: the origin
    // is chosen when the attempt is sent.
    origins?.balance ?? false,
    // Above authorize: one attempt has an exact limit, which includes the wait for a token.
    attempt({ upstream, timeout: attemptTimeout, budget, server: serverOf(address.url, base) }),
    // Above the custom layers and dispatch: a call has a token, and is sent again if the token was refused.
    transport?.authorize ?? false,
    // Above the custom layers: they sign each request separately, with its own path.
    spec.redirects > 0 && redirect(redirectOptions),
    // Above dispatch: each attempt is signed separately, within its timeout and its permit.
    ...customAt('attempt'),
  ]

  const gauged = { permits, circuit, responseCache, origins }
  const endReading = transport && metrics.read(() => readingsOf(gauged, budget, transport, isCurrent()))

  return {
    send: sendOf(
      transport === undefined
        ? stack(
            [observe(counts, metrics), ...(spec.streams ? [closeStreams()] : [])],
            serviceOf((_call, completion) => completion.reject(new UpstreamError('UPSTREAM_OFF', upstream))),
          )
        : stack(
            layers.filter(layer => layer !== false),
            transport.service,
          ),
    ),
    counts,
    attemptTimeout,
    permitBacklog(maxHoldMs) {
      const { queued, concurrency: limit } = permits.gauge
      return queued === 0 || permits.hold.ms > maxHoldMs ? 0 : queued / limit
    },
    gauge: () => gaugeOf(gauged),
    close: async () => {
      for (const end of ends) end()
      if (responseCache) responseCache.close()
      await transport?.close()
      // Closing rejects the calls in flight, which the counters must have.
      endReading?.()
    },
  }
}
