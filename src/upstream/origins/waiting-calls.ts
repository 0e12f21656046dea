import { Abortable } from '../../core/abort.ts'
import { createTimerQueue, type Timer, type TimerQueue } from '../../core/timer-queue.ts'
import type { Completion } from '../call/layer.ts'
import type { LiveCall } from '../call/live-call.ts'

/** The calls that wait for the first origin. */
export interface WaitingCalls {
  /** Lets a call wait. `resume` is called at most once, when an origin is known. */
  add(call: LiveCall<unknown>, completion: Completion<never>, resume: () => void): void
  /** Resumes all calls. */
  resume(): void
  /** Rejects all calls, each with a result of `reason`. */
  reject(reason: () => unknown): void
}

/**
 * Creates a list of calls that wait for the first origin.
 *
 * @param limitMs - The limit on the wait of one call, in ms.
 * @param late - Returns the error of a call whose wait has reached the limit.
 */
export function createWaitingCalls(limitMs: number, late: () => Error): WaitingCalls {
  const waiting = new Set<WaitingCall>()
  const limits = createTimerQueue(limitMs, late)

  return {
    add(call, completion, resume) {
      waiting.add(new WaitingCall(call, completion, resume, limits, left => waiting.delete(left)))
    },
    resume() {
      for (const each of Array.from(waiting)) each.resume()
    },
    reject(reason) {
      // A copy, because a call that is rejected may be sent again at once.
      for (const each of Array.from(waiting)) each.onAbort(reason())
    },
  }
}

/** One call in the list. It leaves the list once. */
class WaitingCall extends Abortable {
  readonly #call: LiveCall<unknown>
  readonly #completion: Completion<never>
  readonly #resume: () => void
  readonly #limits: TimerQueue
  readonly #limit: Timer
  readonly #left: (call: WaitingCall) => boolean

  constructor(
    call: LiveCall<unknown>,
    completion: Completion<never>,
    resume: () => void,
    limits: TimerQueue,
    left: (call: WaitingCall) => boolean,
  ) {
    super()
    this.#call = call
    this.#completion = completion
    this.#resume = resume
    this.#limits = limits
    this.#limit = limits.start(this)
    this.#left = left
    call.abort.add(this)
  }

  resume(): void {
    if (this.#leave()) this.#resume()
  }

  /** Called when the call is aborted, at the limit, and when all calls are rejected. */
  onAbort(reason: unknown): void {
    if (this.#leave()) this.#completion.reject(reason)
  }

  /** Leaves the list. Returns false if the call has left it before, because a call that was resumed first aborted it. */
  #leave(): boolean {
    this.#limits.stop(this.#limit)
    this.#call.abort.delete(this)
    return this.#left(this)
  }
}
