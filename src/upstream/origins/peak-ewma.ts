/** The time constant with which lower latencies move the average, in ms. */
const sampleTau = 2000

/** The time constant with which the cost of an idle origin falls, in ms. */
const idleTau = 10_000

/** The cost of an origin with an attempt in flight and no answer yet. It is above that of each origin with answers. */
const penalty = 1e9

/**
 * The moving average of the latency of an origin that follows peaks at once, and the cost of another attempt: Finagle's
 * peak EWMA (`PeakEwma.scala`). A higher latency replaces the average. A lower one moves the average by the time since
 * the last latency.
 *
 * Unlike in Finagle, the average falls without new latencies only while the origin is idle, and only for the
 * comparison. A slow origin is therefore tried again after some seconds, by one attempt: when this is in flight, the
 * last average counts again. If it fell during attempts, an origin that hangs would look better each second.
 *
 * The first time constant is shorter than the second one. A pause of this process lengthens the latencies of all
 * origins with attempts in flight. If these averages fell as slowly as the cost of an idle origin, an origin that is
 * slow by 10 × would look as good as the others for some seconds.
 */
export class PeakEwma {
  /** The average, in ms; 0 before the first latency. */
  average = 0
  #at = 0

  /**
   * Adds a latency.
   *
   * @param ms - The latency, in ms.
   * @param at - The present time, in ms.
   */
  add(ms: number, at: number): void {
    const weight = Math.exp((this.#at - at) / sampleTau)
    this.average = ms >= this.average ? ms : this.average * weight + ms * (1 - weight)
    this.#at = at
  }

  /** Replaces the average with that of other origins. */
  reset(average: number, at: number): void {
    this.average = average
    this.#at = at
  }

  /**
   * Returns the cost of another attempt: the average, times one more than the attempts in flight.
   *
   * @param active - The number of attempts in flight, divided by the share of the origin.
   * @param idleMs - The time since the last attempt ended, in ms. It counts if no attempt is in flight.
   */
  cost(active: number, idleMs: number): number {
    if (active === 0) return this.average * Math.exp(-idleMs / idleTau)
    return this.average === 0 ? penalty + active : this.average * (active + 1)
  }
}
