import { UpstreamError } from '../errors.ts'

/** A semaphore with a bounded queue, first in, first out. */
export interface Semaphore {
  /**
   * Takes a permit. Returns `undefined` if one is free, or else a promise that resolves when one is; the promise
   * rejects with the reason of the signal. Throws `THREADS_FULL` if the queue is full.
   */
  acquire(owner: string, signal: AbortSignal): Promise<void> | undefined
  /** Gives the permit back. */
  release(): void
}

/** Creates a semaphore of `count` permits with a queue of `queue` places. */
export function createSemaphore(permits: number, maxQueue: number): Semaphore {
  /** The callbacks that grant a permit, in order; a Set removes one of them in constant time. */
  const waiting = new Set<() => void>()
  let taken = 0

  return {
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
      // The permit passes to the next in the queue, so no later call can take it before.
      next()
    },
  }
}
