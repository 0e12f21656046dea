import { Abort } from '../../src/core/abort.ts'
import type { Answer } from '../../src/index.ts'
import { RuntimeCounters } from '../../src/metrics/runtime-counters.ts'
import { RuntimeMetrics } from '../../src/metrics/runtime-metrics.ts'
import type { LiveCall } from '../../src/upstream/call/live-call.ts'
import { serviceOf } from '../../src/upstream/call/layer.ts'
import type { Runtime } from '../../src/upstream/runtime.ts'

/** A call that the test holds in its hand until it says how it ends. */
export interface HeldCall {
  readonly call: LiveCall<unknown>
  readonly path: string
  /** Why the run gave it up; the box is there as soon as it did. */
  readonly cut: { readonly reason: unknown } | undefined
  /** @param status 200 where it is left out */
  readonly answer: (value?: unknown, status?: number) => void
  readonly fail: (error: unknown) => void
}

export interface HeldRuntime extends Runtime {
  /** Every call that was sent, in the order of sending. */
  readonly calls: readonly HeldCall[]
  /** The call for a path; throws when none was sent. */
  at(path: string): HeldCall
  /** The call for a path, as soon as it is sent. */
  arrived(path: string): Promise<HeldCall>
}

export interface HeldRuntimeOptions {
  /** Calls that ignore their abort, like a layer that swallows it. */
  readonly deaf?: (path: string) => boolean
  /** Whether a result is passed on at once, as layers without promises do. @default false */
  readonly isSync?: boolean
}

/** A runtime with nothing behind it: the test answers each call. */
export function heldRuntime({ deaf = () => false, isSync = false }: HeldRuntimeOptions = {}): HeldRuntime {
  const calls: HeldCall[] = []
  const expected = new Map<string, (held: HeldCall) => void>()
  const find = (path: string) => calls.find(held => held.path === path)

  function hold(
    call: LiveCall<unknown>,
    resolve: (answer: Answer<unknown>) => void,
    reject: (error: unknown) => void,
  ): void {
    let cut: HeldCall['cut']
    const listener = new Abort()
    listener.abort = reason => {
      cut ??= { reason }
      call.abort.delete(listener)
      reject(reason)
    }
    if (!deaf(call.path)) call.abort.add(listener)
    const held: HeldCall = {
      call,
      path: call.path,
      get cut() {
        return cut
      },
      answer(value, status = 200) {
        call.abort.delete(listener)
        resolve({ value, status })
      },
      fail(error) {
        call.abort.delete(listener)
        reject(error)
      },
    }
    calls.push(held)
    expected.get(call.path)?.(held)
  }

  return {
    calls,
    at(path) {
      const held = find(path)
      if (held === undefined) throw new Error(`${path} was not asked`)
      return held
    },
    arrived(path) {
      const held = find(path)
      return held === undefined
        ? new Promise(resolve => {
            expected.set(path, resolve)
          })
        : Promise.resolve(held)
    },
    send: isSync
      ? serviceOf((call, completion) =>
          hold(
            call,
            answer => completion.resolve(answer as Answer<never>),
            error => completion.reject(error),
          ),
        )
      : <T>(call: LiveCall<T>) =>
          new Promise<Answer<T>>((resolve, reject) => hold(call, resolve as (answer: Answer<unknown>) => void, reject)),
    offload: () => {
      throw new Error('there are no threads here')
    },
    stats: () => ({}),
    metrics: new RuntimeMetrics(new RuntimeCounters()),
    close: () => Promise.resolve(),
  }
}
