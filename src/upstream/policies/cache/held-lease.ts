import { Abortable, type Abort } from '../../../core/abort.ts'
import type { Lease } from './lease-adapter.ts'
import type { Storing } from './store-answer.ts'

/** The time without leases after an answer that no other call can use, in ms. The next one may be like it. */
const unusableMs = 10_000
/** The time without leases after a call that has failed, in ms. The followers have waited as long as a call takes. */
const failedMs = 1000

/** Releases the lease of a call without an answer. If its callers have left, another call can take the lease. */
export function releaseAfterFailure(lease: Lease, { aborted }: Abort): void {
  lease.release(aborted ? 0 : failedMs)
}

/** The lease of a call that the upstream has answered, until the answer is stored. */
export class HeldLease extends Abortable {
  readonly #lease: Lease

  constructor(lease: Lease, abort: Abort) {
    super()
    this.#lease = lease
    // If the last caller leaves now, its cache does not receive the answer.
    if (abort.aborted) lease.release(0)
    else abort.add(this)
  }

  /** Releases the lease now. For `unsharedMs`, other calls are then sent without a lease. */
  release(unsharedMs = 0): void {
    this.listensTo?.delete(this)
    this.#lease.release(unsharedMs)
  }

  /** Releases the lease when the answer is stored, and at once if no other call can use the answer. */
  releaseAfter(storing: Storing | undefined): void {
    if (!storing?.isFresh) this.release(unusableMs)
    else if (storing.done === undefined) this.release()
    else
      storing.done.then(
        isStored => this.release(isStored === false ? unusableMs : 0),
        () => this.release(failedMs),
      )
  }

  onAbort(): void {
    this.release()
  }
}
