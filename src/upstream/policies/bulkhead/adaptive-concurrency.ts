import { UpstreamError, type ErrorCode } from '../../../errors.ts'
import type { LiveCall } from '../../call/call.ts'
import { aimd } from './aimd.ts'

/** A limit on concurrency that follows what the upstream can take. */
export interface AdaptiveConcurrency {
  /** The number of permits now. */
  readonly limit: number
  /** The value to note when a call starts, and to return when it has ended. */
  readonly noted: number
  /** Learns from one more call: after how many ms it ended, with which error, and how many were active with it. */
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
 * Adapts the concurrency of a bulkhead to its upstream, by AIMD with a bound on delay, as the README of Netflix's
 * concurrency-limits advises for clients: a 429 or 503, a timeout, a reset and a refused connection are losses, and so
 * is a call that was on the wire for more than three quarters of the time it may take, before an upstream that queues
 * lets all of them time out.
 */
export function adaptiveConcurrency({
  initialConcurrency: start,
  connections,
  attemptTimeout,
  totalTimeout = attemptTimeout,
}: AdaptiveConcurrencyOptions): AdaptiveConcurrency {
  const limit = aimd({ ...(start !== undefined && { start }), max: connections })
  const most = Math.min(attemptTimeout, totalTimeout)

  /** Nothing, where the call says nothing about what the upstream can take. */
  function isLost({ spec, scope }: LiveCall<unknown>, ms: number, error: unknown): boolean | undefined {
    if (error instanceof UpstreamError) {
      if (error.isIdleClose || (error.upstreamStatus === 429 && error.verdict === 'ignored')) return undefined
      const { code } = error.code === 'OUTCOME_UNKNOWN' && error.cause instanceof UpstreamError ? error.cause : error
      if (losses.has(code)) return true
      // A call that got its permit late waited in our queue, not for the upstream.
      if (code === 'DEADLINE_EXCEEDED' && error.verdict === 'failed' && ms > Math.min(most, scope.deadline) * 0.75)
        return true
    }
    // An unsafe call may take its time: no timeout cuts it.
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
