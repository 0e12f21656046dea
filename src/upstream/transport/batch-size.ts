/** Ratio of calls that may wait behind a slow response before batches become smaller. */
const maxHeldUpRatio = 0.02

/** A batch is slow once this many times the calls in flight at its start have started and ended since. */
const turnovers = 4

/** Weight of one response in the moving average. */
const weight = 1 / 1024

/** The counters at the start of a batch. */
export interface BatchStart {
  readonly ended: number
  readonly inFlight: number
}

/**
 * Adapts the number of calls of a batch to the ratio of slow responses. Each call of a batch waits for the responses
 * before it, so more slow responses need smaller batches. A batch is slow if many other calls start and end meanwhile.
 * That needs no clock, so a delay of this process is not mistaken for a slow response.
 */
export class BatchSize {
  readonly #max: number
  #ended = 0
  #inFlight = 0
  /** Ratio of slow responses: a moving average. */
  #slowRatio = 0
  /** The present limit on the calls of one batch. */
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

  /** Returns whether a batch with this start is slow. It must not have ended. */
  isSlow({ ended, inFlight: underWay }: BatchStart): boolean {
    return this.#ended - ended > turnovers * (underWay + this.#max)
  }

  /** Records a response, and whether its batch is slow. */
  record(isSlow: boolean): void {
    this.#slowRatio += ((isSlow ? 1 : 0) - this.#slowRatio) * weight
    this.current = Math.max(1, Math.min(this.#max, Math.floor(maxHeldUpRatio / this.#slowRatio)))
  }
}
