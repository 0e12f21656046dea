import { UpstreamError } from '../errors.ts'
import { cacheKey } from './policies/cache/cache-key.ts'
import { createMemoryStore } from './policies/cache/memory-store.ts'
import type { Invalidations } from './policies/cache/invalidations.ts'
import { invalidate } from './policies/cache/invalidate.ts'
import type { CacheStore, CacheStoreFault } from './policies/cache/store.ts'
import { keyOf } from './transport/dispatch.ts'
import { adaptiveConcurrency } from './policies/bulkhead/adaptive-concurrency.ts'
import { attempt } from './policies/attempt.ts'
import { breaker, type BreakerState } from './policies/breaker/breaker.ts'
import { RetryBudget } from './policies/retry/retry-budget.ts'
import { bulkhead, type BulkheadGauge } from './policies/bulkhead/bulkhead.ts'
import { cache, type CacheGauge } from './policies/cache/cache.ts'
import type { ReportFault } from './policies/cache/cache-adapter.ts'
import { coalesce } from './policies/coalesce.ts'
import { deadline } from './policies/deadline.ts'
import { hedge } from './policies/hedge/hedge.ts'
import { sendOf, serviceOf, stack, type Layer, type Send } from './call/layer.ts'
import { observe, type Counts } from './policies/observe.ts'
import { custom } from './policies/custom/custom.ts'
import { retry } from './policies/retry/retry.ts'
import type { UpstreamSpec } from './spec/spec.ts'
import type { LayerPosition } from './spec/layers.ts'
import { openAuthorizedTransport, type RuntimeServices } from './auth/authorized-transport.ts'
import type { UpstreamAddress } from './transport/transport.ts'

/** A change of the state of a circuit breaker. */
export interface BreakerChange {
  /** The name of the upstream. */
  readonly upstream: string
  /** The state before the change. */
  readonly from: BreakerState
  /** The state after the change. */
  readonly to: BreakerState
}

/** The state of an upstream's layers at one moment. */
export interface Gauge extends BulkheadGauge {
  /** The state of the circuit breaker; `undefined` if the upstream has none. */
  readonly breaker: BreakerState | undefined
  /** The counts of the cache; absent if no operation has a cache. */
  readonly cache?: CacheGauge
}

export interface ClientOptions {
  readonly onBreakerChange?: ((change: BreakerChange) => void) | undefined
  readonly cacheStore?: CacheStore | undefined
  readonly onCacheStoreFault?: ((fault: CacheStoreFault) => void) | undefined
  /** The invalidations of the runtime. */
  readonly invalidations: Invalidations
}

/** One upstream with its pool and the state of its layers. */
export interface Client {
  readonly send: Send
  readonly counts: Counts
  /** Returns the state of its layers now. */
  readonly gauge: () => Gauge
  /** Ends the wire; calls in flight are rejected with `RUNTIME_CLOSED`. */
  close(): Promise<void>
}

/** Opens an upstream: its transport, and the layers around it in their fixed order. */
export function createClient(
  spec: UpstreamSpec,
  address: UpstreamAddress,
  services: RuntimeServices,
  { onBreakerChange, cacheStore, onCacheStoreFault, invalidations }: ClientOptions,
): Client {
  const { name: upstream, concurrency, maxQueue, attemptTimeout } = spec
  const counts: Counts = { calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, queuedMs: 0 }
  const transport = address.isOff ? undefined : openAuthorizedTransport(spec, address, services)
  const budget = new RetryBudget(spec.retryBudget)
  const circuit =
    spec.breaker &&
    breaker({
      upstream,
      ...spec.breaker,
      rejectQueued(refusal) {
        permits.rejectQueued(refusal)
        transport?.rejectQueued(refusal)
      },
      onStateChange: onBreakerChange && ((from, to) => onBreakerChange({ upstream, from, to })),
    })
  const permits = bulkhead({
    upstream,
    maxQueue,
    concurrency: concurrency === 'adaptive' ? adaptiveConcurrency(spec) : concurrency,
  })
  const { origin } = address.url
  const base = origin + address.prefix
  const onFault: ReportFault = (failed, cause) => onCacheStoreFault?.({ upstream, function: failed, cause })
  const store = cacheStore ?? createMemoryStore({ maxBytes: spec.maxCacheBytes })
  if (spec.caches) invalidations.add(origin, store)
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
  /** Other declarations change paths of this origin too, and an answer may name the path that it has changed. */
  const listen = (leaveBehind: (changed: string) => void) =>
    invalidations.listen(origin, uri => {
      if (uri.startsWith(base)) leaveBehind(uri.slice(base.length))
    })
  const notInvalidated = (cause: unknown) => (responseCache ? responseCache.report : onFault)('invalidate', cause)

  const customAt = (position: LayerPosition) =>
    spec.layers[position].map(layer => custom(layer, position, { name: upstream, origin, prefix: address.prefix }))

  // Outermost first. Each line says what it must be above, and so why it stands where it stands.
  const layers: readonly (Layer | false)[] = [
    observe(counts), // all: it also counts refusals and time spent waiting
    // everything that waits or is repeated: one limit for all of it
    spec.totalTimeout !== undefined && deadline({ upstream, deadline: spec.totalTimeout }),
    // custom layers, cache: what a call has changed is invalid before its caller gets the answer
    spec.changes && invalidate({ origin, base, invalidations, onFault: notInvalidated }),
    // everything that keeps, shares or repeats a call: what they make of it is part of what makes calls equal
    ...customAt('call'),
    responseCache && responseCache.layer, // coalesce: a hit costs nothing below, and a thousand misses are one call
    spec.coalesces && coalesce({ keyOf, listen }), // every effort: those who join share the whole of it
    // breaker: each attempt is judged, and an open circuit ends the retries
    spec.retry && retry({ ...spec.retry, budget }),
    // breaker, bulkhead: a second attempt is judged by itself and needs a permit of its own
    spec.hedge && hedge({ ...spec.hedge, budget }),
    // bulkhead: an open circuit holds no permit, and our own refusals do not count as failures
    circuit && circuit.layer,
    permits.layer, // attempt: a permit is held exactly while the wire is in use
    // authorize: a precise limit on one attempt, waiting for a token included
    attempt({ upstream, timeout: attemptTimeout, budget }),
    // custom layers, dispatch: a call is sent with a token, and again where the token was refused
    transport?.authorize ?? false,
    ...customAt('attempt'), // dispatch: each attempt is signed again, within its timeout and its permit
  ]

  return {
    send: sendOf(
      transport === undefined
        ? stack(
            [observe(counts)],
            serviceOf((_call, completion) => completion.reject(new UpstreamError('UPSTREAM_OFF', upstream))),
          )
        : stack(
            layers.filter(layer => layer !== false),
            transport.service,
          ),
    ),
    counts,
    gauge: () => ({
      ...permits.gauge,
      breaker: circuit ? circuit.gauge.breaker : undefined,
      ...(responseCache && { cache: responseCache.gauge() }),
    }),
    close: async () => {
      if (responseCache) responseCache.close()
      await transport?.close()
    },
  }
}
