import { UpstreamError } from '../../errors.ts'
import type { LiveCall } from '../call/live-call.ts'
import { createTimerQueue } from '../../core/timer-queue.ts'
import { sampledTraceId } from '../../trace/sampled-trace-id.ts'
import { codeOf } from '../call/classify.ts'
import type { RetryBudget } from './retry/retry-budget.ts'
import { type Layer, callbackLayer, type Completion } from '../call/layer.ts'
import type { Answer } from '../spec/answer.ts'
import type { AttemptSpan, SpanServer } from '../call/spans.ts'
import { TimedCall } from './timed-call.ts'

export interface AttemptOptions {
  readonly upstream: string
  /** Limit on one attempt, from dispatch to the last byte, in ms. */
  readonly timeout: number
  /** Receives a deposit for each call that is sent for the first time. */
  readonly budget?: RetryBudget
  /** The server of the requests, for the spans of attempts. @default not in the spans */
  readonly server?: SpanServer
}

/**
 * Counts and measures an attempt, reports its start and end, and aborts it at its time limit. An unsafe call has no
 * such limit: an abort after it was sent would make its outcome unknown, and it cannot be sent again.
 */
export function attempt({ upstream, timeout, budget, server }: AttemptOptions): Layer {
  const running = createTimerQueue(
    timeout,
    () => new UpstreamError('UPSTREAM_TIMEOUT', upstream, { detail: `the limit of an attempt is ${timeout} ms` }),
  )

  return callbackLayer(next => (call, completion) => {
    if (call.abort.aborted) return completion.reject(call.abort.reason)
    const { scope, spec, effort } = call
    const number = ++effort.attempts
    effort.sent = call.attempt.sent = true
    if (number === 1) budget?.deposit()
    const span =
      scope.spans === undefined
        ? undefined
        : scope.spans.attemptStarted(call, number, call.attempt.origin?.server ?? server)
    effort.span = call.attempt.span = span
    const at = scope.now()
    call.metrics.attemptStarted(number)
    scope.emit({
      type: 'attempt started',
      at,
      step: call.step,
      call: call.index,
      upstream,
      operation: spec.name,
      attempt: number,
      // Only the second attempt of a hedge may not wait.
      kind: !call.attempt.mayWait ? 'hedge' : number === 1 ? 'first' : 'retry',
    })
    // A listener of the event may have aborted the call.
    if (call.abort.aborted)
      return new Attempted(call, number, at, undefined, completion, span).reject(call.abort.reason)

    // An attempt needs no timer if the deadline of the run is earlier.
    const limit = spec.safe && scope.deadline - at > timeout ? new TimedCall(call, running) : undefined
    next(limit?.call ?? call, new Attempted(call, number, at, limit, completion, span))
  })
}

class Attempted<T> implements Completion<T> {
  readonly #call: LiveCall<T>
  readonly #number: number
  /** The time of its start, in ms from the start of the run. */
  readonly #startedAt: number
  readonly #limit: TimedCall<T> | undefined
  readonly #completion: Completion<T>
  readonly #span: AttemptSpan | undefined

  constructor(
    call: LiveCall<T>,
    number: number,
    startedAt: number,
    limit: TimedCall<T> | undefined,
    completion: Completion<T>,
    span: AttemptSpan | undefined,
  ) {
    this.#call = call
    this.#number = number
    this.#startedAt = startedAt
    this.#limit = limit
    this.#completion = completion
    this.#span = span
  }

  resolve(answer: Answer<T>): void {
    const { metrics, scope } = this.#call
    const at = scope.now()
    metrics.attemptAnswered(at - this.#startedAt, answer.status, sampledTraceId(scope.trace))
    if (this.#span !== undefined) {
      this.#call.effort.span = this.#span
      this.#span.answered(answer.status)
    }
    this.#ended(at, answer.status, undefined)
    this.#completion.resolve(answer)
  }

  reject(error: unknown): void {
    const { metrics, scope } = this.#call
    const at = scope.now()
    const code = codeOf(error, this.#limit?.call ?? this.#call)
    const status = error instanceof UpstreamError ? error.upstreamStatus : undefined
    metrics.attemptFailed(at - this.#startedAt, code, status, sampledTraceId(scope.trace))
    this.#span?.failed(error, code)
    this.#ended(at, status, code)
    this.#completion.reject(error)
  }

  #ended(at: number, status: number | undefined, code: string | undefined): void {
    if (this.#limit !== undefined) lift(this.#limit, this.#call)
    const { scope, step, index, spec } = this.#call
    if (scope.isWatched === false) return
    scope.emit({
      type: 'attempt ended',
      at,
      step,
      call: index,
      upstream: spec.upstream.name,
      operation: spec.name,
      attempt: this.#number,
      status,
      code,
    })
  }
}

/**
 * Removes the time limit of an attempt. If the attempt was answered early, its limit stays until it releases its
 * permit.
 */
function lift(limit: TimedCall<unknown>, { attempt: { held } }: LiveCall<unknown>): void {
  if (held === undefined || limit.call.abort.aborted) limit.clear()
  else void held.then(() => limit.clear())
}
