import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/call.ts'

/** Waits for a time in ms. Rejects at once with the abort reason when the call is aborted. */
export function pause({ abort }: LiveCall<unknown>, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    abort.add(new Pause(ms, resolve, reject))
  })
}

class Pause extends Abortable {
  readonly #timer: NodeJS.Timeout
  readonly #reject: (reason: unknown) => void

  constructor(ms: number, resolve: () => void, reject: (reason: unknown) => void) {
    super()
    this.#reject = reject
    this.#timer = setTimeout(() => {
      this.listensTo?.delete(this)
      resolve()
    }, ms)
  }

  onAbort(reason: unknown): void {
    clearTimeout(this.#timer)
    this.listensTo?.delete(this)
    this.#reject(reason)
  }
}
