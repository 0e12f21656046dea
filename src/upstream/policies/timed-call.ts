import { Abort } from '../../core/abort.ts'
import type { LiveCall } from '../call/live-call.ts'
import type { Timer, TimerQueue } from '../../core/timer-queue.ts'

/** A call with a time limit. `clear` removes the limit. */
export class TimedCall<T> extends Abort implements Timer {
  /** The call to send. It is aborted at the limit. */
  readonly call: LiveCall<T>
  readonly target = this
  dueAt = 0
  previousTimer: Timer | undefined = undefined
  nextTimer: Timer | undefined = undefined
  isRunning = false
  readonly #outer: Abort
  readonly #timeouts: TimerQueue

  constructor(call: LiveCall<T>, timeouts: TimerQueue) {
    super()
    this.#outer = call.abort
    this.#timeouts = timeouts
    call.abort.add(this)
    this.call = call.withAbort(this)
    timeouts.add(this)
  }

  /** Removes the timer and the abort listener. */
  clear(): void {
    this.#timeouts.stop(this)
    this.#outer.delete(this)
  }
}
