import { initialConcurrency } from '../../spec/spec.ts'

export interface AimdOptions {
  /** Permits at the start; at most `max`. @default 20 */
  readonly start?: number
  /** Never fewer, so that a trickle finds out when the upstream is well again. @default 1 */
  readonly min?: number
  readonly max: number
}

/** A number of permits that adapts to the results of the calls that hold them. */
export interface Aimd {
  readonly limit: number
  /** The number of times the limit was lowered. A call notes it when it starts. */
  readonly lowered: number
  /**
   * Takes the end of one more call: what it noted, whether it was lost or answered, and how many were active with it.
   */
  ended(noted: number, isLost: boolean, active: number): void
}

/** The minimum of answers in a round: with few permits, short rounds would probe for one more too often. */
const leastAnswers = 10
/** A round forgives one loss, and one more per this many permits: upstreams lose some calls at any load. */
const permitsPerForgiven = 20

/**
 * Additive increase, multiplicative decrease, after Chiu and Jain, "Analysis of the increase and decrease algorithms
 * for congestion avoidance" (1989), with the start, the factor and the half-full rule of the AIMDLimit in Netflix's
 * concurrency-limits.
 *
 * It counts in rounds of as many answers as there are permits. A round that ends less than half full is no evidence and
 * changes nothing; any other adds a permit. Losses beyond the forgiven ones take a tenth at once, and begin a round in
 * which only calls count that started after it: a burst of losses among calls that were under way together lowers the
 * permits once.
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
