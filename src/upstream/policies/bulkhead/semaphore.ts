/** The calls that wait for a permit, in the order in which they get one. */
export interface PermitQueue {
  /** Returns the call that gets the next permit; the queue removes it when the permit is granted. */
  next(): { grant(): void } | undefined
}

/**
 * A counting semaphore: at most `limit` permits are in use, and a permit that is released goes to the queue first.
 *
 * A permit is never free while a call waits, so a new call cannot overtake the queue. When `limit` becomes lower, calls
 * keep the permits they hold, and no permit is granted until fewer than `limit` are in use. A higher `limit` grants its
 * permits at once.
 */
export class Semaphore {
  /** Permits at most. */
  limit: number
  /** Permits in use. */
  active = 0
  readonly #queue: PermitQueue
  #isDraining = false

  constructor(limit: number, queue: PermitQueue) {
    this.limit = limit
    this.#queue = queue
  }

  get isFree(): boolean {
    return this.active < this.limit
  }

  /** Takes a permit if one is free. */
  tryAcquire(): boolean {
    if (this.active >= this.limit) return false
    this.active++
    return true
  }

  /** Gives a permit back, and grants every permit that is free to the queue. */
  release(): void {
    this.active--
    this.#drain()
  }

  /** Changes the limit; permits of a higher one are granted to the queue. */
  setLimit(limit: number): void {
    const isHigher = limit > this.limit
    this.limit = limit
    if (isHigher) this.#drain()
  }

  #drain(): void {
    // A granted call may end synchronously and release its permit here: the loop that is under way grants that one too.
    if (this.#isDraining) return
    this.#isDraining = true
    while (this.active < this.limit) {
      const next = this.#queue.next()
      if (next === undefined) break
      this.active++
      next.grant()
    }
    this.#isDraining = false
  }
}
