import { UpstreamError } from '../../../errors.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import { RetryBudget } from '../retry/retry-budget.ts'
import type { Layer } from '../../call/layer.ts'
import { LatencyTracker } from './latency-tracker.ts'
import { HedgedCall } from './hedged-call.ts'

export interface HedgeOptions {
  /**
   * Time to wait for the first attempt before the second is sent, in ms. Undefined for a percentile of the operation's
   * own latencies.
   */
  readonly delay: number | undefined
  /** Share of calls, in percent, that are answered before a second attempt is sent. */
  readonly percentile: number
  /** The most second attempts, as a fraction of the calls of the last 10 s. */
  readonly maxRatio: number
  /** The upstream's own, which retries spend too. */
  readonly budget: RetryBudget
  /** A clock in ms. @default that of performance.now() */
  readonly now?: () => number
}

/** Latencies count for one to two times this long, in ms. */
const spanMs = 5000

/**
 * Sends a safe call a second time when its first attempt takes longer than nearly all do; the first good answer wins
 * and the other attempt is stopped. A second attempt takes a free permit and never waits for one (where there is
 * none it tries again later), and it has a cap of its own beside the budget, so that a general slowness makes no storm.
 * After Dean and Barroso, "The Tail at Scale", and Finagle's `BackupRequestFilter`.
 */
export function hedge({ delay, percentile, maxRatio, budget, now = () => performance.now() }: HedgeOptions): Layer {
  const own = new RetryBudget({ ratio: maxRatio, minPerSecond: 0 }, now)
  const operations = new WeakMap<OperationSpec, LatencyTracker>()

  /** Spends one second attempt of both budgets, or of none. */
  const take = () => own.hasBalance && budget.withdraw() && own.withdraw()
  const refund = () => {
    own.refund()
    budget.refund()
  }

  function trackerOf(spec: OperationSpec): LatencyTracker {
    let tracker = operations.get(spec)
    if (tracker === undefined) operations.set(spec, (tracker = new LatencyTracker(percentile / 100, spanMs, now)))
    return tracker
  }

  return next => call => {
    if (!call.spec.safe || call.abort.aborted) return next(call)
    own.deposit()
    const tracker = trackerOf(call.spec)
    const startedAt = now()
    const afterMs = delay ?? tracker.delay
    const answered = afterMs === undefined ? next(call) : new HedgedCall(next, call, { afterMs, take, refund }).run()
    return answered.then(
      answer => {
        tracker.record(now() - startedAt)
        return answer
      },
      error => {
        // A quick failure is no measure of how long answers take; one that took too long is.
        if (error instanceof UpstreamError && error.statusCode === 504) tracker.record(now() - startedAt)
        throw error
      },
    )
  }
}
