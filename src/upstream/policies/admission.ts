import { Abortable } from '../abort.ts'
import type { LiveCall, Scope } from '../call.ts'

/** The work that admitted runs have announced and not yet had done, in calls. */
export class Workload {
  announced = 0
  /** How long a call holds its slot, in ms: a moving average, which begins with a guess. */
  holdMs = 25

  /** Takes one more call's time into account. */
  held (ms: number): void {
    this.holdMs += (ms - this.holdMs) / 16
  }

  /**
   * Whether a run that asks so many calls can be done with them in half of the time it has, so many at once,
   * if all that was announced before goes first; the other half is for its own slowest call.
   */
  hasTimeFor ({ of, scope }: LiveCall<unknown>, slots: number): boolean {
    return (this.announced + of) * this.holdMs / slots <= (scope.deadline - scope.now()) / 2
  }
}

/** One run that was let in: what it has announced, until it is done or the run is over. */
export class Admission extends Abortable {
  /** Whether it holds, or has held, a slot. */
  hasEntered = false
  readonly #scope: Scope
  readonly #workload: Workload
  #left = 0

  constructor (scope: Scope, workload: Workload) {
    super()
    this.#scope = scope
    this.#workload = workload
  }

  announce (calls: number): void {
    this.#left += calls
    this.#workload.announced += calls
    if (this.listensTo === undefined) this.#scope.abort.add(this)
  }

  /** One of its calls is over. */
  done (): void {
    if (this.#left === 0) return
    this.#left--
    this.#workload.announced--
    if (this.#left === 0) this.#scope.abort.delete(this)
  }

  /** All its calls have left before one got a slot: it is a newcomer again. */
  revoke (bulkhead: object): void {
    this.#scope.admitted.delete(bulkhead)
    this.cut()
  }

  /** The run is over: what it has announced will not come. */
  cut (): void {
    this.#workload.announced -= this.#left
    this.#left = 0
    this.#scope.abort.delete(this)
  }
}
