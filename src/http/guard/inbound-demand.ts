import type { RunCounts } from '../reply/route-services.ts'

/** The smallest number of runs in a sample. */
const sampleRuns = 20
/** The longest time of a sample, in ms. In a longer one most of the CPU time can be that of other work. */
const maxSampleMs = 1000
/** The smallest share of its time for which the loop was busy in a sample. */
const leastBusy = 0.1
/** The number of samples that are kept. The lowest one is used, because the code of a run is compiled step by step. */
const sampleCount = 4
/** The CPU time after the first runs in which runs are not measured, because their code is not compiled yet. In ms. */
const coldMs = 500
/** The CPU time of a refusal, as a share of that of a run. `npm run bench:overload` measures it. */
const refusalShare = 0.03
/** The smallest excess, in runs. A few long runs are not an overload. */
const excessRuns = 64
/** The length from which on the virtual queue is standing, as a share of the excess. */
const standingShare = 0.25
/** The turns of the loop after which the requests of a burst have been handled. */
const burstTurns = 3

/**
 * The work that inbound requests bring. It is excessive in two conditions together:
 *
 * - The runs in flight are more work than those of a burst, which are there after a few turns. A constant number of
 *   callers that send their next request after each reply does not add to them.
 * - A virtual queue is standing (Kunniyur and Srikant, "Analysis and Design of an Adaptive Virtual Queue", SIGCOMM
 *   2001): each request adds the CPU time of a run, and the time that passes removes it. Runs that wait for slow
 *   upstreams are in flight for longer, and do not add to it.
 */
export class InboundDemand {
  readonly #excessMs: number
  /** The CPU time of a run, in ms. 0 if it is not known. */
  #runMs = 0
  readonly #samples: number[] = []
  /** The start of the present sample: the time, the CPU time and the number of runs. */
  #sampledAt = 0
  #sampledBusyMs = 0
  #sampledRuns = 0
  #sampledRefusals = 0
  /** The CPU time from which on runs are measured, in ms. */
  #warmAtMs: number | undefined
  /** The runs that had been refused at the last look, and at the one before. */
  #refusedLast = 0
  #refusedBefore = 0
  #queueMs = 0
  #updatedAt = 0
  /** The turns since the loop has rested, and the most runs in flight in the first of them. */
  #turns = 0
  #burst = 0

  /**
   * @param excessMs - The work beyond a burst at which the demand is excessive, in ms.
   */
  constructor(excessMs: number) {
    this.#excessMs = excessMs
  }

  /** Returns the CPU time of a number of runs, in ms; `Infinity` if that of a run is not known. */
  workOf(runs: number): number {
    return this.#runMs === 0 ? Infinity : runs * this.#runMs
  }

  /** Returns whether the virtual queue is standing. */
  isStanding(now: number): boolean {
    return this.#queueMs - (now - this.#updatedAt) >= standingShare * this.#excess
  }

  /** True if the CPU time of a run is known. */
  get isMeasured(): boolean {
    return this.#runMs > 0
  }

  /** Returns whether the work is excessive. Until the CPU time of a run is known, only the number of runs counts. */
  isExcessive(now: number, runs: RunCounts): boolean {
    const excess = this.#inFlight(runs) - this.#burst
    if (!this.isMeasured) return excess >= excessRuns
    return excess * this.#runMs >= this.#excess && this.isStanding(now)
  }

  /** Adds a request that arrives now, refused or not. */
  arrived(now: number, runs: RunCounts): void {
    const elapsedMs = now - this.#updatedAt
    this.#updatedAt = now
    this.#queueMs = Math.min(this.#excess, Math.max(0, this.#queueMs - elapsedMs) + this.#runMs)
    if (this.#turns < burstTurns) this.#burst = Math.max(this.#burst, this.#inFlight(runs))
  }

  /** Records the end of a turn of the loop. */
  turnEnded(): void {
    this.#turns++
  }

  /** Records that the loop has rested. */
  rested(): void {
    this.#turns = this.#burst = 0
  }

  /** The runs in flight, with those that were refused since the look before the last. */
  #inFlight({ runs, refused }: RunCounts): number {
    return runs + refused - this.#refusedBefore
  }

  /**
   * Measures the CPU time of a run.
   *
   * @param busyMs - The time in which the loop was not idle, in ms from any start.
   * @param refusals - The number of requests that overload has refused.
   */
  sample(now: number, busyMs: number, { served, refused }: RunCounts, refusals: number): void {
    this.#refusedBefore = this.#refusedLast
    this.#refusedLast = refused
    const runs = served - this.#sampledRuns
    const ms = now - this.#sampledAt
    if (runs < sampleRuns && ms < maxSampleMs) return
    if (served > 0) this.#warmAtMs ??= busyMs + coldMs
    const isMeasured = runs >= sampleRuns && this.#sampledBusyMs >= (this.#warmAtMs ?? Infinity)
    const ownMs = busyMs - this.#sampledBusyMs
    const ownRuns = runs + (refusals - this.#sampledRefusals) * refusalShare
    if (isMeasured && ownMs >= leastBusy * ms) this.#add(ownMs / ownRuns)
    this.#sampledAt = now
    this.#sampledBusyMs = busyMs
    this.#sampledRuns = served
    this.#sampledRefusals = refusals
  }

  #add(runMs: number): void {
    if (this.#samples.push(runMs) > sampleCount) this.#samples.shift()
    this.#runMs = Math.min(...this.#samples)
  }

  /** The work beyond a burst at which the demand is excessive, in ms. */
  get #excess(): number {
    return Math.max(this.#excessMs, excessRuns * this.#runMs)
  }
}
