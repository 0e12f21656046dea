/** Something that can be told to stop. */
export interface Abortable {
  cut (reason: unknown): void
}

/**
 * One abort that many calls listen to: what an `AbortSignal` does, without an event, a wrapper and a listener record per call
 * (`npm run bench:steps` has both prices).
 */
export class Abort implements Abortable {
  aborted = false
  reason: unknown = undefined
  #listeners: Set<Abortable> | undefined
  #controller: AbortController | undefined

  /** Tells `listener` when the abort comes. It is not told of one that has come: ask `aborted` first. */
  add (listener: Abortable): void {
    (this.#listeners ??= new Set()).add(listener)
  }

  delete (listener: Abortable): void {
    this.#listeners?.delete(listener)
  }

  /** How many are listening: 0 when nothing of a run goes on. */
  get size (): number {
    return this.#listeners?.size ?? 0
  }

  /**
   * Stops everything that listens; the first reason is the one that stays.
   * A listener that has not gone is told again: an unsafe call that outlived its run still hears the deadline.
   */
  cut (reason: unknown): void {
    if (!this.aborted) {
      this.aborted = true
      this.reason = reason
    }
    const listeners = this.#listeners
    if (listeners !== undefined) for (const listener of listeners) listener.cut(reason)
    this.#controller?.abort(reason)
  }

  /** The same abort for code that wants an `AbortSignal`; made when first asked for. */
  get signal (): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.aborted) this.#controller.abort(this.reason)
    }
    return this.#controller.signal
  }
}
