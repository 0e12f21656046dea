import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { redisState } from '../../../src/redis/redis-state.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { createRuntime, type Runtime } from '../../../src/upstream/runtime.ts'
import type { SharedState } from '../../../src/upstream/shared-state.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { redisMissing, startRedis, type RedisServer } from '../../helpers/redis.ts'
import { until } from '../../helpers/until.ts'

const skip = redisMissing

type App = ReturnType<typeof buildApp>

interface Replica {
  readonly shared: SharedState
  readonly runtime: Runtime
}

/** Opens replicas with a runtime each. Resolves when each one has seen all. */
async function replicasOf(t: Test, server: RedisServer, count: number): Promise<Replica[]> {
  const replicas: Replica[] = []
  for (let index = 0; index < count; index++) {
    const shared = redisState({ client: await server.client(t), patience: 2000 })
    const runtime = createRuntime({ shared })
    t.teardown(async () => {
      await runtime.close()
      await shared.close()
    })
    replicas.push({ shared, runtime })
  }
  await until(() => replicas.every(({ shared }) => shared.replicas.processes === count))
  return replicas
}

async function catsOf(t: Test, options: Partial<UpstreamOptions>, status = 200) {
  const raw = await rawUpstream(t, json('well', status))
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, ...options },
    { ask: operation({ path: '/ask', output: z.unknown() }) },
  )
  return { raw, ask: ({ runtime }: Replica) => runtime.send(testRun().ask(cats.ask())) }
}

test('replicas divide the concurrency of an upstream, and a replica that leaves is replaced', { skip }, async t => {
  const replicas = await replicasOf(t, await startRedis(t), 3)
  const { ask } = await catsOf(t, { concurrency: 10, divideConcurrency: true })
  await Promise.all(replicas.map(ask))
  const concurrencies = () => replicas.map(({ runtime }) => runtime.stats()['cats']?.concurrency as number)
  t.same(
    concurrencies().toSorted((a, b) => a - b),
    [3, 3, 4],
  )
  const [gone] = replicas.splice(0, 1)
  await gone?.runtime.close()
  await gone?.shared.close()
  await until(() => concurrencies().join() === '5,5')
})

test('replicas retry calls of a failing upstream within one budget', { skip }, async t => {
  const replicas = await replicasOf(t, await startRedis(t), 3)
  const retryBudget = { shared: true, ratio: 0, minPerSecond: 3 }
  const { raw, ask } = await catsOf(t, { breaker: false, retry: { initialDelay: 0 }, retryBudget }, 503)
  const startedAt = performance.now()
  let calls = 0
  while (performance.now() - startedAt < 3000) {
    await Promise.all(replicas.map(replica => failure(ask(replica))))
    calls += 3
  }
  const retries = raw.requests.length - calls
  t.ok(retries <= 30 && retries > 20, `${retries} of 30`)
})

test('apps admit a client within one rate limit', { skip }, async t => {
  const replicas = await replicasOf(t, await startRedis(t), 2)
  const served = aggregate('well', { url: '/well' }).reply(z.string(), () => 'well')
  const [first, second] = replicas.map(({ shared }) => buildApp([served], { shared, rateLimit: 15 })) as [App, App]
  t.teardown(() => Promise.all([first.close(), second.close()]))
  const statuses: number[] = []
  for (let request = 0; request < 20; request++)
    statuses.push((await (request % 2 === 0 ? first : second).inject('/well')).statusCode)
  t.same(
    statuses,
    statuses.map((_, index) => (index < 15 ? 200 : 429)),
  )
})
