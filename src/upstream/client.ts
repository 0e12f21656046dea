import { UpstreamError } from '../errors.ts'
import { cacheKey } from './policies/cache/cache-key.ts'
import { createMemoryStore } from './policies/cache/memory-store.ts'
import type { CacheStore } from './policies/cache/store.ts'
import { keyOf } from './transport/dispatch.ts'
import { adaptiveConcurrency } from './policies/bulkhead/adaptive-concurrency.ts'
import { attempt } from './policies/attempt.ts'
import { breaker, type BreakerState } from './policies/breaker/breaker.ts'
import { RetryBudget } from './policies/retry/retry-budget.ts'
import { bulkhead, type BulkheadGauge } from './policies/bulkhead/bulkhead.ts'
import { cache, type CacheGauge } from './policies/cache/cache.ts'
import { coalesce } from './policies/coalesce.ts'
import { deadline } from './policies/deadline.ts'
import { hedge } from './policies/hedge/hedge.ts'
import { sendOf, serviceOf, stack, type Layer, type Send } from './policies/layer.ts'
import { observe, type Counts } from './policies/observe.ts'
import { custom } from './policies/custom/custom.ts'
import { retry } from './policies/retry/retry.ts'
import type { UpstreamSpec } from './spec/spec.ts'
import type { LayerPosition } from './spec/layers.ts'
import { openTransport, type UpstreamAddress, type RuntimeServices } from './transport/transport.ts'

/** A circuit breaker that has changed. */
export interface BreakerChange {
  readonly upstream: string
  readonly from: BreakerState
  readonly to: BreakerState
}

/** What an upstream's layers hold at a moment. */
export interface Gauge extends BulkheadGauge {
  /** None where the upstream has no breaker. */
  readonly breaker: BreakerState | undefined
  /** None where the upstream keeps no answers. */
  readonly cache?: CacheGauge
}

export interface ClientOptions {
  readonly onBreakerChange?: ((change: BreakerChange) => void) | undefined
  readonly cacheStore?: CacheStore | undefined
}

/** One upstream with its pool and the state of its layers. */
export interface Client {
  readonly send: Send
  readonly counts: Counts
  /** What its layers hold now. */
  readonly gauge: () => Gauge
  /** Ends the wire; calls in flight are rejected with `RUNTIME_CLOSED`. */
  close(): Promise<void>
}

/** Opens an upstream: the wire to it, and the layers around that in the one order there is. */
export function createClient(
  spec: UpstreamSpec,
  address: UpstreamAddress,
  around: RuntimeServices,
  { onBreakerChange, cacheStore }: ClientOptions = {},
): Client {
  const { name: upstream, concurrency, maxQueue, attemptTimeout } = spec
  const counts: Counts = { calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, waitedMs: 0 }
  const wire = address.isOff ? undefined : openTransport(spec, address, around)
  const budget = new RetryBudget(spec.retryBudget)
  const circuit =
    spec.breaker &&
    breaker({
      upstream,
      ...spec.breaker,
      rejectQueued(refusal) {
        slotsAndQueue.rejectQueued(refusal)
        wire?.rejectQueued(refusal)
      },
      onStateChange: onBreakerChange && ((from, to) => onBreakerChange({ upstream, from, to })),
    })
  const slotsAndQueue = bulkhead({
    upstream,
    maxQueue,
    concurrency: concurrency === 'adaptive' ? adaptiveConcurrency(spec) : concurrency,
  })
  const kept =
    spec.caches &&
    cache({
      upstream,
      store: cacheStore ?? createMemoryStore({ maxBytes: spec.maxCacheBytes }),
      keyOf: cacheKey([address.url.origin + address.prefix, wire?.identity], keyOf),
      refreshLimit: spec.totalTimeout ?? 30_000,
      refreshWidth: Math.ceil(spec.connections / 4),
    })

  const customAt = (position: LayerPosition) =>
    spec.layers[position].map(layer =>
      custom(layer, position, { name: upstream, origin: address.url.origin, prefix: address.prefix }),
    )

  // Outermost first. Each line says what it must be above, and so why it stands where it stands.
  const layers: readonly (Layer | false)[] = [
    observe(counts), // all: it also counts refusals and time spent waiting
    // everything that waits or is repeated: one limit for all of it
    spec.totalTimeout !== undefined && deadline({ upstream, deadline: spec.totalTimeout }),
    // everything that keeps, shares or repeats a call: what they make of it is part of what makes calls equal
    ...customAt('call'),
    kept && kept.layer, // coalesce: a hit costs nothing below, and a thousand misses are one call
    spec.coalesces && coalesce({ keyOf }), // every effort: those who join share the whole of it
    // breaker: each attempt is judged, and an open circuit ends the retries
    spec.retry && retry({ ...spec.retry, budget }),
    // breaker, bulkhead: a second attempt is judged by itself and needs a slot of its own
    spec.hedge && hedge({ ...spec.hedge, budget }),
    circuit && circuit.layer, // bulkhead: an open circuit holds no slot, and our own refusals are no evidence
    slotsAndQueue.layer, // attempt: a slot is held exactly while the wire is in use
    // authorize: a precise limit on one attempt, waiting for a token included
    attempt({ upstream, timeout: attemptTimeout, budget }),
    wire?.authorize ?? false, // own layers, dispatch: a call leaves with a token, and once more where that was refused
    ...customAt('attempt'), // dispatch: each attempt is signed anew, within its time and its slot
  ]

  return {
    send: sendOf(
      wire === undefined
        ? stack(
            [observe(counts)],
            serviceOf((_call, taker) => taker.reject(new UpstreamError('UPSTREAM_OFF', upstream))),
          )
        : stack(
            layers.filter(layer => layer !== false),
            wire.service,
          ),
    ),
    counts,
    gauge: () => ({
      ...slotsAndQueue.gauge,
      breaker: circuit ? circuit.gauge.breaker : undefined,
      ...(kept && { cache: kept.gauge() }),
    }),
    close: async () => {
      if (kept) kept.close()
      await wire?.close()
    },
  }
}
