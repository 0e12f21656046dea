import { Abortable } from '../../../core/abort.ts'
import type { Timer, TimerQueue } from '../../../core/timer-queue.ts'
import { lateError } from './pending-lookup.ts'

/** The events of an invalidation that a store confirms later. */
export interface InvalidationEvents {
  /** Called once with the cause when the invalidation fails or is late. */
  onFault(cause: unknown): void
  /** Called when the invalidation is confirmed, has failed or is late. */
  onEnd(isLate: boolean): void
}

/** An invalidation that a store has not confirmed yet. Its fault is also reported after its call has ended. */
export class PendingInvalidation extends Abortable {
  readonly #timeout: TimerQueue
  readonly #timer: Timer
  /** `undefined` after the end, because a promise of the store that never settles would retain the call. */
  #events: InvalidationEvents | undefined

  constructor(pending: Promise<unknown>, timeout: TimerQueue, events: InvalidationEvents) {
    super()
    this.#timeout = timeout
    this.#events = events
    this.#timer = timeout.start(this)
    pending.then(
      () => this.#end(false),
      cause => this.#fail(cause, false),
    )
  }

  /** Called by the timer. */
  onAbort(): void {
    this.#fail(lateError(), true)
  }

  /** Ends it without a report. */
  close(): void {
    this.#timeout.stop(this.#timer)
    this.#events = undefined
  }

  #fail(cause: unknown, isLate: boolean): void {
    this.#events?.onFault(cause)
    this.#end(isLate)
  }

  #end(isLate: boolean): void {
    const events = this.#events
    this.close()
    events?.onEnd(isLate)
  }
}
