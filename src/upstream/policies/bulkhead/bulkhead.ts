import { UpstreamError } from '../../../errors.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { callbackLayer, type Answer, type Completion, type Layer } from '../../call/layer.ts'
import type { AdaptiveConcurrency } from './adaptive-concurrency.ts'
import { Semaphore } from './semaphore.ts'
import { HoldingTime } from './holding-time.ts'
import { FairQueue } from './fair-queue.ts'
import type { Admission } from './admission.ts'
import { AdmissionControl } from './admission-control.ts'
import { Waiter, type WaiterCallbacks } from './waiter.ts'

export interface BulkheadOptions {
  readonly upstream: string
  /** The limit on the calls in flight: a number, or an object that adapts it. */
  readonly concurrency: number | AdaptiveConcurrency
  /** The number of queued calls at which a new run is refused, or takes the place of a queued run. */
  readonly maxQueue: number
  /** Returns the present time, in ms. @default performance.now */
  readonly now?: () => number
  /** Returns whether the event loop is busy, so that the CPU limits the calls. @default never */
  readonly isLoopBusy?: (now: number) => boolean
}

/** The state of a bulkhead at a moment. */
export interface BulkheadGauge {
  /** The present limit on the calls in flight. */
  readonly concurrency: number
  readonly active: number
  readonly queued: number
}

export interface Bulkhead {
  readonly layer: Layer
  readonly gauge: BulkheadGauge
  /** The time for which a call holds its permit. */
  readonly hold: Readonly<HoldingTime>
  /** Changes a fixed limit on the calls in flight. Calls that hold a permit keep it. */
  readonly setConcurrency: (concurrency: number) => void
  /** Rejects every call in the queue. `reason` is called once per call. */
  readonly rejectQueued: (reason: () => unknown) => void
}

/**
 * Limits the calls to one upstream. At most `concurrency` calls are in flight, each with a permit. New runs are refused
 * when `maxQueue` calls wait.
 *
 * It admits runs, not calls (`AdmissionControl`). The permits are divided between aggregates by weight, and within an
 * aggregate the admitted runs take turns (`FairQueue`). So under overload the admitted runs are completed, and all
 * other runs are refused at once.
 */
export function bulkhead({
  upstream,
  concurrency,
  maxQueue,
  now = () => performance.now(),
  isLoopBusy = () => false,
}: BulkheadOptions): Bulkhead {
  const adaptive = typeof concurrency === 'number' ? undefined : concurrency
  // A run that was admitted with a free permit waits without a decision, so the loop is measured from the first wait.
  const queue = new FairQueue(now, at => void isLoopBusy(at))
  const semaphore = new Semaphore(typeof concurrency === 'number' ? concurrency : concurrency.limit, queue)
  const hold = new HoldingTime()
  const admissions = new AdmissionControl({ upstream, semaphore, queue, maxQueue, now, isLoopBusy })

  function free({ flow }: Admission): void {
    flow.active--
    semaphore.release()
  }

  function release({ call, admission, isFirst, since, noted }: Permit<unknown>, error: unknown): void {
    if (since !== undefined) {
      const ms = call.scope.now() - since
      const endedAt = now()
      admission.flow.hold.record(ms, endedAt, error)
      hold.record(ms, endedAt, error)
      if (adaptive !== undefined) {
        adaptive.ended(call, noted, ms, semaphore.active, error)
        semaphore.setLimit(adaptive.limit)
      }
    }
    if (isFirst) admission.done(call)
    const { held } = call.attempt
    if (held === undefined) free(admission)
    else void held.then(() => free(admission))
  }

  return {
    layer: callbackLayer(next => {
      const enter = <T>(call: LiveCall<T>, admission: Admission, completion: Completion<T>) => {
        // With a fixed limit only one call in eight is measured, because reading the clock takes time.
        const since = adaptive !== undefined || (admission.flow.entered++ & 7) === 0 ? call.scope.now() : undefined
        const noted = adaptive === undefined ? 0 : adaptive.noted
        next(call, new Permit(call, admission, completion, since, noted, release))
      }
      const callbacks: WaiterCallbacks = {
        aborted(waiter) {
          if (queue.remove(waiter)) admissions.revoke(waiter.admission, waiter.call)
        },
        granted: ({ call, admission, completion }) => enter(call, admission, completion),
      }
      return (call, completion) => {
        if (call.abort.aborted) return completion.reject(call.abort.reason)
        const admission = semaphore.isFree || call.attempt.mayWait ? admissions.admit(call) : undefined
        if (admission === undefined) return completion.reject(new UpstreamError('BULKHEAD_FULL', upstream))
        if (semaphore.tryAcquire()) {
          admission.enter()
          return enter(call, admission, completion)
        }
        queue.push(new Waiter(call, admission, completion as Completion<unknown>, callbacks))
      }
    }),
    gauge: {
      get concurrency() {
        return semaphore.limit
      },
      get active() {
        return semaphore.active
      },
      get queued() {
        return queue.size
      },
    },
    hold,
    setConcurrency(limit) {
      semaphore.setLimit(limit)
    },
    rejectQueued(reason) {
      for (let waiter = queue.first; waiter !== undefined; waiter = queue.first) waiter.onAbort(reason())
    },
  }
}

/** A permit in use: the call that holds it, and the completion that releases it. */
class Permit<T> implements Completion<T> {
  readonly call: LiveCall<T>
  readonly admission: Admission
  /** True for the first attempt of the call. */
  readonly isFirst: boolean
  /**
   * The time from which the call holds the permit, in ms from the start of the run. `undefined` if it is not measured.
   */
  readonly since: number | undefined
  /** The value of `noted` of the adaptive limit at that time. */
  readonly noted: number
  readonly #completion: Completion<T>
  readonly #release: (permit: Permit<unknown>, error: unknown) => void

  constructor(
    call: LiveCall<T>,
    admission: Admission,
    completion: Completion<T>,
    since: number | undefined,
    noted: number,
    release: (permit: Permit<unknown>, error: unknown) => void,
  ) {
    this.call = call
    this.admission = admission
    this.isFirst = call.effort.attempts === 0
    this.since = since
    this.noted = noted
    this.#completion = completion
    this.#release = release
  }

  resolve(answer: Answer<T>): void {
    this.#release(this as Permit<unknown>, undefined)
    this.#completion.resolve(answer)
  }

  reject(error: unknown): void {
    this.#release(this as Permit<unknown>, error)
    this.#completion.reject(error)
  }
}
