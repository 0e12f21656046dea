import { SlidingWindow } from '../sliding-window.ts'

export interface RetryBudgetOptions {
  /** The ratio of extra attempts to the calls that were sent. @default 0.2 */
  readonly ratio?: number
  /** The extra attempts per second that are always allowed. @default 10 */
  readonly minPerSecond?: number
}

/** The time over which a budget is counted, in ms. */
const windowMs = 10_000

/**
 * Limits the attempts beyond the first attempt of each call, so that a failing upstream receives little more load than
 * a healthy one. In every 10 s, the limit is `ratio` of the calls sent plus `minPerSecond` for each second. An unused
 * budget expires. After Finagle's `RetryBudget` (a share of calls that expire after 10 s, and a minimum per second).
 */
export class RetryBudget {
  readonly ratio: number
  /** The extra attempts that are always allowed in 10 s. */
  readonly minimum: number
  /** First count: calls. Second count: extra attempts. */
  protected readonly spent: SlidingWindow

  /** @param now A clock in ms. */
  constructor(
    { ratio = 0.2, minPerSecond = 10 }: RetryBudgetOptions = {},
    now: () => number = () => performance.now(),
  ) {
    this.ratio = ratio
    this.minimum = (minPerSecond * windowMs) / 1000
    this.spent = new SlidingWindow(windowMs, now)
  }

  /** Counts one call that is sent for the first time. */
  deposit(): void {
    this.spent.add(1, 0)
  }

  /** The attempts beyond the first that are allowed now. A part of an attempt counts as a fraction. */
  get balance(): number {
    const { first: calls, second: extra } = this.spent
    return this.ratio * calls + this.minimum - extra
  }

  /** True if the balance covers one more attempt. */
  get hasBalance(): boolean {
    const { first: calls, second: extra } = this.spent
    return extra + 1 <= this.ratio * calls + this.minimum
  }

  /** Withdraws one attempt. Returns false, and withdraws nothing, if the balance does not cover it. */
  withdraw(): boolean {
    if (!this.hasBalance) return false
    this.spent.add(0, 1)
    return true
  }

  /** Returns one withdrawn attempt that was not sent. */
  refund(): void {
    this.spent.add(0, -1)
  }
}
