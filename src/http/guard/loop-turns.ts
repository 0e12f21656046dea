/** The event loop, its time, and the queue for permits. */
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
  /** The open connections of callers; `Infinity` if they are not counted. */
  readonly connections: () => number
}

/** Receives the turns of the loop. */
export interface TurnListener {
  /** Called at the end of a turn that was observed, with its duration. */
  turnEnded(now: number, turnMs: number): void
  /** Called with the time in which the loop had no request to handle. */
  rested(now: number, ms: number): void
}

/** The average time for which calls hold a permit, as a share of the limit, up to which the loop causes it. */
const quickShare = 0.2
/** The duration of a very long turn, in limits. A turn can have all requests of a constant number of callers. */
const veryLong = 3
/** A turn that is shorter shows that nothing waits, so that the next turns need not be observed. In ms. */
const emptyTurnMs = 1

/**
 * Measures how long a request waits in the event loop. Bytes that arrive during a turn wait for its end. So a request
 * has waited since the last turn ended, and at most one turn longer. Its calls then wait for permits, each of which is
 * held for at least one turn. So the delay of a turn is its duration, multiplied by one plus the calls that wait per
 * permit.
 */
export class LoopTurns {
  readonly #limit: number
  readonly #clock: LoopClock
  readonly #listener: TurnListener
  readonly #endTurn = () => this.#turnEnded()
  /** True while the end of each turn is observed. False if nothing waited at the end of the last turn. */
  #isBusy = false
  #start = 0
  /** The delays of the last two turns, in ms. */
  #lastDelay = 0
  #delayBefore = 0
  #longest = 0
  /**
   * The shortest delay of the last three turns, in ms. A standing queue delays each turn, and a pause makes one turn
   * long.
   */
  standingMs = 0
  /** The end of the first turn of at least `limit` since a turn was shorter. */
  longSince = Infinity
  /** The end of the first turn of at least three times `limit` since a turn was shorter. */
  veryLongSince = Infinity

  /**
   * @param limit - The duration from which a turn is long, in ms.
   */
  constructor(limit: number, clock: LoopClock, listener: TurnListener) {
    this.#limit = limit
    this.#clock = clock
    this.#listener = listener
  }

  /** Observes the present turn. Returns how long a request that is handled now has waited at least, in ms. */
  waitedMs(now: number): number {
    if (!this.#isBusy) {
      this.#isBusy = true
      this.#rest(now)
      this.#clock.atTurnEnd(this.#endTurn)
    }
    return now - this.#start
  }

  /** The calls that wait for a permit, per permit, at upstreams whose calls are delayed by the loop only. */
  get permitBacklog(): number {
    return this.#clock.permitBacklog(this.#limit * quickShare)
  }

  /** Returns the longest turn since the last call, in ms. */
  takeLongest(): number {
    if (!this.#isBusy) this.#rest(this.#clock.now())
    const longest = this.#longest
    this.#longest = 0
    return longest
  }

  #rest(now: number): void {
    const ms = now - this.#start
    this.#start = now
    this.#listener.rested(now, ms)
  }

  #turnEnded(): void {
    const now = this.#clock.now()
    const turnMs = now - this.#start
    this.#start = now
    this.#longest = Math.max(this.#longest, turnMs)
    const delay = turnMs * (1 + this.permitBacklog)
    this.standingMs = Math.min(delay, this.#lastDelay, this.#delayBefore)
    this.#delayBefore = this.#lastDelay
    this.#lastDelay = delay
    this.#listener.turnEnded(now, turnMs)
    this.longSince = turnMs < this.#limit ? Infinity : Math.min(this.longSince, now)
    this.veryLongSince = turnMs < veryLong * this.#limit ? Infinity : Math.min(this.veryLongSince, now)
    if (turnMs < emptyTurnMs) this.#isBusy = false
    else this.#clock.atTurnEnd(this.#endTurn)
  }
}
