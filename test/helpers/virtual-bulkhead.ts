import { LiveCall } from '../../src/upstream/call/live-call.ts'
import type { Scope } from '../../src/upstream/call/scope.ts'
import type { CallFlow } from '../../src/upstream/call/flow.ts'
import { sendOf, serviceOf, type Send } from '../../src/upstream/call/layer.ts'
import { bulkhead } from '../../src/upstream/policies/bulkhead/bulkhead.ts'
import { testRun } from './call.ts'
import { Listener } from './listener.ts'
import { questions } from './questions.ts'

export interface VirtualBulkheadOptions {
  readonly concurrency: number
  /** @default a million */
  readonly maxQueue?: number
  /** The time for which a call of a flow holds its permit, in ms. */
  readonly hold: (flow: CallFlow) => number
  /** @default never */
  readonly isLoopBusy?: (now: number) => boolean
}

/** A run in virtual time, with the times of its calls in ms. */
export interface VirtualRun {
  readonly flow: CallFlow
  readonly calls: number
  readonly startedAt: number
  /** The times at which its calls received permits. */
  readonly granted: number[]
  ended: number
  /** The time at which its last call ended. */
  endedAt: number
  /** The largest number of runs of its flow that were live while it waited, itself included. */
  mostLive: number
  /** The reason of the first call that failed. */
  failure: unknown
  /** Called when its first call fails, during the failure. */
  onFailure: () => void
  readonly cancel: () => void
}

interface Act {
  readonly at: number
  readonly act: () => void
}

/** A bulkhead above a service that takes virtual time. No clock, timer or socket is used. */
export class VirtualBulkhead {
  now = 0
  readonly runs: VirtualRun[] = []
  readonly gauge: ReturnType<typeof bulkhead>['gauge']
  /** Called after each act and each grant. */
  check: () => void = () => {}
  readonly #acts: Act[] = []
  readonly #active = new Map<CallFlow, number>()
  readonly #live = new Map<CallFlow, Set<VirtualRun>>()
  readonly #runs = new Map<Scope, VirtualRun>()
  readonly #send: Send

  constructor({ concurrency, maxQueue = 1_000_000, hold, isLoopBusy }: VirtualBulkheadOptions) {
    const now = () => this.now
    const { layer, gauge } = bulkhead({ upstream: 'up', concurrency, maxQueue, now, ...(isLoopBusy && { isLoopBusy }) })
    this.gauge = gauge
    const bottom = serviceOf((call, completion) => {
      const { abort, scope } = call
      if (abort.aborted) return completion.reject(abort.reason)
      const run = this.#runs.get(scope) as VirtualRun
      run.granted.push(this.now)
      this.#active.set(scope.flow, this.active(scope.flow) + 1)
      const leave = () => {
        abort.delete(listener)
        this.#active.set(scope.flow, this.active(scope.flow) - 1)
      }
      const listener = new Listener(reason => {
        leave()
        completion.reject(reason)
      })
      abort.add(listener)
      this.at(this.now + hold(scope.flow), () => {
        if (listener.listensTo === undefined) return
        leave()
        completion.resolve({ value: undefined as never, status: 200 })
      })
    })
    this.#send = sendOf(layer(bottom))
  }

  /** The permits that calls of a flow hold. */
  active(flow: CallFlow): number {
    return this.#active.get(flow) ?? 0
  }

  at(time: number, act: () => void): void {
    // After all acts of the same time, so that acts keep their order.
    let low = 0
    let high = this.#acts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#acts[middle] as Act).at > time) low = middle + 1
      else high = middle
    }
    this.#acts.splice(low, 0, { at: time, act })
  }

  /** Starts a run that sends all its calls together. */
  start(flow: CallFlow, calls: number, deadline = 1e9): VirtualRun {
    const startedAt = this.now
    const scope: Scope = testRun({ deadline, flow, now: () => this.now - startedAt })
    const run: VirtualRun = {
      flow,
      calls,
      startedAt,
      granted: [],
      ended: 0,
      endedAt: Number.NaN,
      mostLive: 0,
      failure: undefined,
      onFailure: () => {},
      cancel: () => scope.abort.abort('cancelled'),
    }
    this.runs.push(run)
    this.#runs.set(scope, run)
    const live = this.#live.get(flow) ?? new Set()
    this.#live.set(flow, live.add(run))
    for (const each of live) each.mostLive = Math.max(each.mostLive, live.size)
    const end = () => {
      if (++run.ended < calls) return
      run.endedAt = this.now
      live.delete(run)
      scope.abort.abort('ended')
    }
    for (let index = 0; index < calls; index++) {
      this.#send(new LiveCall(questions.ask(), scope.abort, scope, 0, index, calls), {
        resolve: end,
        reject: error => {
          const isFirst = run.failure === undefined
          run.failure ??= error
          if (isFirst) run.onFailure()
          end()
        },
      })
    }
    if (deadline < 1e9 && run.ended < calls) this.at(startedAt + deadline, () => scope.abort.abort('deadline'))
    return run
  }

  /** Runs all acts up to a time. */
  until(time = Infinity): void {
    for (let next = this.#acts.at(-1); next !== undefined && next.at <= time; next = this.#acts.at(-1)) {
      this.#acts.pop()
      this.now = next.at
      next.act()
      this.check()
    }
    if (time !== Infinity) this.now = time
  }
}
