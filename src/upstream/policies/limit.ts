import { Abort } from '../abort.ts'
import type { LiveCall } from '../call.ts'
import type { Due, Timeouts } from '../timeouts.ts'

/** A call with a timeout over it, until `lift` takes it away. */
export class Limited<T> {
  /** The call to send: it is cut when the timeout rings. */
  readonly call: LiveCall<T>
  readonly #outer: Abort
  readonly #timeouts: Timeouts
  readonly #due: Due

  constructor (call: LiveCall<T>, timeouts: Timeouts) {
    const abort = new Abort()
    call.abort.add(abort)
    this.call = call.under(abort)
    this.#outer = call.abort
    this.#timeouts = timeouts
    this.#due = timeouts.start(abort)
  }

  /** Leaves no timer and no listener behind. */
  lift (): void {
    this.#timeouts.stop(this.#due)
    this.#outer.delete(this.#due.abort)
  }
}
