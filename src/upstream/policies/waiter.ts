import { Abortable } from '../abort.ts'
import type { LiveCall } from '../call.ts'
import type { Admission } from './admission.ts'
import type { Line, Place } from './line.ts'

/** A call that waits for a slot, and leaves at once when it is given up. */
export class Waiter extends Abortable implements Place<Waiter> {
  line: Line<Waiter> | undefined
  before: Waiter | undefined
  after: Waiter | undefined
  readonly #call: LiveCall<unknown>
  readonly #since: number
  readonly #admission: Admission
  readonly #left: (admission: Admission, call: LiveCall<unknown>) => void
  readonly #resolve: () => void
  readonly #reject: (reason: unknown) => void

  constructor (call: LiveCall<unknown>, admission: Admission, left: (admission: Admission, call: LiveCall<unknown>) => void, resolve: () => void, reject: (reason: unknown) => void) {
    super()
    this.#call = call
    this.#since = call.scope.now()
    this.#admission = admission
    this.#left = left
    this.#resolve = resolve
    this.#reject = reject
    call.abort.add(this)
  }

  admit (): void {
    this.#leave()
    this.#resolve()
  }

  cut (reason: unknown): void {
    this.#leave()
    if (this.#call.effort.attempts === 0) this.#admission.done(this.#call)
    this.#reject(reason)
  }

  #leave (): void {
    const { abort, effort, scope } = this.#call
    abort.delete(this)
    effort.waitedMs += scope.now() - this.#since
    this.line?.leave(this)
    this.#left(this.#admission, this.#call)
  }
}
