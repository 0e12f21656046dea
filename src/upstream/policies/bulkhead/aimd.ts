import { initialConcurrency } from '../../spec/spec.ts'

export interface AimdOptions {
  /** Permits at the start; at most `max`. @default 20 */
  readonly start?: number
  /**
   * The minimum number of permits. At least one call must be sent to detect that the upstream has recovered.
   * @default 1
   */
  readonly min?: number
  readonly max: number
}

/** A number of permits that adapts to the results of the calls that hold them. */
export interface Aimd {
  readonly limit: number
  /** The number of times that the limit was lowered. A caller stores it when a call starts and passes it to `ended`. */
  readonly lowered: number
  /**
   * Records the end of a call: the stored value of `lowered`, whether the call was lost, and the number of calls that
   * were active with it.
   */
  ended(noted: number, isLost: boolean, active: number): void
}

/** The minimum number of answers in a round. With few permits, shorter rounds would add a permit too often. */
const leastAnswers = 10
/** A round tolerates one loss, and one more per this many permits, because an upstream loses some calls at any load. */
const permitsPerForgiven = 20

/**
 * Additive increase, multiplicative decrease, after Chiu and Jain, "Analysis of the increase and decrease algorithms
 * for congestion avoidance" (1989). The start, the factor and the rule for half-full rounds come from AIMDLimit in
 * Netflix's concurrency-limits.
 *
 * A round has as many answers as there are permits. At its end one permit is added if at least half of the permits are
 * in use; otherwise nothing changes.
 *
 * If the losses exceed the tolerated number, the permits are reduced by a tenth at once and a new round begins. Only
 * calls that started after the reduction count in that round. So a burst of losses among calls that were in flight
 * together lowers the permits once.
 */
export function aimd({ start = initialConcurrency, min = 1, max }: AimdOptions): Aimd {
  let permits = Math.max(min, Math.min(start, max))
  let lowered = 0
  let answered = 0
  let lost = 0

  function lower(): void {
    permits = Math.max(min, Math.floor(permits * 0.9))
    lowered++
    answered = lost = 0
  }

  return {
    get limit() {
      return permits
    },
    get lowered() {
      return lowered
    },
    ended(noted, isLost, active) {
      if (noted !== lowered) return
      if (isLost) {
        if (++lost > 1 + Math.floor(permits / permitsPerForgiven)) lower()
      } else if (++answered >= Math.max(permits, leastAnswers)) {
        if (active * 2 >= permits && permits < max) permits++
        answered = lost = 0
      }
    },
  }
}
