/** The calls that wait for a permit, in the order in which they receive it. */
export interface PermitQueue {
  /** Removes and returns the call that receives the next permit. */
  next(): { grant(): void } | undefined
}

/**
 * A counting semaphore. At most `limit` permits are in use, and a released permit goes to the queue first.
 *
 * No permit is free while a call waits, so a new call cannot overtake the queue. When `limit` becomes lower, calls keep
 * their permits, and no permit is granted until fewer than `limit` are in use. When `limit` becomes higher, the
 * additional permits are granted at once.
 */
export class Semaphore {
  /** The limit on the permits in use. */
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

  /** Releases a permit, and grants every free permit to the queue. */
  release(): void {
    this.active--
    this.#drain()
  }

  /** Changes the limit. If it becomes higher, the additional permits are granted to the queue. */
  setLimit(limit: number): void {
    const isHigher = limit > this.limit
    this.limit = limit
    if (isHigher) this.#drain()
  }

  #drain(): void {
    // A granted call may end synchronously and release its permit here. The running loop grants that permit too.
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
