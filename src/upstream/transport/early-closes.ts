/** Early closes are frequent when two come within this time, and stay so for this time after the second, in ms. */
const windowMs = 60_000

/**
 * Remembers how often an upstream closed a connection early: soon after an answer that did not announce it, maybe while
 * the next request was on its way.
 */
export class EarlyCloses {
  readonly #now: () => number
  #last = -Infinity
  #until = -Infinity

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Records an early close. */
  add(): void {
    const now = this.#now()
    if (now - this.#last <= windowMs) this.#until = now + windowMs
    this.#last = now
  }

  /** True for 60 s after the second of two early closes within 60 s. */
  get areFrequent(): boolean {
    return this.#until !== -Infinity && this.#now() < this.#until
  }
}
