import { UpstreamError } from '../../../errors.ts'
import type { LiveCall } from '../../call/call.ts'
import type { AdaptiveConcurrency } from './adaptive-concurrency.ts'
import { Admission, LoadEstimator } from './admission.ts'
import { callbackLayer, type Answer, type Layer, type Completion } from '../layer.ts'
import { LinkedQueue } from '../../../core/linked-queue.ts'
import { Waiter, type WaiterCallbacks } from './waiter.ts'

export interface BulkheadOptions {
  readonly upstream: string
  /** Calls on the wire at once; a number, or what learns it. */
  readonly concurrency: number | AdaptiveConcurrency
  /** Calls that may wait before the first call of a new run is refused. */
  readonly maxQueue: number
}

/** What a bulkhead can be asked about itself. */
export interface BulkheadGauge {
  /** How many calls may be on the wire now. */
  readonly concurrency: number
  readonly active: number
  readonly queued: number
}

export interface Bulkhead {
  readonly layer: Layer
  readonly gauge: BulkheadGauge
  /** Rejects every call that waits for a permit, each with what `reason` makes. */
  readonly rejectQueued: (reason: () => unknown) => void
}

/**
 * Bounds what one upstream can hold of us: so many calls on the wire, so many waiting, no more.
 *
 * A run is admitted, not a call. A run's first call is refused when it finds no free permit and the queue is full, or
 * when what earlier runs have announced would not leave it the time; when it gets a permit, the run's other calls go
 * ahead of every run that has none yet. So under overload admitted runs finish, and the others know it at once.
 *
 * Where the permits become fewer, calls that hold one keep it, and nobody comes in until enough of them are done.
 */
export function bulkhead({ upstream, concurrency, maxQueue }: BulkheadOptions): Bulkhead {
  const adaptive = typeof concurrency === 'number' ? undefined : concurrency
  let limit = typeof concurrency === 'number' ? concurrency : concurrency.limit
  let active = 0
  let waiting = 0
  let entered = 0
  let isLettingIn = false
  /** Calls of runs that hold or have held a permit. */
  const ahead = new LinkedQueue<Waiter>()
  /** Calls of runs that have not, by run. */
  const newcomers = new Map<Admission, LinkedQueue<Waiter>>()
  const work = new LoadEstimator()
  const self = {}

  /** Lets the run of a call in, or does not. */
  function admit(call: LiveCall<unknown>): Admission | undefined {
    const { admitted } = call.scope
    let admission = admitted.get(self) as Admission | undefined
    if (admission === undefined) {
      if (active >= limit && (waiting >= maxQueue || !work.hasTimeFor(call, limit))) return undefined
      admitted.set(self, (admission = new Admission(work)))
    }
    admission.reserve(call)
    return admission
  }

  function lineOf(admission: Admission): LinkedQueue<Waiter> {
    if (admission.hasEntered) return ahead
    let line = newcomers.get(admission)
    if (line === undefined) newcomers.set(admission, (line = new LinkedQueue()))
    return line
  }

  function left(admission: Admission, { scope }: LiveCall<unknown>): void {
    waiting--
    if (newcomers.size === 0 || newcomers.get(admission)?.size !== 0) return
    newcomers.delete(admission)
    // All its calls have left before one got a permit: it is a newcomer again.
    admission.revoke()
    scope.admitted.delete(self)
  }

  // Permits are handed over, never left free while somebody waits, so nobody can overtake the queue.
  function exit(): void {
    active--
    // Whoever is let in may end at once, and come here again: the one that is here already goes on.
    if (isLettingIn) return
    isLettingIn = true
    while (active < limit) {
      const next = ahead.first ?? newcomer()
      if (next === undefined) break
      active++
      next.grant()
    }
    isLettingIn = false
  }

  /** The first of the run that has waited longest; the rest of that run moves ahead. */
  function newcomer(): Waiter | undefined {
    for (const [admission, line] of newcomers) {
      newcomers.delete(admission)
      admission.hasEntered = true
      const first = line.first as Waiter
      line.leave(first)
      for (let other = line.first; other !== undefined; other = line.first) {
        line.leave(other)
        ahead.join(other)
      }
      return first
    }
    return undefined
  }

  function firstWaiting(): Waiter | undefined {
    return ahead.first ?? newcomers.values().next().value?.first
  }

  function over({ call, admission, isFirst, since, noted }: Permit<unknown>, error: unknown): void {
    if (since !== undefined) {
      const ms = call.scope.now() - since
      work.recordHold(ms, error)
      if (adaptive !== undefined) {
        adaptive.ended(call, noted, ms, active, error)
        limit = adaptive.limit
      }
    }
    if (isFirst) admission.done(call)
    const { held } = call.attempt
    if (held === undefined) exit()
    else void held.then(exit)
  }

  return {
    layer: callbackLayer(next => {
      const hold = <T>(call: LiveCall<T>, admission: Admission, taker: Completion<T>) => {
        // One in eight is measured where no permits learn from it: the clock is not free either.
        const since = adaptive !== undefined || (entered++ & 7) === 0 ? call.scope.now() : undefined
        next(call, new Permit(call, admission, taker, since, adaptive === undefined ? 0 : adaptive.noted, over))
      }
      const desk: WaiterCallbacks = { left, enter: hold }
      return (call, taker) => {
        if (call.abort.aborted) return taker.reject(call.abort.reason)
        const admission = active < limit || call.attempt.mayWait ? admit(call) : undefined
        if (admission === undefined) return taker.reject(new UpstreamError('BULKHEAD_FULL', upstream))
        if (active < limit) {
          active++
          admission.hasEntered = true
          return hold(call, admission, taker)
        }
        waiting++
        lineOf(admission).join(new Waiter(call, admission, taker as Completion<unknown>, desk))
      }
    }),
    gauge: {
      get concurrency() {
        return limit
      },
      get active() {
        return active
      },
      get queued() {
        return waiting
      },
    },
    rejectQueued(reason) {
      for (let next = firstWaiting(); next !== undefined; next = firstWaiting()) next.onAbort(reason())
    },
  }
}

/** A call that holds a permit. */
class Permit<T> implements Completion<T> {
  readonly call: LiveCall<T>
  readonly admission: Admission
  /** Whether it was not sent before. */
  readonly isFirst: boolean
  /** Since when it holds its permit, where that is measured; in ms from the run's start. */
  readonly since: number | undefined
  /** What adaptive permits noted when it began. */
  readonly noted: number
  readonly #taker: Completion<T>
  readonly #over: (held: Permit<unknown>, error: unknown) => void

  constructor(
    call: LiveCall<T>,
    admission: Admission,
    taker: Completion<T>,
    since: number | undefined,
    noted: number,
    over: (held: Permit<unknown>, error: unknown) => void,
  ) {
    this.call = call
    this.admission = admission
    this.isFirst = call.effort.attempts === 0
    this.since = since
    this.noted = noted
    this.#taker = taker
    this.#over = over
  }

  resolve(answer: Answer<T>): void {
    this.#over(this as Permit<unknown>, undefined)
    this.#taker.resolve(answer)
  }

  reject(error: unknown): void {
    this.#over(this as Permit<unknown>, error)
    this.#taker.reject(error)
  }
}
