import { UpstreamError } from '../../errors.ts'
import type { UpstreamMetrics } from '../../metrics/upstream-metrics.ts'
import type { Cached } from '../spec/answer.ts'
import type { LiveCall } from '../call/live-call.ts'
import { codeOf, classify } from '../call/classify.ts'
import { callbackLayer, type Answer, type Layer, type Completion } from '../call/layer.ts'

/** The counts of an upstream's calls since the start of the runtime. */
export interface Counts {
  /** The number of calls. */
  calls: number
  /** The number of calls that succeeded. */
  ok: number
  /** The number of calls that failed with evidence against the upstream. */
  failed: number
  /**
   * The number of calls that ended for other reasons: refused by Headwaters, aborted by the caller, or refused as a bad
   * request.
   */
  ignored: number
  /** The number of attempts that were sent. */
  attempts: number
  /** The total time that calls have waited in the queue, in ms. */
  queuedMs: number
}

/**
 * Counts every call by its outcome, and reports its end to its run. It is the outermost layer, so it also sees refusals
 * and the time in the queue.
 *
 * @param metrics The metrics of the upstream. @default counted in no metrics
 */
export function observe(counts: Counts, metrics?: UpstreamMetrics): Layer {
  return callbackLayer(next => (call, completion) => {
    counts.calls++
    if (metrics !== undefined) call.metrics = metrics.of(call.spec)
    next(call, new Observed(counts, call, completion))
  })
}

class Observed<T> implements Completion<T> {
  readonly #counts: Counts
  readonly #call: LiveCall<T>
  readonly #completion: Completion<T>

  constructor(counts: Counts, call: LiveCall<T>, completion: Completion<T>) {
    this.#counts = counts
    this.#call = call
    this.#completion = completion
  }

  resolve(answer: Answer<T>): void {
    this.#counts.ok++
    const { cached } = answer
    this.#ended(
      cached?.insteadOf === undefined ? answer.status : cached.insteadOf.upstreamStatus,
      undefined,
      undefined,
      cached,
    )
    this.#completion.resolve(answer)
  }

  reject(error: unknown): void {
    this.#counts[classify(error, this.#call.effort.sent)]++
    const failure = error instanceof UpstreamError ? error : undefined
    this.#ended(failure?.upstreamStatus, codeOf(error, this.#call), failure, undefined)
    this.#completion.reject(error)
  }

  #ended(
    status: number | undefined,
    code: string | undefined,
    error: UpstreamError | undefined,
    cached: Cached | undefined,
  ): void {
    const {
      effort: { attempts, queuedMs },
      scope,
      step,
      index,
      spec: { name: operation, upstream },
      metrics,
    } = this.#call
    this.#counts.attempts += attempts
    this.#counts.queuedMs += queuedMs
    metrics.callEnded(code)
    scope.emit({
      type: 'call ended',
      at: scope.now(),
      step,
      call: index,
      upstream: upstream.name,
      operation,
      attempts,
      status,
      code,
      error,
      cached,
    })
  }
}
