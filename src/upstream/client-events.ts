import type { BreakerState } from './policies/breaker/breaker.ts'
import type { CacheStoreFault } from './policies/cache/store.ts'
import type { OriginState } from './origins/types.ts'

/** A change of the state of a circuit breaker. */
export interface BreakerChange {
  /** The name of the upstream. */
  readonly upstream: string
  /** The state before the change. */
  readonly from: BreakerState
  /** The state after the change. */
  readonly to: BreakerState
}

/** A change of one of several origins of an upstream. */
export interface OriginChange {
  /** The name of the upstream. */
  readonly upstream: string
  /** The host and port that are dialled. */
  readonly origin: string
  /** The new state; `added` or `removed` if DNS records have changed. */
  readonly state: OriginState | 'added' | 'removed'
}

/** Receives the events of clients. Only `onBreakerChange` may throw. */
export interface ClientListeners {
  onBreakerChange(change: BreakerChange): void
  onOriginChange(change: OriginChange): void
  onCacheStoreFault(fault: CacheStoreFault): void
  onToken(token: string): void
}
