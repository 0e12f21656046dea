/** A listener of an `Abort`. It listens to one abort at a time, and holds its own links in the list of listeners. */
export abstract class Abortable {
  listensTo: Abort | undefined
  previous: Abortable | undefined
  next: Abortable | undefined

  abstract onAbort(reason: unknown): void
}

/**
 * An abort with many listeners: an `AbortSignal` without an event, a wrapper and a listener record per call. The
 * listeners form a linked list, so adding and removing one takes constant time (`npm run bench:steps` measures both).
 */
export class Abort extends Abortable {
  aborted = false
  reason: unknown = undefined
  /** The number of listeners; 0 when no call of a run is in flight. */
  size = 0
  #first: Abortable | undefined
  #last: Abortable | undefined
  #controller: AbortController | undefined

  /** Adds a listener. It is not called for an earlier abort: check `aborted` first. */
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
   * Calls `onAbort` of every listener. `reason` keeps the first reason. A second abort calls the remaining listeners:
   * an unsafe call that is still in flight after the end of its run still gets the deadline.
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

  /** Returns a copy, because listeners are removed while they are called. */
  #listeners(): Abortable[] {
    const listeners: Abortable[] = []
    for (let each = this.#first; each !== undefined; each = each.next) listeners.push(each)
    return listeners
  }

  /** The same abort as an `AbortSignal`; created at the first access. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.aborted) this.#controller.abort(this.reason)
    }
    return this.#controller.signal
  }
}
