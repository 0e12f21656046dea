/** The shortest time over which the share is measured, in ms. */
const minMs = 50
/** The longest one. The share of a longer time says nothing about its end. In ms. */
const maxMs = 1000
/** The share from which on the loop is busy. */
const busyShare = 0.9

/** The share of the time in which the event loop was not idle. */
export class LoopShare {
  readonly #activeMs: () => number
  #measuredAt = -Infinity
  #activeThen = 0
  #share = 0

  /**
   * @param activeMs - Returns the time in which the loop was not idle, in ms from any start. @default that of this
   *   process
   */
  constructor(activeMs = () => performance.eventLoopUtilization().active) {
    this.#activeMs = activeMs
  }

  /**
   * Returns whether the loop was busy for nearly all of the last 50 ms or more. Call it often: after a second without a
   * call the loop counts as idle until the next 50 ms are over.
   *
   * @param now - The present time, in ms.
   */
  isBusy(now: number): boolean {
    const elapsedMs = now - this.#measuredAt
    if (elapsedMs >= minMs) {
      const activeMs = this.#activeMs()
      this.#share = elapsedMs <= maxMs ? (activeMs - this.#activeThen) / elapsedMs : 0
      this.#measuredAt = now
      this.#activeThen = activeMs
    }
    return this.#share >= busyShare
  }
}

/** The event loop of this process. All bulkheads measure it together. */
export const ownLoop = new LoopShare()
