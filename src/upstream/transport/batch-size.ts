/** The ratio of calls that may wait behind a slow response. Above it, batches become smaller. */
const maxHeldUpRatio = 0.02

/**
 * A batch is slow if the number of other calls that have started and ended since its start is above a limit. The limit
 * is this many times the calls in flight at its start.
 */
const turnovers = 4

/** The weight of one response in the moving average. */
const weight = 1 / 1024

/** The counters at the start of a batch. */
export interface BatchStart {
  readonly ended: number
  readonly inFlight: number
}

/**
 * Adapts the number of calls of a batch to the ratio of slow responses. Each call of a batch waits for the responses
 * before it, so more slow responses need smaller batches. A batch is slow if many other calls start and end while it is
 * in flight. This test needs no clock, so a delay of this process does not count as a slow response.
 */
export class BatchSize {
  readonly #max: number
  #ended = 0
  #inFlight = 0
  /** The ratio of slow responses, as a moving average. */
  #slowRatio = 0
  /** The present limit on the calls of a batch. */
  current: number

  constructor(max: number) {
    this.#max = this.current = max
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

  /** Returns whether a batch with this start is slow. The batch must not have ended. */
  isSlow({ ended, inFlight: underWay }: BatchStart): boolean {
    return this.#ended - ended > turnovers * (underWay + this.#max)
  }

  /** Records a response, and whether its batch is slow. */
  record(isSlow: boolean): void {
    this.#slowRatio += ((isSlow ? 1 : 0) - this.#slowRatio) * weight
    this.current = Math.max(1, Math.min(this.#max, Math.floor(maxHeldUpRatio / this.#slowRatio)))
  }
}
