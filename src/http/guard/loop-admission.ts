import type { Criticality } from '../../fanout/route.ts'
import type { RunCounts } from '../reply/route-services.ts'
import { InboundDemand } from './inbound-demand.ts'

/** The event loop, its time, and the queues behind it. */
export interface LoopClock {
  /** The time, in ms. */
  readonly now: () => number
  /** Calls a function once, at the end of the current turn of the loop. */
  readonly atTurnEnd: (callback: () => void) => void
  /** The time in which the loop was not idle, in ms from any start. */
  readonly busyMs: () => number
  /**
   * Calls that wait for a permit, per permit of their upstream, without upstreams whose calls hold a permit for more
   * than `maxHoldMs`.
   */
  readonly permitBacklog: (maxHoldMs: number) => number
}

/** The order in which classes are refused. */
const ranks: Readonly<Record<Criticality, number>> = { low: 0, normal: 1, high: 2 }
const highest = ranks.high
/** The class below the lowest one: no request is refused, and optional steps run. */
const calm = -1

/** The work that requests may bring beyond what the CPU can do, as a share of the limit. */
const excessShare = 0.5
/** The time in which no turn is shorter than the limit, from which on it is overload, in limits. */
const longLimits = 5
/** The delay of a turn under overload, as a share of the limit. A longer delay adds no throughput. */
const targetShare = 0.03
/** The calls per permit that may wait under overload. So the permits are in use until the next turn. */
const maxBacklog = 1
/** The average time for which calls hold a permit, as a share of the limit, up to which the loop causes it. */
const quickShare = 0.2
/** The smallest budget, as a share of the target. Below it, the next class is refused too. */
const leastShare = 0.05
/** The time in which the budget grows by the factor e while the loop is idle, in ms. */
const growthMs = 50
/** The smallest factor by which the budget changes in one turn. */
const maxFall = 0.5
/** A turn that is shorter shows that nothing waits, so that the next turns need not be observed. In ms. */
const emptyTurnMs = 1
/** The time after which a class without requests counts as absent, in ms. */
const absentMs = 1000

/**
 * Decides which requests are admitted when the CPU limits the service. The event loop is the queue: bytes that arrive
 * during a turn wait for its end. So a request has waited since the last turn ended, and at most one turn longer. Its
 * calls then wait for permits, each of which is held for at least one turn. So the delay of a turn is its duration
 * times the turns that a call waits for its permit.
 *
 * The service is overloaded if the requests have brought more work than the time that has passed, by `limit`, and the
 * queue is standing. The shortest delay of the last three turns counts: a standing queue delays each turn, and a pause
 * makes one turn long. The service is also overloaded if no turn was shorter than half of `limit` for five times
 * `limit`. Otherwise the queue is a burst, and every request is admitted.
 *
 * Under overload a request is refused at once if it has waited longer than a budget. The target is a delay of 3 % of
 * `limit`: the budget falls while the delay is longer, and grows while it is shorter. That is the rule of controlled
 * delay (Nichols and Jacobson, RFC 8289; Maurer, "Fail at Scale", ACM Queue 2015).
 *
 * The budget is that of one class of requests, as in Zhou et al., "Overload Control for Scaling WeChat Microservices"
 * (SoCC 2018). The classes below are refused, and the classes above are admitted. When the budget is used up, the next
 * class has it.
 */
export class LoopAdmission {
  readonly #limit: number
  readonly #target: number
  readonly #clock: LoopClock
  readonly #endTurn: () => void
  /** True while the end of each turn is observed. False if nothing waited at the end of the last turn. */
  #isBusy = false
  #turnStart = 0
  /** True if a request was admitted in this turn. Otherwise the next one is: runs can be longer than the target. */
  #hasAdmitted = false
  /** The end of the first long turn since a turn was not long. A single long turn is not a standing queue. */
  #longSince = Infinity
  /** The rank of the class whose requests are refused by the budget. */
  #class = calm
  /** The wait up to which requests of that class are admitted, in ms. */
  #budget = Infinity
  /** The delays of the last turns, in ms, and the shortest of the last three. */
  #lastDelay = 0
  #delayBefore = 0
  #standing = 0
  readonly #demand: InboundDemand
  #longest = 0
  /** The time of the last request of each class, by its rank. */
  readonly #seenAt = [-Infinity, -Infinity, -Infinity]

  /**
   * @param limit - The time within which a turn must be short, in ms. 0 admits every request.
   */
  constructor(limit: number, clock: LoopClock) {
    this.#limit = limit
    this.#target = limit * targetShare
    this.#clock = clock
    this.#demand = new InboundDemand(limit * excessShare)
    this.#endTurn = () => this.#turnEnded()
  }

  /** True if runs leave out their optional steps. */
  get isShedding(): boolean {
    return this.#class !== calm
  }

  /** True if requests of normal criticality are refused. */
  get refusesNormal(): boolean {
    return this.#class >= ranks.normal
  }

  /** Returns the longest turn since the last call, in ms. The budget grows for the time in which the loop was idle. */
  takeLongestTurn(): number {
    if (!this.#isBusy) this.#rest(this.#clock.now())
    const longest = this.#longest
    this.#longest = 0
    return longest
  }

  /** Measures the CPU time of a run. Call it a few times per second. */
  sample(runs: RunCounts): void {
    this.#demand.sample(this.#clock.busyMs(), runs)
  }

  /** Returns whether a request is admitted that the loop handles now. */
  admits(criticality: Criticality, runs: RunCounts): boolean {
    if (this.#limit === 0) return true
    const isAdmitted = this.#decide(ranks[criticality], this.#clock.now(), runs)
    if (isAdmitted) this.#hasAdmitted = true
    return isAdmitted
  }

  #decide(rank: number, now: number, runs: RunCounts): boolean {
    this.#seenAt[rank] = now
    if (!this.#isBusy) this.#begin(now)
    this.#demand.arrived(now)
    if (this.#class === calm) {
      if (!this.#isOverloaded(now, runs)) return true
      this.#refuse(this.#present(now, ranks.low))
    }
    if (rank < this.#class) return false
    const waitedMs = now - this.#turnStart
    if (rank > this.#class) return waitedMs < this.#limit
    return waitedMs < (this.#hasAdmitted ? this.#budget : this.#limit) && this.#backlog() < maxBacklog
  }

  #isOverloaded(now: number, runs: RunCounts): boolean {
    if (this.#standing >= this.#target && this.#demand.isOverload(now, runs)) return true
    return now - this.#longSince >= longLimits * this.#limit
  }

  #backlog(): number {
    return this.#clock.permitBacklog(this.#limit * quickShare)
  }

  #begin(now: number): void {
    this.#isBusy = true
    this.#rest(now)
    this.#clock.atTurnEnd(this.#endTurn)
  }

  /** Lets the budget grow for the time since the last turn, in which no request waited. */
  #rest(now: number): void {
    if (this.#backlog() < maxBacklog) this.#grow(now - this.#turnStart)
    this.#turnStart = now
  }

  #turnEnded(): void {
    const now = this.#clock.now()
    const turn = now - this.#turnStart
    this.#turnStart = now
    if (turn > this.#longest) this.#longest = turn
    this.#hasAdmitted = false
    const delay = turn * (1 + this.#backlog())
    this.#standing = Math.min(delay, this.#lastDelay, this.#delayBefore)
    this.#delayBefore = this.#lastDelay
    this.#lastDelay = delay
    if (this.#class !== calm) {
      if (this.#standing < this.#target) this.#grow(turn * (1 - this.#standing / this.#target))
      else this.#fall(now, turn, this.#standing / this.#target)
    }
    if (turn < this.#limit) this.#longSince = Infinity
    else if (this.#longSince === Infinity) this.#longSince = now
    if (turn < emptyTurnMs) this.#isBusy = false
    else this.#clock.atTurnEnd(this.#endTurn)
  }

  #grow(ms: number): void {
    if (this.#class === calm) return
    this.#budget = Math.min(this.#limit, this.#budget * Math.exp(ms / growthMs))
    if (this.#budget < this.#limit) return
    const previous = this.#previous()
    if (previous === calm && this.#demand.isExcessive(this.#turnStart)) return
    this.#class = previous
    this.#budget = this.#target * leastShare
  }

  #fall(now: number, turn: number, excess: number): void {
    this.#budget *= Math.max(maxFall, Math.exp((turn * (1 - excess)) / growthMs))
    if (this.#budget >= this.#target * leastShare) return
    const next = this.#present(now, this.#class + 1)
    if (next <= highest) this.#refuse(next)
    else this.#budget = this.#target * leastShare
  }

  /** Begins to refuse a class. */
  #refuse(rank: number): void {
    this.#class = rank
    this.#budget = this.#target
  }

  /** Returns the rank of the next class below the present one that sends requests, or `calm`. */
  #previous(): number {
    let rank = this.#class - 1
    while (rank > calm && !this.#isPresent(this.#turnStart, rank)) rank--
    return rank
  }

  /** Returns the rank of the lowest class from `rank` on that sends requests, or a rank above the highest. */
  #present(now: number, rank: number): number {
    while (rank <= highest && !this.#isPresent(now, rank)) rank++
    return rank
  }

  #isPresent(now: number, rank: number): boolean {
    return now - (this.#seenAt[rank] as number) < absentMs
  }
}
