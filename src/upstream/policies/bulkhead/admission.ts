import { UpstreamError } from '../../../errors.ts'
import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/call.ts'
import type { Semaphore } from './semaphore.ts'

/** The work that admitted runs have reserved and not yet done, and the time that a call takes. */
export class LoadEstimator {
  /** In calls. */
  reserved = 0
  /** Time for which a call holds its permit, in ms: a moving average that starts with a guess. */
  holdMs = 25

  /** Learns from one more call. A failure counts only if the upstream answered or a time limit was reached. */
  recordHold(ms: number, error?: unknown): void {
    if (
      error === undefined ||
      (error instanceof UpstreamError && (error.upstreamStatus !== undefined || error.statusCode === 504))
    ) {
      this.holdMs += (ms - this.holdMs) / 16
    }
  }

  /**
   * Returns whether a run can finish the calls of its step in half of its remaining time, after all reserved calls. The
   * other half is for the slowest call of the step.
   */
  hasTimeFor({ siblingCount: of, scope }: LiveCall<unknown>, permits: number): boolean {
    return ((this.reserved + of) * this.holdMs) / permits <= ((scope.patience ?? scope.deadline) - scope.now()) / 2
  }
}

/** The calls that one step has reserved, until they are done or the run is over. */
class Reservation extends Abortable {
  readonly #load: LoadEstimator
  #left = 0

  constructor(load: LoadEstimator) {
    super()
    this.#load = load
  }

  make({ siblingCount: of, scope: { abort } }: LiveCall<unknown>): void {
    this.#left += of
    this.#load.reserved += of
    // The abort of the run: a hedge or a deadline unlinks the abort of the call without an abort.
    if (this.listensTo === undefined) abort.add(this)
  }

  /** One of its calls is over. */
  done(): void {
    if (this.#left === 0) return
    this.#left--
    this.#load.reserved--
    if (this.#left === 0) this.listensTo?.delete(this)
  }

  /** The run is over: it does not make the calls that are left. */
  onAbort(): void {
    this.#load.reserved -= this.#left
    this.#left = 0
    this.listensTo?.delete(this)
  }
}

/** One admitted run. */
export class Admission {
  /** True if one of its calls holds, or has held, a permit. */
  hasEntered = false
  readonly #load: LoadEstimator
  /** By the index of the step plus 1: the calls of context() have the index -1. */
  readonly #steps: (Reservation | undefined)[] = []

  constructor(load: LoadEstimator) {
    this.#load = load
  }

  /** Reserves all calls of a step with its first call. */
  reserve(call: LiveCall<unknown>): void {
    // A coalesced call reserves itself alone, at any position in its step.
    if ((call.index !== 0 && call.siblingCount !== 1) || call.effort.attempts !== 0) return
    ;(this.#steps[call.step + 1] ??= new Reservation(this.#load)).make(call)
  }

  /** One call is over. */
  done({ step }: LiveCall<unknown>): void {
    this.#steps[step + 1]?.done()
  }

  /** Takes every reservation back. */
  revoke(): void {
    for (const reservation of this.#steps) reservation?.onAbort()
  }
}

/**
 * Decides which runs may ask the upstream. A run is admitted with its first call, and its later calls are always
 * admitted: refusing one of them would waste the calls that were sent for the run before.
 */
export class AdmissionControl {
  readonly load = new LoadEstimator()
  readonly #semaphore: Semaphore
  readonly #queue: { readonly size: number }
  readonly #maxQueue: number

  constructor(semaphore: Semaphore, queue: { readonly size: number }, maxQueue: number) {
    this.#semaphore = semaphore
    this.#queue = queue
    this.#maxQueue = maxQueue
  }

  /**
   * Returns the admission of the call's run. A new run is refused when no permit is free and the queue is full, or when
   * the calls that are reserved leave it too little time.
   */
  admit(call: LiveCall<unknown>): Admission | undefined {
    const { admitted } = call.scope
    let admission = admitted.get(this) as Admission | undefined
    if (admission === undefined) {
      const { isFree, limit } = this.#semaphore
      if (!isFree && (this.#queue.size >= this.#maxQueue || !this.load.hasTimeFor(call, limit))) return undefined
      admitted.set(this, (admission = new Admission(this.load)))
    }
    admission.reserve(call)
    return admission
  }

  /** Makes a run a new one again: all its calls have left the queue before one got a permit. */
  revoke(admission: Admission, { scope }: LiveCall<unknown>): void {
    admission.revoke()
    scope.admitted.delete(this)
  }
}
