import { RetryBudget } from './retry-budget.ts'

/**
 * The part of this process in a retry budget that replicas share.
 *
 * | mode | extra attempts that may be sent |
 * | --- | --- |
 * | granted | the grant, plus `ratio` of the own calls since the last `takeCounts` |
 * | alone | as a `RetryBudget` of this process, with its part of `minimum` |
 *
 * `allow` begins the first mode and `allowAlone` the second. It begins alone.
 */
export class SharedRetryBudget extends RetryBudget {
  /** The calls and the extra attempts since the last `takeCounts`. */
  #calls = 0
  #extra = 0
  /** The grant; `undefined` while this process counts alone. */
  #granted: number | undefined
  /** The number of processes that divide `minimum` while this process counts alone. */
  #processes = 1

  /** Returns the calls and the extra attempts since the last time, and ends the grant. */
  takeCounts(): { readonly calls: number; readonly extra: number } {
    // Alone, the last report can be older than the window in which all replicas count.
    const { first, second } = this.spent
    const taken = { calls: Math.min(this.#calls, first), extra: Math.min(this.#extra, second) }
    this.#calls = this.#extra = 0
    if (this.#granted !== undefined) this.#granted = 0
    return taken
  }

  /** Grants extra attempts until the next `takeCounts`. A negative number is a debt that own calls pay first. */
  allow(attempts: number): void {
    this.#granted = attempts
  }

  /** Ends the grant. This process gets its part of `minimum`. */
  allowAlone(processes: number): void {
    this.#granted = undefined
    this.#processes = processes
  }

  override deposit(): void {
    super.deposit()
    this.#calls++
  }

  override get balance(): number {
    if (this.#granted !== undefined) return this.#granted + this.ratio * this.#calls - this.#extra
    return super.balance - this.minimum + this.minimum / this.#processes
  }

  override get hasBalance(): boolean {
    return this.balance >= 1
  }

  override withdraw(): boolean {
    if (!this.hasBalance) return false
    this.#add(1)
    return true
  }

  override refund(): void {
    this.#add(-1)
  }

  #add(attempts: number): void {
    this.#extra += attempts
    this.spent.add(0, attempts)
  }
}
