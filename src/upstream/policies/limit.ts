import { Abort } from '../../core/abort.ts'
import type { LiveCall } from '../call/call.ts'
import type { Due, Timeouts } from '../../core/timer-queue.ts'

/** A call with a timeout over it, until `lift` takes it away. */
export class Limited<T> extends Abort implements Due {
  /** The call to send: it is cut when the timeout rings. */
  readonly call: LiveCall<T>
  readonly abort: Abort = this
  at = 0
  before: Due | undefined = undefined
  after: Due | undefined = undefined
  listed = false
  readonly #outer: Abort
  readonly #timeouts: Timeouts

  constructor (call: LiveCall<T>, timeouts: Timeouts) {
    super()
    this.#outer = call.abort
    this.#timeouts = timeouts
    call.abort.add(this)
    this.call = call.under(this)
    timeouts.enter(this)
  }

  /** Leaves no timer and no listener behind. */
  lift (): void {
    this.#timeouts.stop(this)
    this.#outer.delete(this)
  }
}
