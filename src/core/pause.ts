import { Abortable, type Abort } from './abort.ts'

/**
 * Waits for a time in ms. Rejects at once with the abort reason when `abort` is aborted.
 *
 * @param onEnd - Called when the wait ends, for any reason, before the promise settles.
 */
export function pause(abort: Abort, ms: number, onEnd?: () => void): Promise<void> {
  if (abort.aborted) return Promise.reject(abort.reason)
  return new Promise((resolve, reject) => {
    abort.add(new Pause(ms, resolve, reject, onEnd))
  })
}

class Pause extends Abortable {
  readonly #timer: NodeJS.Timeout
  readonly #reject: (reason: unknown) => void
  readonly #onEnd: (() => void) | undefined

  constructor(ms: number, resolve: () => void, reject: (reason: unknown) => void, onEnd: (() => void) | undefined) {
    super()
    this.#reject = reject
    this.#onEnd = onEnd
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
    this.#onEnd?.()
  }
}
