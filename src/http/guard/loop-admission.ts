import type { Criticality } from '../../fanout/route.ts'

/** The time and the turns of the event loop. */
export interface LoopClock {
  /** The time, in ms. */
  readonly now: () => number
  /** Calls a function once, at the end of the current turn of the loop. */
  readonly atTurnEnd: (callback: () => void) => void
}

/** The order in which classes are refused. */
const ranks: Readonly<Record<Criticality, number>> = { low: 0, normal: 1, high: 2 }
const highest = ranks.high
/** The class below the lowest one: no request is refused, and optional steps run. */
const calm = -1

/**
 * The duration from which a turn may be part of a standing queue, as a share of the limit. A loop that is busy with a
 * closed loop of callers, or with large bodies from time to time, has shorter turns.
 */
const longShare = 0.5
/** The duration of a turn under overload, as a share of the limit. Longer turns add delay and no throughput. */
const targetShare = 0.03
/** The smallest budget, as a share of the target. Below it, the next class is refused too. */
const leastShare = 0.05
/** The time in which the budget grows by the factor e while the loop is idle, in ms. */
const growthMs = 50
/** The smallest factor by which the budget changes in one turn. */
const maxFall = 0.05
/** A turn that is shorter shows that nothing waits, so that the next turns need not be observed. In ms. */
const emptyTurnMs = 1
/** The time after which a class without requests counts as absent, in ms. */
const absentMs = 1000

/**
 * Decides which requests are admitted when the CPU limits the service. The event loop is the queue: bytes that arrive
 * during a turn wait for its end. So a request has waited since the last turn ended, and at most one turn longer.
 *
 * The rule is that of controlled delay (Nichols and Jacobson, RFC 8289; Maurer, "Fail at Scale", ACM Queue 2015). If a
 * turn was shorter than half of `limit` within the last `limit` ms, longer ones are a burst, and every request is
 * admitted. If none was, the queue is standing, which is overload. Then a request is refused at once if it has waited
 * longer than a budget. The target is a turn of 3 % of `limit`: the budget falls while turns are longer, and grows
 * while they are shorter. The shortest of the last three turns counts: a standing queue makes each turn long, and a
 * pause makes one turn long.
 *
 * The budget is that of one class of requests, as in Zhou et al., "Overload Control for Scaling WeChat Microservices"
 * (SoCC 2018). The classes below are refused, and the classes above are admitted. When the budget is used up, the next
 * class has it.
 */
export class LoopAdmission {
  readonly #limit: number
  readonly #target: number
  readonly #long: number
  readonly #clock: LoopClock
  readonly #endTurn: () => void
  /** True while the end of each turn is observed. False if nothing waited at the end of the last turn. */
  #isBusy = false
  #turnStart = 0
  /** True if a request was admitted in this turn. Otherwise the next one is: runs can be longer than the target. */
  #hasAdmitted = false
  /** The end of the first long turn since a turn was not long. A single long turn is not a standing queue. */
  #burstEnd = Infinity
  /** The rank of the class whose requests are refused by the budget. */
  #class = calm
  /** The wait up to which requests of that class are admitted, in ms. */
  #budget = Infinity
  /** The durations of the last two turns, in ms. */
  #lastTurn = 0
  #turnBefore = 0
  #longest = 0
  /** The time of the last request of each class, by its rank. */
  readonly #seenAt = [-Infinity, -Infinity, -Infinity]

  /**
   * @param limit - The time within which a turn must be short, in ms. 0 admits every request.
   */
  constructor(limit: number, clock: LoopClock) {
    this.#limit = limit
    this.#target = limit * targetShare
    this.#long = limit * longShare
    this.#clock = clock
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

  /** Returns whether a request is admitted that the loop handles now. */
  admits(criticality: Criticality): boolean {
    if (this.#limit === 0) return true
    const now = this.#clock.now()
    const rank = ranks[criticality]
    this.#seenAt[rank] = now
    if (!this.#isBusy) this.#begin(now)
    if (this.#class === calm) {
      if (now - this.#burstEnd < this.#limit) return (this.#hasAdmitted = true)
      this.#refuse(this.#present(now, ranks.low))
    }
    if (rank < this.#class) return false
    const bound = rank === this.#class && this.#hasAdmitted ? this.#budget : this.#limit
    if (now - this.#turnStart >= bound) return false
    this.#hasAdmitted = true
    return true
  }

  #begin(now: number): void {
    this.#isBusy = true
    this.#rest(now)
    this.#clock.atTurnEnd(this.#endTurn)
  }

  /** Lets the budget grow for the time since the last turn, in which nothing waited. */
  #rest(now: number): void {
    this.#grow(now - this.#turnStart)
    this.#turnStart = now
  }

  #turnEnded(): void {
    const now = this.#clock.now()
    const turn = now - this.#turnStart
    this.#turnStart = now
    if (turn > this.#longest) this.#longest = turn
    this.#hasAdmitted = false
    const standing = Math.min(turn, this.#lastTurn, this.#turnBefore)
    this.#turnBefore = this.#lastTurn
    this.#lastTurn = turn
    if (this.#class !== calm) {
      if (standing < this.#target) this.#grow(turn * (1 - standing / this.#target))
      else this.#fall(now, standing)
    }
    if (turn < this.#long) this.#burstEnd = Infinity
    else if (this.#burstEnd === Infinity) this.#burstEnd = now
    if (turn < emptyTurnMs) this.#isBusy = false
    else this.#clock.atTurnEnd(this.#endTurn)
  }

  #grow(ms: number): void {
    if (this.#class === calm) return
    this.#budget *= Math.exp(ms / growthMs)
    if (this.#budget < this.#limit) return
    do this.#class--
    while (this.#class > calm && !this.#isPresent(this.#turnStart, this.#class))
    this.#budget = this.#target * leastShare
  }

  #fall(now: number, turn: number): void {
    this.#budget *= Math.max(maxFall, Math.exp((turn * (1 - turn / this.#target)) / growthMs))
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

  /** Returns the rank of the lowest class from `rank` on that sends requests, or a rank above the highest. */
  #present(now: number, rank: number): number {
    while (rank <= highest && !this.#isPresent(now, rank)) rank++
    return rank
  }

  #isPresent(now: number, rank: number): boolean {
    return now - (this.#seenAt[rank] as number) < absentMs
  }
}
