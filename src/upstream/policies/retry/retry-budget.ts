import { SlidingWindow } from '../sliding-window.ts'

export interface RetryBudgetOptions {
  /** Extra attempts for each call that was sent. @default 0.2 */
  readonly ratio?: number
  /** Extra attempts a second that are there however few calls are sent. @default 10 */
  readonly minPerSecond?: number
}

/** The span over which a budget is kept, in ms. */
const windowMs = 10_000

/**
 * Bounds how many attempts are made beyond one a call, so that a failing upstream gets little more load than a sound
 * one. In every 10 s: at most `ratio` of the calls sent in them, and `minPerSecond` for each second. Nothing is saved
 * up for later. After Finagle's `RetryBudget` (a share of calls that expire after 10 s, and a floor per second).
 */
export class RetryBudget {
  readonly #ratio: number
  readonly #minimum: number
  /** First count: calls; second: extra attempts. */
  readonly #spent: SlidingWindow

  /** `now` is a clock in ms. */
  constructor(
    { ratio = 0.2, minPerSecond = 10 }: RetryBudgetOptions = {},
    now: () => number = () => performance.now(),
  ) {
    this.#ratio = ratio
    this.#minimum = (minPerSecond * windowMs) / 1000
    this.#spent = new SlidingWindow(windowMs, now)
  }

  /** Counts one call that is sent for the first time. */
  deposit(): void {
    this.#spent.add(1, 0)
  }

  /** True if the balance covers one more attempt. */
  get hasBalance(): boolean {
    const { first: calls, second: extra } = this.#spent
    return extra + 1 <= this.#ratio * calls + this.#minimum
  }

  /** Spends one attempt; returns false, and spends none, when the balance does not cover it. */
  withdraw(): boolean {
    if (!this.hasBalance) return false
    this.#spent.add(0, 1)
    return true
  }

  /** Takes back one that was spent and not sent. */
  refund(): void {
    this.#spent.add(0, -1)
  }
}
