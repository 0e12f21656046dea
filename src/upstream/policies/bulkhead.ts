import { UpstreamError } from '../../errors.ts'
import type { Abortable } from '../abort.ts'
import type { LiveCall, Scope } from '../call.ts'
import type { Answer, Layer, Service } from './layer.ts'

export interface BulkheadOptions {
  readonly upstream: string
  /** Calls on the wire at once. */
  readonly slots: number
  /** Calls that may wait before the first call of a new run is refused. */
  readonly queue: number
}

/** What a bulkhead can be asked about itself. */
export interface BulkheadGauge {
  readonly active: number
  readonly waiting: number
}

interface Waiter extends Abortable {
  /** Where it stands; it takes itself out when it gives up. */
  home: Set<Waiter>
  admit (): void
}

type Run = Scope['admitted']

/**
 * Bounds what one upstream can hold of us: so many calls on the wire, so many waiting, no more.
 *
 * A run is admitted, not a call. When a run's first call finds the queue full, it is refused; when it gets a slot, the run's
 * other calls go ahead of every run that has none yet. So under overload admitted runs finish, and the others know it at once.
 */
export function bulkhead ({ upstream, slots, queue }: BulkheadOptions): { readonly layer: Layer, readonly gauge: BulkheadGauge } {
  let free = slots
  let waiting = 0
  /** Calls of runs that hold or have held a slot; a Set is a queue that forgets a leaver in O(1). */
  const ahead = new Set<Waiter>()
  /** Calls of runs that have not, by run. */
  const newcomers = new Map<Run, Set<Waiter>>()
  const self = {}

  function enter (call: LiveCall<unknown>): Promise<void> | undefined {
    const run = call.scope.admitted
    if (free > 0) {
      free--
      run.add(self)
      return
    }
    if (run.has(self)) return wait(call, ahead)
    const group = newcomers.get(run)
    if (group !== undefined) return wait(call, group)
    if (waiting >= queue) return Promise.reject(new UpstreamError('BULKHEAD_FULL', upstream))
    const fresh = new Set<Waiter>()
    newcomers.set(run, fresh)
    return wait(call, fresh)
  }

  function wait (call: LiveCall<unknown>, home: Set<Waiter>): Promise<void> {
    const since = call.scope.now()
    waiting++
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting--
        waiter.home.delete(waiter)
        call.abort.delete(waiter)
        call.effort.waitedMs += call.scope.now() - since
      }
      const waiter: Waiter = {
        home,
        admit () {
          leave()
          resolve()
        },
        cut (reason) {
          leave()
          const run = call.scope.admitted
          if (newcomers.get(run)?.size === 0) newcomers.delete(run)
          reject(reason)
        },
      }
      home.add(waiter)
      call.abort.add(waiter)
    })
  }

  // A slot is handed over, never freed while somebody waits, so nobody can overtake the queue.
  function exit () {
    const [next] = ahead
    if (next !== undefined) return next.admit()
    for (const [run, group] of newcomers) {
      newcomers.delete(run)
      run.add(self)
      const [first, ...others] = group
      for (const waiter of others) {
        waiter.home = ahead
        ahead.add(waiter)
      }
      return (first as Waiter).admit()
    }
    free++
  }

  function hold<T> (next: Service, call: LiveCall<T>): Promise<Answer<T>> {
    let sent: Promise<Answer<T>>
    try {
      sent = next(call)
    } catch (error) {
      sent = Promise.reject(error)
    }
    return sent.then(answer => {
      exit()
      return answer
    }, error => {
      exit()
      throw error
    })
  }

  return {
    layer: next => call => {
      if (call.abort.aborted) return Promise.reject(call.abort.reason)
      const entered = enter(call)
      return entered === undefined ? hold(next, call) : entered.then(() => hold(next, call))
    },
    gauge: {
      get active () { return slots - free },
      get waiting () { return waiting },
    },
  }
}
