// `npm run bench:policies`: measures the cost of each layer for a successful call.
import { Abort } from '../../src/core/abort.ts'
import { LiveCall } from '../../src/upstream/call/live-call.ts'
import type { Scope } from '../../src/upstream/call/scope.ts'
import { attempt } from '../../src/upstream/policies/attempt.ts'
import { breaker } from '../../src/upstream/policies/breaker/breaker.ts'
import { RetryBudget } from '../../src/upstream/policies/retry/retry-budget.ts'
import { bulkhead } from '../../src/upstream/policies/bulkhead/bulkhead.ts'
import { hedge } from '../../src/upstream/policies/hedge/hedge.ts'
import { stack, type Answer, type Layer } from '../../src/upstream/call/layer.ts'
import { observe } from '../../src/upstream/policies/observe.ts'
import { retry } from '../../src/upstream/policies/retry/retry.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { z } from 'zod'

const rounds = 300
const callsPerRound = 2000

const upstream = 'none'
const { get } = defineUpstream(
  upstream,
  { origin: 'http://127.0.0.1:1' },
  { get: operation({ path: '/', output: z.unknown() }) },
)
const budget = new RetryBudget()
const scope: Scope = {
  deadline: 60_000,
  headers: {},
  abort: new Abort(),
  flow: { weight: 2 },
  admitted: new Map(),
  now: () => performance.now() - 1e6,
  emit() {},
}
const question = get()

const layers: Readonly<Record<string, readonly Layer[]>> = {
  none: [],
  observe: [observe({ calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, queuedMs: 0 })],
  retry: [retry({ maxAttempts: 2, initialDelay: 25, maxDelay: 250, budget })],
  'hedge, nothing known': [
    hedge({ delay: undefined, percentile: 98, maxRatio: 0, budget: new RetryBudget({ ratio: 0, minPerSecond: 0 }) }),
  ],
  'hedge, with a timer': [hedge({ delay: 60_000, percentile: 98, maxRatio: 0.03, budget })],
  breaker: [breaker({ upstream, failureRatio: 0.5, minimumCalls: 20, window: 10_000, openDuration: 5000 }).layer],
  bulkhead: [bulkhead({ upstream, concurrency: 64, maxQueue: 256 }).layer],
  attempt: [attempt({ upstream, timeout: 1000, budget })],
}
const answer = Promise.resolve({ value: undefined, status: 200 }) as Promise<Answer<never>>
const services = Object.entries(layers).map(([name, each]) => ({
  name,
  service: stack(each, () => answer),
  best: Infinity,
}))

// The services take turns. The minimum over many rounds is the value without disturbance.
for (let round = 0; round < rounds; round++) {
  for (const each of services) {
    const startedAt = process.hrtime.bigint()
    for (let time = 0; time < callsPerRound; time++)
      await each.service(new LiveCall(question, scope.abort, scope, 0, 1))
    each.best = Math.min(each.best, Number(process.hrtime.bigint() - startedAt) / callsPerRound / 1000)
  }
}

const [none] = services as [(typeof services)[0]]
for (const { name, best } of services.slice(1))
  process.stdout.write(`${(best - none.best).toFixed(2).padStart(6)} µs  ${name}\n`)
process.exit()
