import { UpstreamError } from '../../../errors.ts'
import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/call.ts'

/** The work that admitted runs have announced and not yet had done, in calls. */
export class LoadEstimator {
  reserved = 0
  /** How long a call holds its permit, in ms: a moving average, which begins with a guess. */
  holdMs = 25

  /** Learns from one more call; one that failed before the upstream had its say tells nothing of how long it takes. */
  recordHold(ms: number, error?: unknown): void {
    if (
      error === undefined ||
      (error instanceof UpstreamError && (error.upstreamStatus !== undefined || error.statusCode === 504))
    ) {
      this.holdMs += (ms - this.holdMs) / 16
    }
  }

  /**
   * Whether a run that asks so many calls can be done with them in half of the time it has, so many at once,
   * if all that was announced before goes first; the other half is for its own slowest call.
   */
  hasTimeFor({ of, scope }: LiveCall<unknown>, permits: number): boolean {
    return ((this.reserved + of) * this.holdMs) / permits <= ((scope.patience ?? scope.deadline) - scope.now()) / 2
  }
}

/** What one step has announced, until it is done or the run is over. */
class Reservation extends Abortable {
  readonly #workload: LoadEstimator
  #left = 0

  constructor(workload: LoadEstimator) {
    super()
    this.#workload = workload
  }

  make({ of, scope: { abort } }: LiveCall<unknown>): void {
    this.#left += of
    this.#workload.reserved += of
    // The run's own: what stands between (a hedge, a deadline) unlinks its abort without cutting it.
    if (this.listensTo === undefined) abort.add(this)
  }

  /** One of its calls is over. */
  done(): void {
    if (this.#left === 0) return
    this.#left--
    this.#workload.reserved--
    if (this.#left === 0) this.listensTo?.delete(this)
  }

  /** The run is over: what was announced will not come. */
  onAbort(): void {
    this.#workload.reserved -= this.#left
    this.#left = 0
    this.listensTo?.delete(this)
  }
}

/** One run that was let in. */
export class Admission {
  /** Whether it holds, or has held, a permit. */
  hasEntered = false
  readonly #workload: LoadEstimator
  /** By step. */
  readonly #steps: (Reservation | undefined)[] = []

  constructor(workload: LoadEstimator) {
    this.#workload = workload
  }

  /** The first call of a step announces all of them. */
  reserve(call: LiveCall<unknown>): void {
    // A coalesced call announces itself alone, wherever it stands in its step.
    if ((call.index !== 0 && call.of !== 1) || call.effort.attempts !== 0) return
    ;(this.#steps[call.step] ??= new Reservation(this.#workload)).make(call)
  }

  /** One call is over. */
  done({ step }: LiveCall<unknown>): void {
    this.#steps[step]?.done()
  }

  /** Every call has left before one got a permit. */
  revoke(): void {
    for (const announcement of this.#steps) announcement?.onAbort()
  }
}
