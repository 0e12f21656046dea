import { UpstreamError } from '../../errors.ts'
import type { LiveCall } from '../call.ts'
import type { AdaptiveSlots } from './adaptive-slots.ts'
import { Admission, Workload } from './admission.ts'
import type { Answer, Layer, Service } from './layer.ts'
import { Line } from './line.ts'
import { Waiter } from './waiter.ts'

export interface BulkheadOptions {
  readonly upstream: string
  /** Calls on the wire at once; a number, or what learns it. */
  readonly slots: number | AdaptiveSlots
  /** Calls that may wait before the first call of a new run is refused. */
  readonly queue: number
}

/** What a bulkhead can be asked about itself. */
export interface BulkheadGauge {
  /** How many calls may be on the wire now. */
  readonly slots: number
  readonly active: number
  readonly waiting: number
}

/**
 * Bounds what one upstream can hold of us: so many calls on the wire, so many waiting, no more.
 *
 * A run is admitted, not a call. A run's first call is refused when it finds no free slot and the queue is full, or when what
 * earlier runs have announced would not leave it the time; when it gets a slot, the run's other calls go ahead of every run that
 * has none yet. So under overload admitted runs finish, and the others know it at once.
 *
 * Where the slots become fewer, calls that hold one keep it, and nobody comes in until enough of them are done.
 */
export function bulkhead ({ upstream, slots, queue }: BulkheadOptions): { readonly layer: Layer, readonly gauge: BulkheadGauge } {
  const adaptive = typeof slots === 'number' ? undefined : slots
  let limit = typeof slots === 'number' ? slots : slots.slots
  let active = 0
  let waiting = 0
  let entered = 0
  /** Calls of runs that hold or have held a slot. */
  const ahead = new Line<Waiter>()
  /** Calls of runs that have not, by run. */
  const newcomers = new Map<Admission, Line<Waiter>>()
  const work = new Workload()
  const self = {}

  /** Lets the run of a call in, or does not. */
  function admit (call: LiveCall<unknown>): Admission | undefined {
    const { admitted } = call.scope
    let admission = admitted.get(self) as Admission | undefined
    if (admission === undefined) {
      if (active >= limit && (waiting >= queue || !work.hasTimeFor(call, limit))) return undefined
      admitted.set(self, admission = new Admission(work))
    }
    admission.announce(call)
    return admission
  }

  function lineOf (admission: Admission): Line<Waiter> {
    if (admission.hasEntered) return ahead
    let line = newcomers.get(admission)
    if (line === undefined) newcomers.set(admission, line = new Line())
    return line
  }

  function left (admission: Admission, { scope }: LiveCall<unknown>): void {
    waiting--
    if (newcomers.size === 0 || newcomers.get(admission)?.size !== 0) return
    newcomers.delete(admission)
    // All its calls have left before one got a slot: it is a newcomer again.
    admission.revoke()
    scope.admitted.delete(self)
  }

  // Slots are handed over, never left free while somebody waits, so nobody can overtake the queue.
  function exit (): void {
    active--
    while (active < limit) {
      const next = ahead.first ?? newcomer()
      if (next === undefined) return
      active++
      next.admit()
    }
  }

  /** The first of the run that has waited longest; the rest of that run moves ahead. */
  function newcomer (): Waiter | undefined {
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

  function hold<T> (next: Service, call: LiveCall<T>, admission: Admission): Promise<Answer<T>> {
    const { scope, effort } = call
    const isFirst = effort.attempts === 0
    // One in eight is measured where no slots learn from it: the clock is not free either.
    const since = adaptive !== undefined || (entered++ & 7) === 0 ? scope.now() : undefined
    const noted = adaptive === undefined ? 0 : adaptive.noted
    const over = (error?: unknown) => {
      if (since !== undefined) {
        const ms = scope.now() - since
        work.held(ms, error)
        if (adaptive !== undefined) {
          adaptive.ended(call, noted, ms, active, error)
          limit = adaptive.slots
        }
      }
      if (isFirst) admission.done(call)
      const { held } = call.attempt
      if (held === undefined) exit()
      else void held.then(exit)
    }
    let sent: Promise<Answer<T>>
    try {
      sent = next(call)
    } catch (error) {
      sent = Promise.reject(error)
    }
    return sent.then(answer => {
      over()
      return answer
    }, error => {
      over(error)
      throw error
    })
  }

  return {
    layer: next => <T>(call: LiveCall<T>) => {
      if (call.abort.aborted) return Promise.reject(call.abort.reason)
      const admission = active < limit || call.attempt.mayWait ? admit(call) : undefined
      if (admission === undefined) return Promise.reject(new UpstreamError('BULKHEAD_FULL', upstream))
      if (active < limit) {
        active++
        admission.hasEntered = true
        return hold(next, call, admission)
      }
      waiting++
      return new Promise<void>((resolve, reject) => lineOf(admission).join(new Waiter(call, admission, left, resolve, reject))).then(() => hold(next, call, admission))
    },
    gauge: {
      get slots () { return limit },
      get active () { return active },
      get waiting () { return waiting },
    },
  }
}
