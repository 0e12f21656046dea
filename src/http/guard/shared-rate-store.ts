import { Abortable } from '../../core/abort.ts'
import { createTimerQueue } from '../../core/timer-queue.ts'

/**
 * The number of requests of a client in the current window, this request included, and the time to its end in ms.
 */
export interface RateCount {
  /** The number of requests. */
  readonly current: number
  /** The time to the end of the window, in ms. */
  readonly ttl: number
}

/**
 * Counts a request of a client, or several calls of one batch. The request is accepted if the function throws, rejects,
 * returns something else, or takes longer than a second.
 *
 * @param client The client: its address or its key.
 * @param calls The number to add; 1 if it is absent.
 */
export type CountRequest = (client: string, calls?: number) => Promise<RateCount>

/** Longest wait for a count, in ms. */
const countTimeout = 1000

type Callback = (error: Error | null, counted?: RateCount) => void

/** A count that has not ended. It calls its callback once. */
class PendingCount extends Abortable {
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

/** Counts calls of a client, and passes the count or the failure to a callback, once. */
export type CountCalls = (client: string, calls: number, callback: Callback) => void

/**
 * Returns a function that counts with another function within a time limit.
 *
 * @param failed Called with each failure of the function.
 */
export function createCounter(count: CountRequest, failed: (error: Error) => void): CountCalls {
  const timers = createTimerQueue(
    countTimeout,
    () => new Error(`countRequest did not settle within ${countTimeout} ms`),
  )

  return (client, calls, callback) => {
    const pending = new PendingCount((error, counted) => {
      timers.stop(timer)
      if (error !== null) failed(error)
      callback(error, counted)
    })
    const timer = timers.start(pending)
    // The function may throw, or return a thenable.
    new Promise<unknown>(resolve => {
      resolve(calls === 1 ? count(client) : count(client, calls))
    })
      .then(read)
      .then(
        counted => pending.end(null, counted),
        (error: unknown) => pending.end(asError(error)),
      )
  }
}

/** Returns a store class for `@fastify/rate-limit` that counts with a function, for example in another process. */
export function createSharedStore(count: CountCalls) {
  return class SharedStore {
    incr(client: string, callback: Callback): void {
      count(client, 1, callback)
    }

    child(): SharedStore {
      return this
    }
  }
}

function read(counted: unknown): RateCount {
  const { current, ttl } = (counted ?? {}) as Partial<RateCount>
  if (!Number.isFinite(current) || !Number.isFinite(ttl))
    throw new TypeError('countRequest must resolve to { current, ttl }, two finite numbers')
  return { current: current as number, ttl: ttl as number }
}

function asError(reason: unknown): Error {
  try {
    if (reason instanceof Error) return reason
  } catch {
    // The result may be a proxy, which may throw on any access.
  }
  return new Error('countRequest failed', { cause: reason })
}
