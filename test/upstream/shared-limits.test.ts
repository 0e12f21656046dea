import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { farStore } from '../helpers/far-store.ts'
import { handSharedState, type HandSharedState } from '../helpers/hand-shared-state.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

interface Given extends RuntimeOptions {
  readonly upstreamOptions: Partial<UpstreamOptions>
  readonly status?: number
}

async function arrange(t: Test, shared: HandSharedState, { upstreamOptions, status = 200, ...options }: Given) {
  const raw = await rawUpstream(t, json('well', status))
  const runtime = createRuntime({ shared: shared.state, ...options })
  t.teardown(() => runtime.close())
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, ...upstreamOptions },
    { ask: operation({ path: '/ask', output: z.unknown() }) },
  )
  return {
    raw,
    runtime,
    ask: () => runtime.send(testRun().ask(cats.ask())),
    concurrency: () => runtime.stats()['cats']?.concurrency,
  }
}

test('a divided concurrency follows the number of live services, and is at least 1', async t => {
  const shared = handSharedState({ index: 2, count: 3 })
  const { runtime, ask, concurrency } = await arrange(t, shared, {
    upstreamOptions: { concurrency: 10, divideConcurrency: true },
  })
  await ask()
  t.equal(concurrency(), 3)
  shared.setServices({ index: 1, count: 2 })
  t.equal(concurrency(), 5)
  shared.setServices({ index: 11, count: 12 })
  t.equal(concurrency(), 1)
  await runtime.close()
  t.equal(shared.listeners, 0, 'a closed runtime listens no more')
})

test('a process divides its own part of the concurrency', async t => {
  const shared = handSharedState({ index: 0, count: 2 })
  const { ask, concurrency } = await arrange(t, shared, {
    upstreamOptions: { concurrency: 10, divideConcurrency: true },
    partition: { index: 1, count: 2 },
  })
  await ask()
  t.equal(concurrency(), 3)
})

test('a concurrency is not divided without the option, or when an override makes it adaptive', async t => {
  const shared = handSharedState({ index: 0, count: 2 })
  const whole = await arrange(t, shared, { upstreamOptions: { concurrency: 10 } })
  await whole.ask()
  t.equal(whole.concurrency(), 10)
  const adaptive = await arrange(t, shared, {
    upstreamOptions: { concurrency: 10, divideConcurrency: true },
    overrides: { cats: { concurrency: 'adaptive' } },
  })
  await adaptive.ask()
  t.equal(adaptive.concurrency(), 20)
  t.equal(shared.listeners, 0)
})

test('a shared budget has the minimum of the whole service and sends what it is granted', async t => {
  const shared = handSharedState()
  const { raw, runtime, ask } = await arrange(t, shared, {
    status: 503,
    upstreamOptions: {
      retry: { maxAttempts: 2, initialDelay: 0 },
      retryBudget: { shared: true, ratio: 0, minPerSecond: 6 },
    },
    partition: { index: 0, count: 3 },
  })
  await failure(ask())
  const budget = shared.budgets.get('cats')
  t.match(budget, { ratio: 0, minimum: 60 })
  t.equal(raw.requests.length, 2)
  t.same(budget?.takeCounts(), { calls: 1, extra: 1 })
  budget?.allow(1)
  for (let call = 0; call < 3; call++) await failure(ask())
  t.equal(raw.requests.length, 6, 'one of three calls is sent again')
  await runtime.close()
  t.equal(shared.budgets.size, 0)
})

test('a retry budget belongs to its process without the option, and without a shared state', async t => {
  const shared = handSharedState()
  const { ask } = await arrange(t, shared, { upstreamOptions: {} })
  await ask()
  t.equal(shared.budgets.size, 0)
  const alone = await arrange(t, shared, {
    shared: undefined,
    status: 503,
    upstreamOptions: { retryBudget: { shared: true, ratio: 0, minPerSecond: 0.1 }, retry: { initialDelay: 0 } },
  })
  for (let call = 0; call < 3; call++) await failure(alone.ask())
  t.equal(alone.raw.requests.length, 4)
})

test('a runtime refuses a value that is not a shared state, and a second store or counter', async t => {
  const { state } = handSharedState()
  for (const wrong of [{}, null, 'redis://127.0.0.1'])
    t.throws(() => createRuntime({ shared: wrong as never }), {
      name: 'TypeError',
      message: 'runtime: shared must be the state that redisState of headwaters/redis returns',
    })
  t.throws(() => createRuntime({ shared: state, cacheStore: farStore().store }), {
    message: 'runtime: shared excludes cacheStore, because it has a cache store: remove one of them',
  })
  t.throws(() => buildApp([], { shared: state, countRequest: async () => ({ current: 1, ttl: 1 }) }), {
    message: 'app: shared excludes countRequest, because it counts requests: remove one of them',
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  t.throws(() => buildApp([], { shared: state, runtime }), { name: 'TypeError', message: /shared/ })
})
