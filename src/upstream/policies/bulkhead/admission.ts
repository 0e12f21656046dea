import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { QueuedRun } from './flow.ts'

/** The calls that one step has reserved, until they or the run have ended. */
class Reservation extends Abortable {
  readonly #run: Admission
  #left = 0

  constructor(run: Admission) {
    super()
    this.#run = run
  }

  make({ siblingCount: of, scope: { abort } }: LiveCall<unknown>): void {
    if (this.#left === 0) this.#run.stepStarted()
    this.#left += of
    this.#run.flow.reserved += of
    // Listens to the abort of the run. The abort of the call is not enough: a hedge or a deadline can unlink it without
    // aborting it.
    if (this.listensTo === undefined) abort.add(this)
  }

  /** Records that one call of the step has ended. */
  done(): void {
    if (this.#left === 0) return
    this.#run.flow.reserved--
    if (--this.#left > 0) return
    this.listensTo?.delete(this)
    this.#run.stepEnded()
  }

  /** Cancels the reservations of the calls that the ended run will not make. */
  onAbort(): void {
    this.listensTo?.delete(this)
    if (this.#left === 0) return
    this.#run.flow.reserved -= this.#left
    this.#left = 0
    this.#run.stepEnded()
  }
}

/** One admitted run. */
export class Admission extends QueuedRun {
  /** Indexed by the index of the step plus 1, because calls of context() have the index -1. */
  readonly #steps: (Reservation | undefined)[] = []
  /** The number of steps with reserved calls. */
  #liveSteps = 0

  /** Reserves all calls of a step when its first call arrives. */
  reserve(call: LiveCall<unknown>): void {
    if (call.effort.attempts !== 0) return
    const reservation = this.#steps[call.step + 1]
    if (reservation === undefined) (this.#steps[call.step + 1] = new Reservation(this)).make(call)
    // A coalesced call reserves only itself. So does each call of context().
    else if (call.siblingCount === 1) reservation.make(call)
  }

  /** Records that one call has ended. */
  done({ step }: LiveCall<unknown>): void {
    this.#steps[step + 1]?.done()
  }

  /** Cancels every reservation. */
  revoke(): void {
    for (const reservation of this.#steps) reservation?.onAbort()
  }

  stepStarted(): void {
    if (this.#liveSteps++ === 0) this.flow.runStarted()
  }

  stepEnded(): void {
    if (--this.#liveSteps === 0) this.flow.runEnded()
  }
}
