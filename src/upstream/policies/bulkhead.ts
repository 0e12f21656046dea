import { UpstreamError } from '../../errors.ts'
import { Abortable } from '../abort.ts'
import type { LiveCall, Scope } from '../call.ts'
import type { Answer, Layer, Service } from './layer.ts'
import { Line, type Place } from './line.ts'

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
  /** Calls of runs that hold or have held a slot. */
  const ahead = new Line<Waiter>()
  /** Calls of runs that have not, by run. */
  const newcomers = new Map<Run, Line<Waiter>>()
  const self = {}

  /** Where a call that found no free slot has to wait; none when it may not. */
  function lineFor (run: Run): Line<Waiter> | undefined {
    if (run.has(self)) return ahead
    let line = newcomers.get(run)
    if (line === undefined && waiting < queue) newcomers.set(run, line = new Line())
    return line
  }

  function left (run: Run): void {
    waiting--
    if (newcomers.size > 0 && newcomers.get(run)?.size === 0) newcomers.delete(run)
  }

  // A slot is handed over, never freed while somebody waits, so nobody can overtake the queue.
  function exit (): void {
    const next = ahead.first ?? newcomer()
    if (next === undefined) free++
    else next.admit()
  }

  /** The first of the run that has waited longest; the rest of that run moves ahead. */
  function newcomer (): Waiter | undefined {
    for (const [run, line] of newcomers) {
      newcomers.delete(run)
      run.add(self)
      const first = line.first as Waiter
      for (let other = first.after; other !== undefined;) {
        const { after } = other
        ahead.join(other)
        other = after
      }
      first.after = undefined
      return first
    }
    return undefined
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
    layer: next => <T>(call: LiveCall<T>) => {
      if (call.abort.aborted) return Promise.reject(call.abort.reason)
      const run = call.scope.admitted
      if (free > 0) {
        free--
        run.add(self)
        return hold(next, call)
      }
      const line = lineFor(run)
      if (line === undefined) return Promise.reject(new UpstreamError('BULKHEAD_FULL', upstream))
      waiting++
      return new Promise<void>((resolve, reject) => line.join(new Waiter(call, left, resolve, reject))).then(() => hold(next, call))
    },
    gauge: {
      get active () { return slots - free },
      get waiting () { return waiting },
    },
  }
}

/** A call that waits for a slot, and leaves at once when it is given up. */
class Waiter extends Abortable implements Place<Waiter> {
  line: Line<Waiter> | undefined
  before: Waiter | undefined
  after: Waiter | undefined
  readonly #call: LiveCall<unknown>
  readonly #since: number
  readonly #left: (run: Run) => void
  readonly #resolve: () => void
  readonly #reject: (reason: unknown) => void

  constructor (call: LiveCall<unknown>, left: (run: Run) => void, resolve: () => void, reject: (reason: unknown) => void) {
    super()
    this.#call = call
    this.#since = call.scope.now()
    this.#left = left
    this.#resolve = resolve
    this.#reject = reject
    call.abort.add(this)
  }

  admit (): void {
    this.#leave()
    this.#resolve()
  }

  cut (reason: unknown): void {
    this.#leave()
    this.#reject(reason)
  }

  #leave (): void {
    const { abort, effort, scope } = this.#call
    abort.delete(this)
    effort.waitedMs += scope.now() - this.#since
    this.line?.leave(this)
    this.#left(scope.admitted)
  }
}
