import { UpstreamError } from '../../../errors.ts'

/** The largest weight of one call in the average. */
const maxGain = 1 / 16
/** The time over which the average is taken, in ms. A single pause of the process must not change it. */
const averageOverMs = 250

/** The value before the first call has ended, in ms. */
const initialMs = 25

/** The time for which a call holds its permit. */
export class HoldingTime {
  /** The moving average, in ms. */
  ms = initialMs
  #recordedAt = -Infinity

  /**
   * Records one call. A failure counts only if the upstream answered or a time limit was reached.
   *
   * @param now - The present time, in ms.
   */
  record(ms: number, now: number, error?: unknown): void {
    const isCounted =
      error === undefined ||
      (error instanceof UpstreamError && (error.upstreamStatus !== undefined || error.statusCode === 504))
    if (!isCounted) return
    this.ms += (ms - this.ms) * Math.min(maxGain, (now - this.#recordedAt) / averageOverMs)
    this.#recordedAt = now
  }
}
