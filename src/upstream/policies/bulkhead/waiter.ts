import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/call.ts'
import type { Admission } from './admission.ts'
import type { Completion } from '../layer.ts'
import type { LinkedQueue, QueueNode } from '../../../core/linked-queue.ts'

/** Where a call waits, and where it goes. */
export interface WaiterCallbacks {
  /** It waits no longer, for whatever reason. */
  readonly left: (admission: Admission, call: LiveCall<unknown>) => void
  /** It has a permit. */
  readonly enter: (call: LiveCall<unknown>, admission: Admission, taker: Completion<unknown>) => void
}

/** A call that waits for a permit, and leaves at once when it is given up. */
export class Waiter extends Abortable implements QueueNode<Waiter> {
  line: LinkedQueue<Waiter> | undefined
  before: Waiter | undefined
  after: Waiter | undefined
  readonly #since: number
  readonly #call: LiveCall<unknown>
  readonly #admission: Admission
  readonly #taker: Completion<unknown>
  readonly #desk: WaiterCallbacks

  constructor(call: LiveCall<unknown>, admission: Admission, taker: Completion<unknown>, desk: WaiterCallbacks) {
    super()
    this.#since = call.scope.now()
    this.#call = call
    this.#admission = admission
    this.#taker = taker
    this.#desk = desk
    call.abort.add(this)
  }

  grant(): void {
    this.#leave()
    this.#desk.enter(this.#call, this.#admission, this.#taker)
  }

  onAbort(reason: unknown): void {
    this.#leave()
    if (this.#call.effort.attempts === 0) this.#admission.done(this.#call)
    this.#taker.reject(reason)
  }

  #leave(): void {
    const call = this.#call
    call.abort.delete(this)
    call.effort.waitedMs += call.scope.now() - this.#since
    this.line?.leave(this)
    this.#desk.left(this.#admission, call)
  }
}
