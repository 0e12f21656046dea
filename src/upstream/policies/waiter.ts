import { Abortable } from '../abort.ts'
import type { LiveCall } from '../call.ts'
import type { Admission } from './admission.ts'
import type { Taker } from './layer.ts'
import type { Line, Place } from './line.ts'

/** What waits, and where it goes. */
interface WaiterOptions {
  readonly call: LiveCall<unknown>
  readonly admission: Admission
  readonly taker: Taker<unknown>
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
  readonly #options: WaiterOptions

  constructor (options: WaiterOptions) {
    super()
    const { abort, scope } = options.call
    this.#since = scope.now()
    this.#options = options
    abort.add(this)
  }

  admit (): void {
    this.#leave()
    const { call, admission, taker, enter } = this.#options
    enter(call, admission, taker)
  }

  cut (reason: unknown): void {
    this.#leave()
    const { call, admission, taker } = this.#options
    if (call.effort.attempts === 0) admission.done(call)
    taker.lose(reason)
  }

  #leave (): void {
    const { call, admission, left } = this.#options
    call.abort.delete(this)
    call.effort.waitedMs += call.scope.now() - this.#since
    this.line?.leave(this)
    left(admission, call)
  }
}
