/** Behind a slow answer stands at most this share of all calls, before batches become shorter. */
const heldUpShare = 0.02

/** A batch is slow when so many times as many calls as were under way at its start have begun and ended since. */
const turnovers = 4

/** One answer moves what is known of all by this share. */
const weight = 1 / 1024

/** Where a batch began. */
export interface BatchStart {
  readonly ended: number
  readonly underWay: number
}

/**
 * How many calls a batch may have, learned from how often an answer is slow: whoever stands behind it waits for it, so
 * the more there are of them the shorter batches must be. Slow is who is overtaken, which needs no clock, and is not
 * mistaken where this process was held up.
 */
export class BatchSize {
  readonly #most: number
  #ended = 0
  #underWay = 0
  /** Share of answers that were slow: a moving average. */
  #slow = 0
  /** Calls of one batch, now. */
  now: number

  constructor(most: number) {
    this.#most = this.now = most
  }

  began(): void {
    this.#underWay++
  }

  ended(): void {
    this.#underWay--
    this.#ended++
  }

  get start(): BatchStart {
    return { ended: this.#ended, underWay: this.#underWay }
  }

  /** Whether a batch that began there and has not ended is slow. */
  isSlow({ ended, underWay }: BatchStart): boolean {
    return this.#ended - ended > turnovers * (underWay + this.#most)
  }

  /** Learns of an answer that nobody held up, or that held up others. */
  learn(isSlow: boolean): void {
    this.#slow += ((isSlow ? 1 : 0) - this.#slow) * weight
    this.now = Math.max(1, Math.min(this.#most, Math.floor(heldUpShare / this.#slow)))
  }
}
