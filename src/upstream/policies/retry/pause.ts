import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { reportWait } from '../../call/wait.ts'

/** Waits for a time in ms. Rejects at once with the abort reason when the call is aborted. */
export function pause(call: LiveCall<unknown>, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    call.abort.add(new Pause(call, ms, resolve, reject))
  })
}

class Pause extends Abortable {
  readonly #timer: NodeJS.Timeout
  readonly #call: LiveCall<unknown>
  readonly #since: number
  readonly #reject: (reason: unknown) => void

  constructor(call: LiveCall<unknown>, ms: number, resolve: () => void, reject: (reason: unknown) => void) {
    super()
    this.#call = call
    this.#since = call.scope.now()
    this.#reject = reject
    this.#timer = setTimeout(() => {
      this.#leave()
      resolve()
    }, ms)
  }

  onAbort(reason: unknown): void {
    clearTimeout(this.#timer)
    this.#leave()
    this.#reject(reason)
  }

  #leave(): void {
    this.listensTo?.delete(this)
    reportWait(this.#call, 'retry', this.#call.scope.now() - this.#since)
  }
}
