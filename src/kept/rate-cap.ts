/** Lets through a limited number of runs in each span of time. */
export class RateCap {
  readonly #most: number
  readonly #spanMs: number
  #startedAt = -Infinity
  #passed = 0

  constructor(most: number, spanMs: number) {
    this.#most = most
    this.#spanMs = spanMs
  }

  /** Returns whether one more run may pass at a time in ms. */
  passes(now: number): boolean {
    if (now - this.#startedAt >= this.#spanMs) {
      this.#startedAt = now
      this.#passed = 0
    }
    return this.#passed < this.#most && ++this.#passed > 0
  }
}
