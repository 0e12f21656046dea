import { Abort } from '../../../core/abort.ts'
import type { TimerQueue } from '../../../core/timer-queue.ts'
import type { LookupResult } from './entry.ts'
import { lateError } from './pending-lookup.ts'

/** An entry that a store has not yet confirmed. */
interface PendingWrite {
  /** `undefined` if the entry was removed, or if the write has ended. */
  found: LookupResult | undefined
  readonly end: () => void
}

/**
 * The entries that are being written to a store that returned a promise. A lookup finds them before the store has them,
 * if the generation of their URI in the store allows it.
 */
export class PendingWrites {
  readonly #writes = new Map<string, PendingWrite>()
  readonly #timeout: TimerQueue
  readonly #fault: (cause: unknown) => void

  /**
   * @param timeout - The time limit of a write.
   * @param fault - Called for each write that fails or takes too long.
   */
  constructor(timeout: TimerQueue, fault: (cause: unknown) => void) {
    this.#timeout = timeout
    this.#fault = fault
  }

  get(key: string): LookupResult | undefined {
    return this.#writes.get(key)?.found
  }

  /** Keeps an entry until `done` settles or the time limit is reached. A later entry of the same key replaces it. */
  add(key: string, found: LookupResult, done: Promise<unknown> | undefined): void {
    if (done === undefined) return
    const write: PendingWrite = {
      found,
      end: () => {
        this.#timeout.stop(timer)
        // The callbacks of a promise that never settles would retain the entry.
        write.found = undefined
        if (this.#writes.get(key) === write) this.#writes.delete(key)
      },
    }
    this.#writes.get(key)?.end()
    this.#writes.set(key, write)
    const late = new Abort()
    late.onAbort = () => {
      this.#fault(lateError())
      write.end()
    }
    const timer = this.#timeout.start(late)
    done.then(write.end, cause => {
      if (timer.isRunning) this.#fault(cause)
      write.end()
    })
  }

  /** Removes the entry of a key. Its write continues. */
  forget(key: string): void {
    const write = this.#writes.get(key)
    if (write !== undefined) write.found = undefined
    this.#writes.delete(key)
  }

  /** Ends every write and its timer. */
  close(): void {
    for (const { end } of this.#writes.values()) end()
  }
}
