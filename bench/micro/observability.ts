// `npm run bench:observability`: measures the cost of metrics and trace context per call, and that of a timeline for
// kept runs. Fails above a limit.
import { z } from 'zod'
import { aggregate, times } from '../../src/fanout/aggregate.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import { KeptRuns } from '../../src/kept/kept-runs.ts'
import { AggregateMetrics, type StepMetrics } from '../../src/metrics/aggregate-metrics.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { OperationMetrics, WaitMetrics } from '../../src/metrics/operation-metrics.ts'
import { RuntimeCounters } from '../../src/metrics/runtime-counters.ts'
import { RuntimeMetrics } from '../../src/metrics/runtime-metrics.ts'
import { UpstreamMetrics } from '../../src/metrics/upstream-metrics.ts'
import { requestTrace } from '../../src/trace/request-trace.ts'
import { serviceOf, stack } from '../../src/upstream/call/layer.ts'
import { defineUpstream, operation, specOf } from '../../src/upstream/declare.ts'
import { attempt } from '../../src/upstream/policies/attempt.ts'
import { breaker } from '../../src/upstream/policies/breaker/breaker.ts'
import { bulkhead } from '../../src/upstream/policies/bulkhead/bulkhead.ts'
import { observe } from '../../src/upstream/policies/observe.ts'
import { requestHeaders } from '../../src/upstream/transport/dispatch.ts'
import type { Runtime } from '../../src/upstream/runtime.ts'

const rounds = 200
const runsPerRound = 300
const callsPerRun = 10
/** The limit on the cost of a call, in µs. */
const limit = 1
/** The limit on the cost of a call of a run that is followed for the operator, in µs. */
const timelineLimit = 0.6

const up = defineUpstream(
  'up',
  { origin: 'http://127.0.0.1:1', traceContext: true },
  { one: operation({ path: '/', output: z.unknown() }) },
)
const spec = specOf(up)
const card = aggregate('card', { url: '/card' })
  .each('calls', () => times(callsPerRun, () => up.one()))
  .reply(z.unknown(), () => 1)

/** Counts nothing. The comparison needs the same calls of the same objects. */
class UncountedOperation extends OperationMetrics {
  override callEnded(): void {}
  override attemptStarted(): void {}
  override attemptAnswered(): void {}
}
class UncountedUpstream extends UpstreamMetrics {
  readonly #none: OperationMetrics
  constructor(metrics: Metrics) {
    super(metrics, spec, new URL(spec.origin))
    const labels = { upstream: '', operation: '', urlTemplate: '', method: '', address: '', port: '', maxAttempts: 1 }
    this.#none = new UncountedOperation(metrics, new WaitMetrics(metrics, ''), labels)
  }
  override of(): OperationMetrics {
    return this.#none
  }
}
class UncountedAggregate extends AggregateMetrics {
  readonly #none = { ended() {} } as unknown as StepMetrics
  override runEnded(): void {}
  override step(): StepMetrics {
    return this.#none
  }
}
class UncountedRuntime extends RuntimeCounters {
  readonly #none = new UncountedAggregate(this.metrics, card)
  override aggregate(): AggregateMetrics {
    return this.#none
  }
}

function runtimeOf(counters: RuntimeCounters, metrics: UpstreamMetrics): Runtime {
  const counts = { calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, queuedMs: 0 }
  const answer = { value: 1 as never, status: 200 }
  const headersOf = requestHeaders()
  const send = stack(
    [
      observe(counts, metrics),
      breaker({ upstream: 'up', failureRatio: 0.5, minimumCalls: 20, window: 10_000, openDuration: 5000 }).layer,
      bulkhead({ upstream: 'up', concurrency: 64, maxQueue: 256 }).layer,
      attempt({ upstream: 'up', timeout: 60_000 }),
    ],
    serviceOf((call, completion) => {
      headersOf(call)
      completion.resolve(answer)
    }),
  )
  return {
    send,
    offload: () => {
      throw new Error('there are no threads here')
    },
    stats: () => ({}),
    metrics: new RuntimeMetrics(counters),
    close: () => Promise.resolve(),
  }
}

const counted = new RuntimeCounters()
const measured = runtimeOf(counted, new UpstreamMetrics(counted.metrics, spec, new URL(spec.origin)))
const keptRuns = new KeptRuns({ limit: 2000, hide: text => text })
const request = { requestId: 'req-1', traceId: undefined, method: 'GET', target: '/card' }
const variants = [
  { runtime: runtimeOf(new UncountedRuntime(), new UncountedUpstream(new Metrics())), isTraced: false, isKept: false },
  { runtime: measured, isTraced: true, isKept: false },
  { runtime: measured, isTraced: true, isKept: true },
].map(variant => ({ ...variant, best: Infinity }))
const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' }

// The variants take turns. The minimum over many rounds is the value without disturbance.
for (let round = 0; round < rounds; round++) {
  for (const each of variants) {
    const { runtime } = each
    const startedAt = process.hrtime.bigint()
    for (let time = 0; time < runsPerRound; time++) {
      const trace = each.isTraced ? requestTrace(headers, 0) : undefined
      const timeline = each.isKept ? keptRuns.start(card, request) : undefined
      await startRun(card, {}, { runtime, trace, timeline }).start()
    }
    const us = Number(process.hrtime.bigint() - startedAt) / 1000
    each.best = Math.min(each.best, us / runsPerRound / callsPerRun)
  }
}

const [without, withMetrics, withTimeline] = variants.map(({ best }) => best) as [number, number, number]
const cost = withMetrics - without
const timelineCost = withTimeline - withMetrics
process.stdout.write(
  `${without.toFixed(3)} µs  one of ${callsPerRun} calls of a run, without metrics and trace context\n` +
    `${withMetrics.toFixed(3)} µs  with both\n${cost.toFixed(3)} µs  cost of both, of at most ${limit} µs\n` +
    `${withTimeline.toFixed(3)} µs  with a timeline too\n` +
    `${timelineCost.toFixed(3)} µs  cost of the timeline, of at most ${timelineLimit} µs\n`,
)
process.exit(cost > limit || timelineCost > timelineLimit ? 1 : 0)
