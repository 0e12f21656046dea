/**
 * Early closes are frequent if two occur within this time. They stay frequent for this time after the second close, in
 * ms.
 */
const windowMs = 60_000

/**
 * Records early closes of connections by an upstream: soon after a response that did not announce it. The next request
 * may already be in flight.
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
