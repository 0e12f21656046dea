import type { DialTarget } from '../connect/dial.ts'
import type { BalanceSpec } from '../spec/balance-spec.ts'

/** The state of one origin: an origin that is not available gets calls in panic only. */
export type OriginState = 'available' | 'ejected' | 'unhealthy'

/** An origin that is known now. */
export interface Endpoint {
  /** Identifies the origin: two endpoints with equal keys are one origin. */
  readonly key: string
  /** The URL of the scheme, the `Host` header and the name in the certificate. */
  readonly url: URL
  /** The address that is dialled. @default the host of the URL */
  readonly target: DialTarget | undefined
  readonly weight: number
  /** The `host:port` that is dialled, for metrics and explain. */
  readonly label: string
  /** True for the URL of one origin, and in the first answer for a name: the origin begins with its full share. */
  readonly isInitial: boolean
}

/** The counts of one origin. */
export interface OriginTotals {
  /** The `host:port` that is dialled. */
  readonly origin: string
  /**
   * The attempts that ended. Attempts that say nothing about the origin (aborted, a lost hedge, without a token,
   * without a file descriptor) are not counted.
   */
  readonly attempts: number
  /** The attempts that failed. */
  readonly failed: number
  /** The number of ejections. */
  readonly ejections: number
}

/** The state of one origin, and its counts since it is known. */
export interface OriginGauge extends OriginTotals {
  /** The present state. */
  readonly state: OriginState
  /** The declared weight, or that of the SRV record. */
  readonly weight: number
  /** The attempts in flight. */
  readonly active: number
  /** The moving average of the latency with peaks, in ms; `null` before the first answer. */
  readonly latencyMs: number | null
}

/** The state of all origins of an upstream. */
export interface BalancerGauge {
  /** The number of attempts whose origin was chosen in panic. */
  readonly panics: number
  readonly origins: readonly OriginGauge[]
  /** The counts of the first 100 origins, also of those that have left, and of all later ones as `other`. */
  readonly totals: readonly OriginTotals[]
}

/** One origin among which the balancer chooses. `T` is the transport to it, which the balancer does not use. */
export interface Member<T extends object> {
  readonly endpoint: Endpoint
  readonly value: T
  readonly gauge: OriginGauge
}

/**
 * The effect of the end of an attempt on its origin. `aborted` and `ignored` do not count as attempts. `ignored` is a
 * failure that is not evidence about the origin, for example a process without free file descriptors.
 */
export type OriginVerdict = 'ok' | 'failed' | 'aborted' | 'ignored'

/** Chooses the origin of each attempt. It has no timers and does no I/O. */
export interface Balancer<T extends object> {
  /** The members, in the order of their endpoints. */
  readonly members: readonly Member<T>[]
  /**
   * Replaces the members. A member whose endpoint has an equal key stays, with the weight of the new endpoint. A new
   * member begins with a small share, unless its endpoint is an initial one.
   *
   * @param endpoints - All endpoints. Of two with equal keys the first is used.
   * @param open - Returns the value of a new member.
   * @returns The members that were removed.
   */
  set(endpoints: readonly Endpoint[], open: (endpoint: Endpoint) => T): readonly Member<T>[]
  /**
   * Returns the member for an attempt, or `undefined` if there are no members.
   *
   * @param tried - The values of the members of earlier attempts. They are avoided if there is another candidate.
   */
  pick(tried: readonly object[] | undefined): Member<T> | undefined
  /** Records the start of an attempt. */
  started(member: Member<T>): void
  /**
   * Records the end of an attempt.
   *
   * @param ms - The duration of the attempt, in ms.
   */
  ended(member: Member<T>, ms: number, verdict: OriginVerdict): void
  /** Records that an attempt no longer uses its member. It follows `started` once per attempt. */
  released(member: Member<T>): void
  /** Records the result of the health checks of a member. Members are healthy at first. */
  setHealthy(member: Member<T>, isHealthy: boolean): void
  gauge(): BalancerGauge
}

export interface BalancerOptions {
  readonly balance: BalanceSpec
  /** A clock in ms that never goes back. @default performance.now() */
  readonly now?: () => number
  /** A number from 0 up to 1. @default Math.random */
  readonly random?: () => number
  /**
   * Called after the state of an origin has changed, with its label. It is not called for the initial endpoints that
   * join.
   */
  readonly onChange?: ((origin: string, state: OriginState | 'added' | 'removed') => void) | undefined
}
