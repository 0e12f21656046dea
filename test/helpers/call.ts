import { Abort } from '../../src/core/abort.ts'
import { LiveCall } from '../../src/upstream/call/live-call.ts'
import type { Call } from '../../src/upstream/call/call.ts'
import type { Scope } from '../../src/upstream/call/scope.ts'
import type { CallEvent } from '../../src/upstream/call/events.ts'

export interface TestRunOptions {
  /** In ms from now. */
  readonly deadline?: number
  readonly headers?: Scope['headers']
  /** @default none */
  readonly trace?: Scope['trace']
  /** @default the same flow for all runs */
  readonly flow?: Scope['flow']
  /** In place of the real clock. */
  readonly now?: () => number
}

/** One run: the scope that its calls share, its abort, and its events. */
export interface TestRun extends Scope {
  readonly abort: Abort
  readonly events: CallEvent[]
  /** Makes a call of this run; under an abort of its own when one is given. */
  ask<T>(call: Call<T>, own?: { readonly abort?: Abort; readonly step?: number; readonly index?: number }): LiveCall<T>
}

const sharedFlow: Scope['flow'] = Object.freeze({ weight: 2 })

export function testRun({
  deadline = 60_000,
  headers = {},
  trace,
  flow = sharedFlow,
  now = clock(),
}: TestRunOptions = {}): TestRun {
  const events: CallEvent[] = []
  const run: TestRun = {
    deadline,
    headers,
    trace,
    flow,
    admitted: new Map(),
    abort: new Abort(),
    events,
    now,
    emit: event => {
      events.push(event)
    },
    ask: (call, { abort = run.abort, step = 0, index = 0 } = {}) => new LiveCall(call, abort, run, step, index),
  }
  return run
}

function clock(): () => number {
  const start = performance.now()
  return () => performance.now() - start
}
