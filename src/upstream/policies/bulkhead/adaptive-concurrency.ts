import { UpstreamError, type ErrorCode } from '../../../errors.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { aimd } from './aimd.ts'

/** A limit on concurrency that adapts to the capacity of the upstream. */
export interface AdaptiveConcurrency {
  /** The number of permits now. */
  readonly limit: number
  /** The value that a caller stores when a call starts and passes to `ended`. */
  readonly noted: number
  /** Records the end of a call: its duration in ms, its error, and the number of calls that were active with it. */
  ended(call: LiveCall<unknown>, noted: number, ms: number, active: number, error?: unknown): void
}

export interface AdaptiveConcurrencyOptions {
  /** The number of permits at the start. @default 20 */
  readonly initialConcurrency?: number
  /** The maximum number of permits. */
  readonly connections: number
  /** The timeout of one attempt, in ms. */
  readonly attemptTimeout: number
  /** The timeout of one call with all its attempts, in ms. */
  readonly totalTimeout?: number | undefined
}

/** The failures that show an overloaded upstream. */
const losses = new Set<ErrorCode>(['UPSTREAM_BUSY', 'UPSTREAM_TIMEOUT', 'UPSTREAM_RESET', 'UPSTREAM_UNREACHABLE'])

/**
 * Adapts the concurrency of a bulkhead to its upstream. It uses AIMD with a bound on delay, as the README of Netflix's
 * concurrency-limits advises for clients. These are losses: a 429 or 503, a timeout, a reset and a refused connection.
 *
 * A call that takes more than three quarters of its timeout is a loss too. So the limit decreases before an upstream
 * with a long queue lets all calls time out.
 */
export function adaptiveConcurrency({
  initialConcurrency: start,
  connections,
  attemptTimeout,
  totalTimeout = attemptTimeout,
}: AdaptiveConcurrencyOptions): AdaptiveConcurrency {
  const limit = aimd({ ...(start !== undefined && { start }), max: connections })
  const most = Math.min(attemptTimeout, totalTimeout)

  /** Returns whether the call is a loss; `undefined` if it is not evidence about the capacity of the upstream. */
  function isLost({ spec, scope }: LiveCall<unknown>, ms: number, error: unknown): boolean | undefined {
    if (error instanceof UpstreamError) {
      if (error.isIdleClose || (error.upstreamStatus === 429 && error.verdict === 'ignored')) return undefined
      const { code } = error.code === 'OUTCOME_UNKNOWN' && error.cause instanceof UpstreamError ? error.cause : error
      if (losses.has(code)) return true
      // A call that received its permit late has waited in our queue, not for the upstream.
      if (code === 'DEADLINE_EXCEEDED' && error.verdict === 'failed' && ms > Math.min(most, scope.deadline) * 0.75)
        return true
    }
    // The time limit of an attempt does not apply to unsafe calls.
    if (spec.safe && ms > most * 0.75) return true
    if (error === undefined) return false
    return error instanceof UpstreamError && error.upstreamStatus !== undefined && error.upstreamStatus < 500
      ? false
      : undefined
  }

  return {
    get limit() {
      return limit.limit
    },
    get noted() {
      return limit.lowered
    },
    ended(call, noted, ms, active, error) {
      const lost = isLost(call, ms, error)
      if (lost !== undefined) limit.ended(noted, lost, active)
    },
  }
}
