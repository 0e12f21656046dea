import { UpstreamError } from '../../errors.ts'
import type { LiveCall } from '../call/call.ts'
import { createTimerQueue } from '../../core/timer-queue.ts'
import { codeOf } from '../call/classify.ts'
import type { RetryBudget } from './retry/retry-budget.ts'
import { type Layer, callbackLayer, type Completion } from '../call/layer.ts'
import type { Answer } from '../spec/answer.ts'
import { TimedCall } from './timed-call.ts'

export interface AttemptOptions {
  readonly upstream: string
  /** Limit on one attempt, from dispatch to the last byte, in ms. */
  readonly timeout: number
  /** Receives a deposit for each call that is sent for the first time. */
  readonly budget?: RetryBudget
}

/**
 * Counts an attempt, reports its start and end, and aborts it at its time limit. An unsafe call has no such limit: an
 * abort after it was sent would make its outcome unknown, and it cannot be sent again.
 */
export function attempt({ upstream, timeout, budget }: AttemptOptions): Layer {
  const running = createTimerQueue(
    timeout,
    () => new UpstreamError('UPSTREAM_TIMEOUT', upstream, { detail: `an attempt may take ${timeout} ms` }),
  )

  return callbackLayer(next => (call, completion) => {
    if (call.abort.aborted) return completion.reject(call.abort.reason)
    const { scope, spec, effort } = call
    const number = ++effort.attempts
    effort.sent = call.attempt.sent = true
    if (number === 1) budget?.deposit()
    const at = scope.now()
    scope.emit({
      type: 'attempt started',
      at,
      step: call.step,
      call: call.index,
      upstream,
      operation: spec.name,
      attempt: number,
    })
    // A listener of the event may have aborted the call.
    if (call.abort.aborted) return new Attempted(call, number, undefined, completion).reject(call.abort.reason)

    // An attempt needs no timer if the deadline of the run is earlier.
    const limit = spec.safe && scope.deadline - at > timeout ? new TimedCall(call, running) : undefined
    next(limit?.call ?? call, new Attempted(call, number, limit, completion))
  })
}

class Attempted<T> implements Completion<T> {
  readonly #call: LiveCall<T>
  readonly #number: number
  readonly #limit: TimedCall<T> | undefined
  readonly #completion: Completion<T>

  constructor(call: LiveCall<T>, number: number, limit: TimedCall<T> | undefined, completion: Completion<T>) {
    this.#call = call
    this.#number = number
    this.#limit = limit
    this.#completion = completion
  }

  resolve(answer: Answer<T>): void {
    this.#ended(undefined)
    this.#completion.resolve(answer)
  }

  reject(error: unknown): void {
    this.#ended(codeOf(error, this.#limit?.call ?? this.#call))
    this.#completion.reject(error)
  }

  #ended(code: string | undefined): void {
    if (this.#limit !== undefined) lift(this.#limit, this.#call)
    const { scope, step, index, spec } = this.#call
    if (scope.isWatched === false) return
    scope.emit({
      type: 'attempt ended',
      at: scope.now(),
      step,
      call: index,
      upstream: spec.upstream.name,
      operation: spec.name,
      attempt: this.#number,
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
