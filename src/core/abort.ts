/**
 * Something that can be told to stop; it listens to one abort at a time, and holds its own place among the listeners.
 */
export abstract class Abortable {
  listensTo: Abort | undefined
  previous: Abortable | undefined
  next: Abortable | undefined

  abstract onAbort(reason: unknown): void
}

/**
 * One abort that many calls listen to: what an `AbortSignal` does, without an event, a wrapper and a listener record
 * per call. The listeners are linked through themselves, so joining and leaving costs the same however many there are
 * (`npm run bench:steps` has the price of both).
 */
export class Abort extends Abortable {
  aborted = false
  reason: unknown = undefined
  /** How many are listening: 0 when nothing of a run goes on. */
  size = 0
  #first: Abortable | undefined
  #last: Abortable | undefined
  #controller: AbortController | undefined

  /** Tells `listener` when the abort comes. It is not told of one that has come: ask `aborted` first. */
  add(listener: Abortable): void {
    listener.listensTo = this
    listener.previous = this.#last
    if (this.#last === undefined) this.#first = listener
    else this.#last.next = listener
    this.#last = listener
    this.size++
  }

  delete(listener: Abortable): void {
    if (listener.listensTo !== this) return
    const { previous: prior, next } = listener
    if (prior === undefined) this.#first = next
    else prior.next = next
    if (next === undefined) this.#last = prior
    else next.previous = prior
    listener.listensTo = listener.previous = listener.next = undefined
    this.size--
  }

  /**
   * Stops everything that listens; the first reason is the one that stays.
   * A listener that has not gone is told again: an unsafe call that outlived its run still hears the deadline.
   */
  abort(reason: unknown): void {
    if (!this.aborted) {
      this.aborted = true
      this.reason = reason
    }
    if (this.#first !== undefined)
      for (const listener of this.#listeners()) if (listener.listensTo === this) listener.onAbort(reason)
    this.#controller?.abort(reason)
  }

  onAbort(reason: unknown): void {
    this.abort(reason)
  }

  /** A copy, since listeners leave while they are told. */
  #listeners(): Abortable[] {
    const listeners: Abortable[] = []
    for (let each = this.#first; each !== undefined; each = each.next) listeners.push(each)
    return listeners
  }

  /** The same abort for code that wants an `AbortSignal`; made when first asked for. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.aborted) this.#controller.abort(this.reason)
    }
    return this.#controller.signal
  }
}
