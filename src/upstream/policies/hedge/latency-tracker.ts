import { RotatingHistogram } from './rotating-histogram.ts'

/** The time for which a computed delay is used, in ms. */
const readEveryMs = 250
/** The number of latencies that are needed before a delay is computed. */
const leastKnown = 100

/** The latencies of one operation, and the time after which one of its calls is slow. */
export class LatencyTracker {
  readonly #percentile: number
  readonly #now: () => number
  readonly #latencies: RotatingHistogram
  #delay: number | undefined
  #readAt = -Infinity

  /**
   * @param share - The share of calls, from 0 to 1, that are not slow.
   * @param spanMs - Latencies count for one to two times this long, in ms.
   * @param now - A clock in ms that never goes back.
   */
  constructor(share: number, spanMs: number, now: () => number) {
    this.#percentile = share
    this.#now = now
    this.#latencies = new RotatingHistogram(spanMs, now)
  }

  record(ms: number): void {
    this.#latencies.add(ms)
  }

  /** The time after which a call is slow, in ms; undefined while fewer than 100 latencies are known. */
  get delay(): number | undefined {
    const now = this.#now()
    if (now - this.#readAt >= readEveryMs) {
      this.#delay =
        this.#latencies.size < leastKnown ? undefined : Math.ceil(this.#latencies.percentile(this.#percentile))
      if (this.#delay !== undefined) this.#readAt = now
    }
    return this.#delay
  }
}
