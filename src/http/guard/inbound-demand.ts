import type { RunCounts } from '../reply/route-services.ts'

/** Runs from which on a sample of their CPU time counts. */
const sampleRuns = 20
/** The requests that the queue holds at least when the demand is excessive. A few long runs are not a trend. */
const excessRuns = 32
/** The limit on the queue, as a multiple of the excess. It bounds the time in which the queue becomes empty. */
const maxExcess = 2
/** The CPU time after the first runs in which runs are not measured, because their code is not compiled yet. In ms. */
const coldMs = 500
/** Samples of which the lowest counts. The CPU time of a run falls while its code is being compiled. */
const sampleCount = 4

/**
 * The work that inbound requests bring, as a virtual queue (Kunniyur and Srikant, "Analysis and Design of an Adaptive
 * Virtual Queue", SIGCOMM 2001): each request adds the CPU time of a run, and the time that passes removes it. The
 * queue grows only while more requests arrive than the CPU can serve. A constant number of callers that send their next
 * request after each reply does not make it grow, and neither do a few runs that take long.
 */
export class InboundDemand {
  readonly #excessMs: number
  /** The CPU time of a run, in ms. 0 if it is not known. */
  #runMs = 0
  readonly #samples: number[] = []
  #sampledBusyMs = 0
  #warmAtMs = 0
  #sampledRuns = 0
  /** The runs that had been refused at the last sample, and at the one before. */
  #refusedLast = 0
  #refusedBefore = 0
  #queueMs = 0
  #updatedAt = 0

  /**
   * @param excessMs - The length of the queue from which on the demand is excessive, in ms.
   */
  constructor(excessMs: number) {
    this.#excessMs = excessMs
  }

  /** The length of the queue from which on the demand is excessive, in ms. */
  get #excess(): number {
    return Math.max(this.#excessMs, excessRuns * this.#runMs)
  }

  /** Returns whether the requests have brought more work than the time that passed. */
  isExcessive(now: number): boolean {
    return this.#queueMs - (now - this.#updatedAt) >= this.#excess
  }

  /**
   * Returns whether excessive work is there. The CPU time of a run is an estimate, so the runs in flight, and those
   * refused since the sample before the last, must be as much work too.
   */
  isOverload(now: number, { runs, refused }: RunCounts): boolean {
    return this.isExcessive(now) && (runs + refused - this.#refusedBefore) * this.#runMs >= this.#excess
  }

  /**
   * Measures the CPU time of a run.
   *
   * @param busyMs - The time in which the loop was not idle, in ms from any start.
   */
  sample(busyMs: number, { served, refused }: RunCounts): void {
    this.#refusedBefore = this.#refusedLast
    this.#refusedLast = refused
    const runs = served - this.#sampledRuns
    if (runs < sampleRuns) return
    if (this.#sampledRuns === 0) this.#warmAtMs = busyMs + coldMs
    else if (this.#sampledBusyMs >= this.#warmAtMs) this.#add((busyMs - this.#sampledBusyMs) / runs)
    this.#sampledBusyMs = busyMs
    this.#sampledRuns = served
  }

  #add(runMs: number): void {
    if (this.#samples.push(runMs) > sampleCount) this.#samples.shift()
    this.#runMs = Math.min(...this.#samples)
  }

  /** Adds a request that arrives now, refused or not. */
  arrived(now: number): void {
    const elapsedMs = now - this.#updatedAt
    this.#updatedAt = now
    this.#queueMs = Math.min(maxExcess * this.#excess, Math.max(0, this.#queueMs - elapsedMs) + this.#runMs)
  }
}
