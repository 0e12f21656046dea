import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/call.ts'
import type { Admission } from './admission.ts'
import type { Taker } from '../layer.ts'
import type { Line, Place } from '../../../core/linked-queue.ts'

/** Where a call waits, and where it goes. */
export interface Desk {
  /** It waits no longer, for whatever reason. */
  readonly left: (admission: Admission, call: LiveCall<unknown>) => void
  /** It has a slot. */
  readonly enter: (call: LiveCall<unknown>, admission: Admission, taker: Taker<unknown>) => void
}

/** A call that waits for a slot, and leaves at once when it is given up. */
export class Waiter extends Abortable implements Place<Waiter> {
  line: Line<Waiter> | undefined
  before: Waiter | undefined
  after: Waiter | undefined
  readonly #since: number
  readonly #call: LiveCall<unknown>
  readonly #admission: Admission
  readonly #taker: Taker<unknown>
  readonly #desk: Desk

  constructor (call: LiveCall<unknown>, admission: Admission, taker: Taker<unknown>, desk: Desk) {
    super()
    this.#since = call.scope.now()
    this.#call = call
    this.#admission = admission
    this.#taker = taker
    this.#desk = desk
    call.abort.add(this)
  }

  admit (): void {
    this.#leave()
    this.#desk.enter(this.#call, this.#admission, this.#taker)
  }

  cut (reason: unknown): void {
    this.#leave()
    if (this.#call.effort.attempts === 0) this.#admission.done(this.#call)
    this.#taker.lose(reason)
  }

  #leave (): void {
    const call = this.#call
    call.abort.delete(this)
    call.effort.waitedMs += call.scope.now() - this.#since
    this.line?.leave(this)
    this.#desk.left(this.#admission, call)
  }
}
