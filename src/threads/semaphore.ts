import { UpstreamError } from '../errors.ts'

/** Lets so many in at once, and so many wait, in order. */
export interface Semaphore {
  /**
   * Resolves, or is undefined, when it is one's turn; rejects with the signal's reason. Throws `THREADS_FULL` where
   * there is no room to wait.
   */
  acquire(owner: string, signal: AbortSignal): Promise<void> | undefined
  /** Ends one's turn. */
  release(): void
}

/** Makes turns for `count` at once, with room for `queue`. */
export function createSemaphore(count: number, queue: number): Semaphore {
  /** What admits each that waits; a Set forgets one that leaves at once. */
  const waiting = new Set<() => void>()
  let busy = 0

  return {
    acquire(owner, signal) {
      if (busy < count) {
        busy++
        return undefined
      }
      if (waiting.size >= queue) throw new UpstreamError('THREADS_FULL', owner)
      return new Promise((resolve, reject) => {
        const admit = () => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
        const leave = () => {
          waiting.delete(admit)
          reject(signal.reason)
        }
        waiting.add(admit)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
    release() {
      const [next] = waiting
      if (next === undefined) {
        busy--
        return
      }
      waiting.delete(next)
      // The turn is handed over, so that nobody overtakes the queue.
      next()
    },
  }
}
