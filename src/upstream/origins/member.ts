import { Ejection } from './ejection.ts'
import { LatencyWindow } from './latency-window.ts'
import { PeakEwma } from './peak-ewma.ts'
import type { Candidate } from './pick.ts'
import { startShare } from './slow-start.ts'
import type { Endpoint, Member, OriginGauge, OriginState } from './types.ts'

/** The limits of a member. */
export interface MemberLimits {
  /** The time over which its share grows, in ms. */
  readonly slowStart: number
  /** The number of consecutive failed attempts from which it fails. */
  readonly consecutiveFailures: number
}

/**
 * The state of one origin. The origin is available unless it is ejected or unhealthy. The two are independent: a passed
 * health check does not end an ejection, and the end of an ejection does not make an unhealthy origin available.
 */
export class BalancedMember<T extends object> implements Member<T>, Candidate {
  endpoint: Endpoint
  /** The weight divided by the mean of all weights. */
  relativeWeight = 1
  isHealthy = true
  /** True if the origin is no longer a member. Attempts may still be in flight. */
  isRemoved = false
  /** The time from which the share grows, in ms. */
  growsFrom = -Infinity
  active = 0
  attempts = 0
  failed = 0
  readonly value: T
  readonly ejection = new Ejection()
  readonly latency = new PeakEwma()
  readonly window = new LatencyWindow()
  readonly #limits: MemberLimits
  #idleSince = 0

  constructor(endpoint: Endpoint, value: T, limits: MemberLimits) {
    this.endpoint = endpoint
    this.value = value
    this.#limits = limits
  }

  get state(): OriginState {
    if (this.ejection.until !== undefined) return 'ejected'
    return this.isHealthy ? 'available' : 'unhealthy'
  }

  get isFailing(): boolean {
    return this.ejection.failures >= this.#limits.consecutiveFailures
  }

  share(at: number): number {
    return this.relativeWeight * startShare(at - this.growsFrom, this.#limits.slowStart)
  }

  cost(at: number): number {
    return this.latency.cost(this.active === 0 ? 0 : this.active / this.share(at), at - this.#idleSince)
  }

  release(at: number): void {
    this.active--
    this.#idleSince = at
  }

  /** Starts with the average of the other members and a small share, after the origin has joined or returned. */
  begin(average: number, at: number): void {
    this.latency.reset(average, at)
    this.window.clear()
    this.growsFrom = at
    this.#idleSince = at
  }

  get gauge(): OriginGauge {
    return {
      origin: this.endpoint.label,
      state: this.state,
      weight: this.endpoint.weight,
      active: this.active,
      latencyMs: this.latency.average === 0 ? null : this.latency.average,
      attempts: this.attempts,
      failed: this.failed,
      ejections: this.ejection.count,
    }
  }
}
