import type { UpstreamReadings } from '../metrics/upstream-readings.ts'
import type { AuthorizedTransport } from './auth/authorized-transport.ts'
import type { Origins } from './origins/origins.ts'
import type { OriginGauge } from './origins/types.ts'
import type { Breaker, BreakerState } from './policies/breaker/breaker.ts'
import type { Bulkhead, BulkheadGauge } from './policies/bulkhead/bulkhead.ts'
import type { CacheGauge, ResponseCache } from './policies/cache/cache.ts'
import type { RetryBudget } from './policies/retry/retry-budget.ts'

/** The state of an upstream's layers at one moment. */
export interface Gauge extends BulkheadGauge {
  /** The state of the circuit breaker; `undefined` if the upstream has none. */
  readonly breaker: BreakerState | undefined
  /** The counts of the cache; absent if no operation has a cache. */
  readonly cache?: CacheGauge
  /** The origins among which each attempt has one; absent if the upstream has one origin. */
  readonly origins?: readonly OriginGauge[]
}

/** The layers of an upstream that have a state. */
export interface GaugedLayers {
  readonly permits: Bulkhead
  readonly circuit: Breaker | false
  readonly responseCache: ResponseCache | false
  readonly origins: Origins | undefined
}

/** Returns the present state of the layers of an upstream. */
export function gaugeOf({ permits, circuit, responseCache, origins }: GaugedLayers): Gauge {
  return {
    ...permits.gauge,
    breaker: circuit ? circuit.gauge.breaker : undefined,
    ...(responseCache && { cache: responseCache.gauge() }),
    ...(origins && { origins: origins.gauge().origins }),
  }
}

/**
 * Returns the state of the layers of an upstream for a scrape of the metrics.
 *
 * @param isCurrent - False if the definitions that are served now do not use the client.
 */
export function readingsOf(
  { permits, circuit, responseCache, origins }: GaugedLayers,
  budget: RetryBudget,
  transport: AuthorizedTransport,
  isCurrent: boolean,
): UpstreamReadings {
  return {
    permits: permits.gauge,
    retryBudgetBalance: budget.balance,
    connections: transport.connections(),
    breaker: circuit && isCurrent ? circuit.gauge.breaker : undefined,
    cache: responseCache ? responseCache.gauge() : undefined,
    origins: origins?.gauge(),
  }
}
