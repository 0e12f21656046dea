import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { Timer, TimerQueue } from '../../../core/timer-queue.ts'

/** Returns the cause of the fault of a store that took longer than `getTimeout`. */
export function lateError(): Error {
  return new Error('the store did not answer within its getTimeout')
}

/**
 * A lookup in a store that returned a promise. It resolves with `failed` when the store fails or is late. It rejects at
 * once when its call is aborted.
 */
export class PendingLookup extends Abortable {
  /** The abort reason when the store is late. */
  static readonly late = Symbol('the store is late')
  /** The result if the store has failed or is late. */
  static readonly failed = Symbol('the store has failed')

  readonly found: Promise<unknown>
  /** `undefined` after the end, because a promise of the store that never settles would retain the run of the call. */
  #call: LiveCall<unknown> | undefined
  readonly #timeout: TimerQueue
  readonly #due: Timer
  readonly #fault: (cause: unknown) => void
  #resolve!: (stored: unknown) => void
  #reject!: (reason: unknown) => void

  constructor(call: LiveCall<unknown>, timeout: TimerQueue, asked: Promise<unknown>, fault: (cause: unknown) => void) {
    super()
    this.#call = call
    this.#timeout = timeout
    this.#fault = fault
    this.found = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    call.abort.add(this)
    this.#due = timeout.start(this)
    asked.then(
      stored => {
        this.#leave()
        this.#resolve(stored)
      },
      cause => {
        if (this.#due.isRunning) this.#fail(cause)
      },
    )
  }

  onAbort(reason: unknown): void {
    if (reason === PendingLookup.late) return this.#fail(lateError())
    this.#leave()
    this.#reject(reason)
  }

  #fail(cause: unknown): void {
    this.#leave()
    this.#fault(cause)
    this.#resolve(PendingLookup.failed)
  }

  #leave(): void {
    this.#call?.abort.delete(this)
    this.#call = undefined
    this.#timeout.stop(this.#due)
  }
}
