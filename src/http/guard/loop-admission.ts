import type { Criticality } from '../../fanout/route.ts'
import type { RunCounts } from '../reply/route-services.ts'
import { calm, CriticalityClasses, ranks } from './criticality-classes.ts'
import { InboundDemand } from './inbound-demand.ts'
import { LoopTurns, type LoopClock, type TurnListener } from './loop-turns.ts'

/** The time for which all turns must be long, in limits. */
const longTime = 5
/** The work of one request per connection, in limits, up to which the connections cannot bring an overload. */
const boundedWork = 3
/** The delay of a turn under overload, as a share of the limit. A longer delay adds no throughput. */
const targetShare = 0.03
/** The calls per permit that may wait under overload. So the permits are in use until the next turn. */
const maxBacklog = 1
/** The smallest budget, as a share of the target. Below it, the next class is refused too. */
const leastShare = 0.05
/** The time in which the budget grows by the factor e while the loop is idle, in ms. */
const growthMs = 50
/** The smallest factor by which the budget changes in one turn. */
const maxFall = 0.5

/**
 * Decides which requests are admitted when the CPU limits the service. The event loop is the queue (`LoopTurns`).
 *
 * The service is overloaded in one of three cases. Otherwise a queue is a burst, and every request is admitted.
 *
 * - The requests bring more work than the CPU can do (`InboundDemand`), by `limit` and by at least 64 runs, and the
 *   queue is standing.
 * - The CPU time of a run is not known yet, there are 64 runs more than in a burst, and no turn was shorter than
 *   `limit` for five times `limit`.
 * - No turn was shorter than three times `limit` for five times `limit`.
 *
 * If one request per open connection takes less than three times `limit`, the service is never overloaded.
 *
 * Under overload a request is refused at once if it has waited longer than a budget. The target is a delay of 3 % of
 * `limit`: the budget falls while the delay is longer, and grows while it is shorter. That is the rule of controlled
 * delay (Nichols and Jacobson, RFC 8289; Maurer, "Fail at Scale", ACM Queue 2015).
 *
 * The budget is that of one class of requests, as in Zhou et al., "Overload Control for Scaling WeChat Microservices"
 * (SoCC 2018). The classes below are refused. Those above are admitted if they have waited for less than `limit`. When
 * the budget is used up, the next class has it.
 */
export class LoopAdmission implements TurnListener {
  readonly #limit: number
  readonly #target: number
  readonly #clock: LoopClock
  readonly #turns: LoopTurns
  readonly #demand: InboundDemand
  readonly #classes = new CriticalityClasses()
  /** True if a request was admitted in this turn. Otherwise the next one is: runs can be longer than the target. */
  #hasAdmitted = false
  /** The requests that were refused. */
  #refusals = 0
  /** The rank of the class whose requests are refused by the budget. */
  #class = calm
  /** The wait up to which requests of that class are admitted, in ms. */
  #budget = Infinity

  /**
   * @param limit - The scale of the delays, in ms. 0 admits every request.
   */
  constructor(limit: number, clock: LoopClock) {
    this.#limit = limit
    this.#target = limit * targetShare
    this.#clock = clock
    this.#turns = new LoopTurns(limit, clock, this)
    this.#demand = new InboundDemand(limit)
  }

  /** True if runs leave out their optional steps. */
  get isShedding(): boolean {
    return this.#class !== calm
  }

  /** True if requests of normal criticality are refused. */
  get refusesNormal(): boolean {
    return this.#class >= ranks.normal
  }

  /** Measures the CPU time of a run. Call it a few times per second. Returns the longest turn since the last call. */
  sample(runs: RunCounts): number {
    this.#demand.sample(this.#clock.now(), this.#clock.busyMs(), runs, this.#refusals)
    return this.#turns.takeLongest()
  }

  /** Returns whether a request is admitted that the loop handles now. */
  admits(criticality: Criticality, runs: RunCounts): boolean {
    if (this.#limit === 0) return true
    const isAdmitted = this.#decide(ranks[criticality], this.#clock.now(), runs)
    if (isAdmitted) this.#hasAdmitted = true
    else this.#refusals++
    return isAdmitted
  }

  #decide(rank: number, now: number, runs: RunCounts): boolean {
    this.#classes.see(rank, now)
    const waitedMs = this.#turns.waitedMs(now)
    this.#demand.arrived(now, runs)
    if (this.#isBounded) {
      this.#class = calm
      return true
    }
    if (this.#class === calm) {
      if (!this.#isOverloaded(now, runs)) return true
      this.#refuseFrom(ranks.low, now)
    }
    if (rank < this.#class) return false
    if (rank > this.#class) return waitedMs < this.#limit
    return waitedMs < (this.#hasAdmitted ? this.#budget : this.#limit) && this.#turns.permitBacklog < maxBacklog
  }

  /**
   * True if one request per connection is little work. More requests than that are never there at once, so a queue
   * stays short. Without this rule, callers that ask again at once after a refusal would keep the service overloaded.
   */
  get #isBounded(): boolean {
    return this.#demand.workOf(this.#clock.connections()) < boundedWork * this.#limit
  }

  #isOverloaded(now: number, runs: RunCounts): boolean {
    const { standingMs, longSince, veryLongSince } = this.#turns
    const isDelayed = this.#demand.isMeasured ? standingMs >= this.#target : this.#isLong(longSince, now)
    return (isDelayed && this.#demand.isExcessive(now, runs)) || this.#isLong(veryLongSince, now)
  }

  #isLong(since: number, now: number): boolean {
    return now - since >= longTime * this.#limit
  }

  rested(now: number, ms: number): void {
    this.#demand.rested()
    if (this.#class !== calm && this.#turns.permitBacklog < maxBacklog) this.#grow(now, ms)
  }

  turnEnded(now: number, turnMs: number): void {
    this.#hasAdmitted = false
    this.#demand.turnEnded()
    if (this.#class === calm) return
    const excess = this.#turns.standingMs / this.#target
    if (excess < 1) this.#grow(now, turnMs * (1 - excess))
    else this.#fall(now, turnMs, excess)
  }

  #grow(now: number, ms: number): void {
    this.#budget = Math.min(this.#limit, this.#budget * Math.exp(ms / growthMs))
    if (this.#budget < this.#limit) return
    const below = this.#classes.presentBelow(this.#class, now)
    if (below === calm && this.#demand.isStanding(now)) return
    this.#class = below
    this.#budget = this.#target * leastShare
  }

  #fall(now: number, turnMs: number, excess: number): void {
    this.#budget *= Math.max(maxFall, Math.exp((turnMs * (1 - excess)) / growthMs))
    if (this.#budget >= this.#target * leastShare) return
    this.#budget = this.#target * leastShare
    this.#refuseFrom(this.#class + 1, now)
  }

  /** Begins to refuse the lowest class from `rank` on that is present, if there is one. */
  #refuseFrom(rank: number, now: number): void {
    const present = this.#classes.presentFrom(rank, now)
    if (present === undefined) return
    this.#class = present
    this.#budget = this.#target
  }
}
