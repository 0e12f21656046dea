import { Abortable } from '../../core/abort.ts'
import { createTimerQueue } from '../../core/timer-queue.ts'

/**
 * How many requests a client has made in the window under way, the present one included, and in how many ms it ends.
 */
export interface RateCount {
  readonly current: number
  readonly ttl: number
}

/**
 * Counts one more request of a client. A request is let through where it throws, rejects, gives something else, or
 * takes longer than a second.
 */
export type CountRequest = (client: string) => Promise<RateCount>

/** Longest wait for a count, in ms. */
const patience = 1000

type Callback = (error: Error | null, counted?: RateCount) => void

/** One count under way; its callback is called once. */
class Counting extends Abortable {
  #callback: Callback | undefined

  constructor(callback: Callback) {
    super()
    this.#callback = callback
  }

  end(...result: Parameters<Callback>): void {
    const callback = this.#callback
    this.#callback = undefined
    callback?.(...result)
  }

  onAbort(reason: unknown): void {
    this.end(reason as Error)
  }
}

/**
 * Makes the kind of store that `@fastify/rate-limit` takes of a function that counts elsewhere; `failed` is called with
 * each failure.
 */
export function createSharedStore(count: CountRequest, failed: (error: Error) => void) {
  const late = createTimerQueue(patience, () => new Error(`the count did not come within ${patience} ms`))

  return class SharedStore {
    incr(client: string, callback: Callback): void {
      const counting = new Counting((error, counted) => {
        late.stop(due)
        if (error !== null) failed(error)
        callback(error, counted)
      })
      const due = late.start(counting)
      // The function may throw, and its promise may be of another make.
      new Promise<unknown>(resolve => {
        resolve(count(client))
      })
        .then(read)
        .then(
          counted => counting.end(null, counted),
          (error: unknown) => counting.end(asError(error)),
        )
    }

    child(): SharedStore {
      return this
    }
  }
}

function read(counted: unknown): RateCount {
  const { current, ttl } = (counted ?? {}) as Partial<RateCount>
  if (!Number.isFinite(current) || !Number.isFinite(ttl)) throw new TypeError('countRequest gave no { current, ttl }')
  return { current: current as number, ttl: ttl as number }
}

function asError(reason: unknown): Error {
  try {
    if (reason instanceof Error) return reason
  } catch {
    // A proxy may throw when it is looked at.
  }
  return new Error('the count failed', { cause: reason })
}
