import { Abort } from '../../core/abort.ts'
import type { LiveCall } from '../call/call.ts'
import type { Timer, TimerQueue } from '../../core/timer-queue.ts'

/** A call with a time limit, until `clear` ends it. */
export class TimedCall<T> extends Abort implements Timer {
  /** The call to send: it is aborted when the limit is reached. */
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

  /** Leaves no timer and no listener behind. */
  clear(): void {
    this.#timeouts.stop(this)
    this.#outer.delete(this)
  }
}
