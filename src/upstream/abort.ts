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
  /** The only listener, as long as there is one: the abort of a single attempt needs no set. */
  #one: Abortable | undefined
  #many: Set<Abortable> | undefined
  #controller: AbortController | undefined

  /** Tells `listener` when the abort comes. It is not told of one that has come: ask `aborted` first. */
  add (listener: Abortable): void {
    if (this.#many !== undefined) this.#many.add(listener)
    else if (this.#one === undefined) this.#one = listener
    else {
      this.#many = new Set([this.#one, listener])
      this.#one = undefined
    }
  }

  delete (listener: Abortable): void {
    if (this.#one === listener) this.#one = undefined
    else this.#many?.delete(listener)
  }

  /** How many are listening: 0 when nothing of a run goes on. */
  get size (): number {
    return this.#many?.size ?? (this.#one === undefined ? 0 : 1)
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
    this.#one?.cut(reason)
    if (this.#many !== undefined) for (const listener of this.#many) listener.cut(reason)
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
