import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/call.ts'
import type { Timer, TimerQueue } from '../../../core/timer-queue.ts'

/**
 * A question to a store that answers later: it ends as a miss when it fails or is late, and at once when its call is
 * given up.
 */
export class Lookup extends Abortable {
  /** Why it ends when the store takes too long. */
  static readonly late = Symbol('the store is late')

  readonly found: Promise<unknown>
  /** None once it has ended: a store that never answers would keep the whole run of the call. */
  #call: LiveCall<unknown> | undefined
  readonly #patience: TimerQueue
  readonly #due: Timer
  readonly #fault: () => void
  #resolve!: (stored: unknown) => void
  #reject!: (reason: unknown) => void

  constructor(call: LiveCall<unknown>, patience: TimerQueue, asked: Promise<unknown>, fault: () => void) {
    super()
    this.#call = call
    this.#patience = patience
    this.#fault = fault
    this.found = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    call.abort.add(this)
    this.#due = patience.start(this)
    asked.then(
      stored => {
        this.#leave()
        this.#resolve(stored)
      },
      () => {
        if (this.#due.isRunning) this.#miss()
      },
    )
  }

  onAbort(reason: unknown): void {
    if (reason === Lookup.late) return this.#miss()
    this.#leave()
    this.#reject(reason)
  }

  #miss(): void {
    this.#leave()
    this.#fault()
    this.#resolve(undefined)
  }

  #leave(): void {
    this.#call?.abort.delete(this)
    this.#call = undefined
    this.#patience.stop(this.#due)
  }
}
