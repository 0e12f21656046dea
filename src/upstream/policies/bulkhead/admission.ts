import { UpstreamError } from '../../../errors.ts'
import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/call.ts'
import type { Semaphore } from './semaphore.ts'

/** Estimates the load of an upstream: the calls that admitted runs have reserved, and the time that a call takes. */
export class LoadEstimator {
  /** The number of reserved calls that have not ended. */
  reserved = 0
  /** The time for which a call holds its permit, in ms. It is a moving average with an initial guess. */
  holdMs = 25

  /** Records the time of one call. A failure counts only if the upstream answered or a time limit was reached. */
  recordHold(ms: number, error?: unknown): void {
    if (
      error === undefined ||
      (error instanceof UpstreamError && (error.upstreamStatus !== undefined || error.statusCode === 504))
    ) {
      this.holdMs += (ms - this.holdMs) / 16
    }
  }

  /**
   * Returns whether a run can end the calls of its step within half of its remaining time, after all reserved calls.
   * The other half is for the slowest call of the step.
   */
  hasTimeFor({ siblingCount: of, scope }: LiveCall<unknown>, permits: number): boolean {
    return ((this.reserved + of) * this.holdMs) / permits <= ((scope.patience ?? scope.deadline) - scope.now()) / 2
  }
}

/** The calls that one step has reserved, until they or the run have ended. */
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
    // Listens to the abort of the run. The abort of the call is not enough: a hedge or a deadline can unlink it without
    // aborting it.
    if (this.listensTo === undefined) abort.add(this)
  }

  /** Records that one call of the step has ended. */
  done(): void {
    if (this.#left === 0) return
    this.#left--
    this.#load.reserved--
    if (this.#left === 0) this.listensTo?.delete(this)
  }

  /** Cancels the reservations of the calls that the ended run will not make. */
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
  /** Indexed by the index of the step plus 1, because calls of context() have the index -1. */
  readonly #steps: (Reservation | undefined)[] = []

  constructor(load: LoadEstimator) {
    this.#load = load
  }

  /** Reserves all calls of a step when its first call arrives. */
  reserve(call: LiveCall<unknown>): void {
    // A coalesced call reserves only itself. It can have any position in its step.
    if ((call.index !== 0 && call.siblingCount !== 1) || call.effort.attempts !== 0) return
    ;(this.#steps[call.step + 1] ??= new Reservation(this.#load)).make(call)
  }

  /** Records that one call has ended. */
  done({ step }: LiveCall<unknown>): void {
    this.#steps[step + 1]?.done()
  }

  /** Cancels every reservation. */
  revoke(): void {
    for (const reservation of this.#steps) reservation?.onAbort()
  }
}

/**
 * Decides which runs may call the upstream. A run is admitted with its first call. Its later calls are always admitted,
 * because a refusal would waste the calls that were already sent for the run.
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
   * Returns the admission of the call's run; `undefined` if the run is refused. A new run is refused if no permit is
   * free and the queue is full, or if the reserved calls leave it too little time.
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

  /**
   * Removes the admission of a run. It is called when all calls of the run have left the queue before one received a
   * permit.
   */
  revoke(admission: Admission, { scope }: LiveCall<unknown>): void {
    admission.revoke()
    scope.admitted.delete(this)
  }
}
