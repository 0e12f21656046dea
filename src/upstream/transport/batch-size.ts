/** Behind a slow answer stands at most this share of all calls, before batches become shorter. */
const maxHeldUpRatio = 0.02

/** A batch is slow when so many times as many calls as were under way at its start have begun and ended since. */
const turnovers = 4

/** One answer moves what is known of all by this share. */
const weight = 1 / 1024

/** Where a batch began. */
export interface BatchStart {
  readonly ended: number
  readonly inFlight: number
}

/**
 * How many calls a batch may have, learned from how often an answer is slow: whoever stands behind it waits for it, so
 * the more there are of them the shorter batches must be. Slow is who is overtaken, which needs no clock, and is not
 * mistaken where this process was held up.
 */
export class BatchSize {
  readonly #max: number
  #ended = 0
  #inFlight = 0
  /** Share of answers that were slow: a moving average. */
  #slowRatio = 0
  /** Calls of one batch, now. */
  current: number

  constructor(most: number) {
    this.#max = this.current = most
  }

  requestStarted(): void {
    this.#inFlight++
  }

  requestEnded(): void {
    this.#inFlight--
    this.#ended++
  }

  get start(): BatchStart {
    return { ended: this.#ended, inFlight: this.#inFlight }
  }

  /** Whether a batch that began there and has not ended is slow. */
  isSlow({ ended, inFlight: underWay }: BatchStart): boolean {
    return this.#ended - ended > turnovers * (underWay + this.#max)
  }

  /** Learns of an answer that nobody held up, or that held up others. */
  record(isSlow: boolean): void {
    this.#slowRatio += ((isSlow ? 1 : 0) - this.#slowRatio) * weight
    this.current = Math.max(1, Math.min(this.#max, Math.floor(maxHeldUpRatio / this.#slowRatio)))
  }
}
