import { Abort } from '../../../core/abort.ts'
import type { TimerQueue } from '../../../core/timer-queue.ts'
import type { LookupResult } from './entry.ts'
import { lateError } from './pending-lookup.ts'

/** An entry that a store has not yet confirmed. */
interface PendingWrite {
  /** Undefined when the entry was removed meanwhile, and when the write is over. */
  found: LookupResult | undefined
  readonly end: () => void
}

/**
 * The entries that are being written to a store that answers later. A lookup finds them before the store has them,
 * where the generation that the store has for their URI allows it.
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

  /** Keeps an entry until `done` settles or the time limit is reached; a later entry of the same key replaces it. */
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

  /** Drops the entry of a key; its write goes on. */
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
