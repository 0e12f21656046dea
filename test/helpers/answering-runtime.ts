import { RuntimeCounters } from '../../src/metrics/runtime-counters.ts'
import { RuntimeMetrics } from '../../src/metrics/runtime-metrics.ts'
import type { LiveCall } from '../../src/upstream/call/live-call.ts'
import type { Answer } from '../../src/upstream/call/layer.ts'
import type { Runtime } from '../../src/upstream/runtime.ts'

/** A runtime that answers each call with what `answer` returns for its path, and fails where that throws. */
export function answeringRuntime(answer: (path: string) => unknown): Runtime & { readonly asked: readonly string[] } {
  const asked: string[] = []
  return {
    asked,
    async send<T>(call: LiveCall<T>): Promise<Answer<T>> {
      asked.push(call.path)
      return { value: (await answer(call.path)) as T, status: 200 }
    },
    offload: () => {
      throw new Error('there are no threads here')
    },
    stats: () => ({}),
    metrics: new RuntimeMetrics(new RuntimeCounters()),
    close: () => Promise.resolve(),
  }
}
