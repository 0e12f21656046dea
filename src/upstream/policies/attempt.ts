import { UpstreamError } from '../../errors.ts'
import type { LiveCall } from '../call/call.ts'
import { timeouts } from '../../core/timer-queue.ts'
import { codeOf } from '../call/classify.ts'
import type { Budget } from './retry/retry-budget.ts'
import { relay, type Answer, type Layer, type Taker } from './layer.ts'
import { Limited } from './limit.ts'

export interface AttemptOptions {
  readonly upstream: string
  /** Limit on one attempt, from dispatch to the last byte, in ms. */
  readonly timeout: number
  /** Hears of each call that is sent for the first time. */
  readonly budget?: Budget
}

/**
 * Counts an attempt, reports its start and end, and cuts it when it takes too long.
 * An unsafe call that has left is not cut: that would make its outcome unknown, and it cannot be asked again.
 */
export function attempt ({ upstream, timeout, budget }: AttemptOptions): Layer {
  const running = timeouts(timeout, () => new UpstreamError('UPSTREAM_TIMEOUT', upstream, { detail: `an attempt may take ${timeout} ms` }))

  return relay(next => (call, taker) => {
    if (call.abort.aborted) return taker.lose(call.abort.reason)
    const { scope, spec, effort } = call
    const number = ++effort.attempts
    effort.sent = call.attempt.sent = true
    if (number === 1) budget?.called()
    const at = scope.now()
    scope.emit({ type: 'attempt started', at, step: call.step, call: call.index, attempt: number })
    // Whoever was told may have given it up.
    if (call.abort.aborted) return new Attempted(call, number, undefined, taker).lose(call.abort.reason)

    // What the run's own deadline cuts earlier needs no timer of its own.
    const limit = spec.safe && scope.deadline - at > timeout ? new Limited(call, running) : undefined
    next(limit?.call ?? call, new Attempted(call, number, limit, taker))
  })
}

class Attempted<T> implements Taker<T> {
  readonly #call: LiveCall<T>
  readonly #number: number
  readonly #limit: Limited<T> | undefined
  readonly #taker: Taker<T>

  constructor (call: LiveCall<T>, number: number, limit: Limited<T> | undefined, taker: Taker<T>) {
    this.#call = call
    this.#number = number
    this.#limit = limit
    this.#taker = taker
  }

  win (answer: Answer<T>): void {
    this.#ended(undefined)
    this.#taker.win(answer)
  }

  lose (error: unknown): void {
    this.#ended(codeOf(error, this.#limit?.call ?? this.#call))
    this.#taker.lose(error)
  }

  #ended (code: string | undefined): void {
    if (this.#limit !== undefined) lift(this.#limit, this.#call)
    const { scope, step, index } = this.#call
    if (scope.isWatched !== false) scope.emit({ type: 'attempt ended', at: scope.now(), step, call: index, attempt: this.#number, code })
  }
}

/** What a layer below has answered before it was done with the wire is limited for as long as it holds its slot. */
function lift (limit: Limited<unknown>, { attempt: { held } }: LiveCall<unknown>): void {
  if (held === undefined || limit.call.abort.aborted) limit.lift()
  else void held.then(() => limit.lift())
}
