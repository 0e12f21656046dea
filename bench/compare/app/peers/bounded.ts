import { settings } from '../../workload/settings.ts'

/** Limits of all calls, and of the calls of one request. */
type Limits = Readonly<Record<'concurrency' | 'maxQueue' | 'stepConcurrency', number>>

/**
 * Creates a function that makes `count` calls within both concurrency limits and resolves with their values in order.
 */
export function boundedCalls(limits: Limits = settings) {
  const permits = semaphore(limits)

  return async function callAll<T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> {
    const values: T[] = []
    values.length = count
    let next = 0

    async function runner() {
      while (next < count) {
        const index = next++
        const waiting = permits.acquire()
        if (waiting) await waiting
        try {
          values[index] = await call(index)
        } finally {
          permits.release()
        }
      }
    }

    await Promise.all(Array.from({ length: Math.min(limits.stepConcurrency, count) }, runner))
    return values
  }
}

function semaphore({ concurrency, maxQueue }: Limits) {
  // Use a ring buffer: `shift()` on a long array would increase the cost of the floor.
  const ring = Array.from<(() => void) | undefined>({ length: maxQueue })
  let free = concurrency
  let first = 0
  let waiting = 0

  function acquire(): Promise<void> | undefined {
    if (free > 0) {
      free--
      return undefined
    }
    if (waiting === maxQueue) throw new Error('the queue is full')
    return new Promise(resolve => {
      ring[(first + waiting) % maxQueue] = resolve
      waiting++
    })
  }

  function release() {
    if (waiting === 0) {
      free++
      return
    }
    const grant = ring[first]
    ring[first] = undefined
    first = (first + 1) % maxQueue
    waiting--
    grant?.()
  }

  return { acquire, release }
}
