import type { Test } from 'tap'
import { defineUpstream, type Operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import type { Answer } from '../../src/upstream/call/layer.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { testRun, type TestRun } from './call.ts'
import { rawUpstream, type RawUpstream, type Script } from './raw-upstream.ts'

export interface Wire<I, T> {
  readonly upstream: RawUpstream
  /** Sends one call through every layer. */
  readonly send: (run?: TestRun, ...input: Parameters<Operation<I, T>>) => Promise<Answer<T>>
  /** Ends the runtime. */
  readonly close: () => Promise<void>
}

/**
 * A runtime with one operation on a raw upstream; a failure is not tried again, and however many come are not held
 * against it.
 */
export async function wire<I, T>(
  t: Test,
  script: Script,
  ask: Operation<I, T>,
  options: Partial<UpstreamOptions> = {},
  runtimeOptions: RuntimeOptions = {},
): Promise<Wire<I, T>> {
  const upstream = await rawUpstream(t, script)
  const declared = defineUpstream('raw', { origin: upstream.origin, retry: false, breaker: false, ...options }, { ask })
  const runtime = createRuntime(runtimeOptions)
  t.teardown(() => runtime.close())
  return {
    upstream,
    send: (run = testRun(), ...input) => runtime.send(run.ask(declared.ask(...input))),
    close: () => runtime.close(),
  }
}
