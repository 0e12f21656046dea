import { UpstreamError } from '../errors.ts'

/** A semaphore with a bounded queue, first in, first out. */
export interface Semaphore {
  /** The number of permits in use. */
  readonly active: number
  /** The number of waiters. */
  readonly queued: number
  /**
   * Takes a permit. Returns `undefined` if a permit is free. Otherwise returns a promise that resolves when it has a
   * permit, and rejects with the reason of the signal when the signal is aborted. Throws `THREADS_FULL` if the queue is
   * full.
   */
  acquire(owner: string, signal: AbortSignal): Promise<void> | undefined
  /** Returns the permit. */
  release(): void
}

/** Creates a semaphore with `permits` permits and a queue of at most `maxQueue` waiters. */
export function createSemaphore(permits: number, maxQueue: number): Semaphore {
  /** The callbacks that grant a permit, in order. A Set removes a callback in constant time. */
  const waiting = new Set<() => void>()
  let taken = 0

  return {
    get active() {
      return taken
    },
    get queued() {
      return waiting.size
    },
    acquire(owner, signal) {
      if (taken < permits) {
        taken++
        return undefined
      }
      if (waiting.size >= maxQueue) throw new UpstreamError('THREADS_FULL', owner)
      return new Promise((resolve, reject) => {
        const grant = () => {
          signal.removeEventListener('abort', cancel)
          resolve()
        }
        const cancel = () => {
          waiting.delete(grant)
          reject(signal.reason)
        }
        waiting.add(grant)
        signal.addEventListener('abort', cancel, { once: true })
      })
    },
    release() {
      const [next] = waiting
      if (next === undefined) {
        taken--
        return
      }
      waiting.delete(next)
      // Pass the permit to the first waiter and leave `taken` unchanged, so that a later call cannot take it first.
      next()
    },
  }
}
