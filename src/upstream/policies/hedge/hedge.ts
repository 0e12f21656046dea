import { UpstreamError } from '../../../errors.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import { RetryBudget } from '../retry/retry-budget.ts'
import type { Layer } from '../../call/layer.ts'
import { LatencyTracker } from './latency-tracker.ts'
import { HedgedCall } from './hedged-call.ts'

export interface HedgeOptions {
  /**
   * The time to wait for the first attempt before the second is sent, in ms. `undefined` uses a percentile of the
   * operation's latencies.
   */
  readonly delay: number | undefined
  /** The percentage of calls that are answered before a second attempt is sent. */
  readonly percentile: number
  /** The limit on second attempts, as a ratio to the calls of the last 10 s. */
  readonly maxRatio: number
  /** The retry budget of the upstream. Retries use it too. */
  readonly budget: RetryBudget
  /** A clock in ms. @default performance.now() */
  readonly now?: () => number
}

/** Latencies count for one to two times this time, in ms. */
const spanMs = 5000

/**
 * Sends a safe call a second time if its first attempt takes longer than nearly all attempts. The first good answer is
 * used, and the other attempt is aborted. After Dean and Barroso, "The Tail at Scale", and Finagle's
 * `BackupRequestFilter`.
 *
 * A second attempt takes a free permit and never waits in the queue. If no permit is free, it is tried again later.
 * Second attempts have their own limit in addition to the retry budget, so that they do not multiply the load when all
 * calls are slow.
 */
export function hedge({ delay, percentile, maxRatio, budget, now = () => performance.now() }: HedgeOptions): Layer {
  const own = new RetryBudget({ ratio: maxRatio, minPerSecond: 0 }, now)
  const operations = new WeakMap<OperationSpec, LatencyTracker>()

  /** Withdraws one second attempt from both budgets, or from neither. */
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
    if (!call.spec.safe || call.isOneShot || call.abort.aborted) return next(call)
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
        // A failure is not a measure of latency, except one that reached a time limit.
        if (error instanceof UpstreamError && error.statusCode === 504) tracker.record(now() - startedAt)
        throw error
      },
    )
  }
}
