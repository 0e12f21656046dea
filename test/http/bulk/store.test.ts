import { Writable } from 'node:stream'
import { test, type Test } from 'tap'
import { buildApp, type AppOptions, type BulkOptions, type BulkStore } from '../../../src/app.ts'
import { MemoryStore } from '../../bulk/helpers/memory-store.ts'
import { quietPort } from '../../helpers/quiet-port.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { double, numbers, untilCalmly, type ShownRun } from './helpers.ts'

/** Serves an aggregate with these options of bulk runs. */
async function served(t: Test, bulk: BulkOptions, options: AppOptions = {}) {
  const app = buildApp([double], { drainTimeout: 100, bulk, ...options })
  t.teardown(() => app.close())
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const create = (lines: string) =>
    fetch(`${origin}/v1/bulk/double`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines,
    })
  const read = async ({ id }: ShownRun) => (await (await fetch(`${origin}/v1/bulk/runs/${id}`)).json()) as ShownRun
  return { origin, create, read }
}

test('a run uses the store of the embedder in place of a folder', async t => {
  const store = new MemoryStore()
  const { origin, create, read } = await served(t, { store })
  const run = (await (await create(numbers(250))).json()) as ShownRun
  await untilCalmly(async () => (await read(run)).state === 'completed')
  t.match(await read(run), { done: 250, succeeded: 250 })
  const results = await (await fetch(new URL(run.results, origin))).text()
  t.equal(results.trim().split('\n').length, 250)
  t.equal([...store.objects.keys()].filter(name => name.includes('/results/')).length, 3)
})

test('two apps share a store and a queue', { skip: redisMissing }, async t => {
  const { url } = await startRedis(t, { tcp: true })
  const store = new MemoryStore()
  const apps = [await served(t, { store, queue: { url } }), await served(t, { store, queue: { url } })] as const
  const run = (await (await apps[0].create(numbers(250))).json()) as ShownRun
  for (const { read } of apps) await untilCalmly(async () => (await read(run)).state === 'completed')
  t.match(await apps[1].read(run), { done: 250, succeeded: 250 })
  t.equal(store.objects.has('queue'), true, 'the name of the queue is in the store')
})

test('a request that needs a store that fails gets 503', async t => {
  const store = new MemoryStore()
  const { origin, create } = await served(t, { store })
  for (const operation of ['create', 'list'] as const)
    store[operation] = async () => Promise.reject(new Error('the bucket is gone'))
  const created = await create(numbers(1))
  t.equal(created.status, 503)
  t.match(await created.json(), { code: 'STORE_UNAVAILABLE' })
  t.equal((await fetch(`${origin}/v1/bulk/runs`)).status, 503)
})

test('a store may reject with any value', async t => {
  const store = new MemoryStore()
  const { create } = await served(t, { store })
  for (const reason of ['gone', undefined]) {
    store.create = async () => Promise.reject(reason)
    t.equal((await create(numbers(1))).status, 503)
  }
})

test('a queue that cannot be reached is logged once, and runs are accepted', async t => {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const url = `redis://127.0.0.1:${await quietPort()}`
  const { create } = await served(t, { store: new MemoryStore(), queue: { url } }, { logger: { stream } })
  const logged = () => lines.filter(line => line.includes('bulk queue unavailable'))
  await untilCalmly(() => logged().length > 0)
  t.match(JSON.parse(logged()[0] as string), { reason: 'the connection failed with ECONNREFUSED' })
  t.equal((await create(numbers(3))).status, 202)
  t.equal(logged().length, 1)
})

test('options of the store and the queue that are wrong are refused', async t => {
  const store = new MemoryStore()
  // @ts-expect-error -- a folder and a store exclude each other
  t.throws(() => buildApp([double], { bulk: { dir: '/x', store } }), {
    message: 'app: the options bulk.dir and bulk.store exclude each other: remove one of them',
  })
  // @ts-expect-error -- one of both is required
  t.throws(() => buildApp([double], { bulk: { maxRuns: 1 } }), { message: /bulk.dir is missing/ })
  const incomplete = { create: () => {}, read: () => {} } as unknown as BulkStore
  t.throws(() => buildApp([double], { bulk: { store: incomplete } }), { message: /must have .*: add has$/ })
  const wrong = [
    [{ url: 'http://me:5ecret@a' }, /bulk.queue.url must be a URL such as redis:/],
    [{ url: 'redis://a?db=1' }, /bulk.queue.url must not have a query or a fragment$/],
    [{ url: 6379 }, /bulk.queue.url/],
    [{ host: 'a' }, /host/],
    ['redis://a', /bulk.queue/],
  ] as const
  for (const [queue, message] of wrong) {
    t.throws(() => buildApp([double], { bulk: { store, queue: queue as never } }), { message })
    t.throws(() => buildApp([double], { bulk: { store, queue: queue as never } }), { message: /^(?!.*5ecret)/ })
  }
})

test('an app whose queue may evict jobs does not listen', { skip: redisMissing }, async t => {
  const { url } = await startRedis(t, { tcp: true, config: ['maxmemory-policy allkeys-lfu'] })
  const app = buildApp([double], { bulk: { store: new MemoryStore(), queue: { url } } })
  await t.rejects(async () => app.listen({ port: 0 }), {
    message: /^app: bulk.queue.url: the maxmemory-policy of the server is allkeys-lfu/,
  })
})

test('a metric has the availability of the queue, and is absent without a queue', { skip: redisMissing }, async t => {
  const server = await startRedis(t, { tcp: true })
  await server.stop()
  const [queued, alone] = [
    await served(t, { store: new MemoryStore(), queue: { url: server.url } }, { metrics: true }),
    await served(t, { store: new MemoryStore() }, { metrics: true }),
  ]
  const metrics = async ({ origin }: { readonly origin: string }) => (await fetch(`${origin}/metrics`)).text()
  const shows = async (value: number) =>
    new RegExp(`^headwaters_bulk_queue_available ${value}$`, 'm').test(await metrics(queued))
  await untilCalmly(() => shows(0))
  await server.restart()
  await untilCalmly(() => shows(1))
  await server.stop()
  await untilCalmly(() => shows(0))
  const text = await metrics(alone)
  t.match(text, /headwaters_bulk_runs/)
  t.notMatch(text, /headwaters_bulk_queue_available/)
})

test('a metric counts the failures of the store, and is absent without bulk runs', async t => {
  const store = new MemoryStore()
  const { origin } = await served(t, { store }, { metrics: true })
  const faults = async () =>
    /^headwaters_bulk_store_faults_total (\d+)$/m.exec(await (await fetch(`${origin}/metrics`)).text())?.[1]
  t.equal(await faults(), '0')
  store.list = async () => Promise.reject(new Error('the bucket is gone'))
  await untilCalmly(async () => Number(await faults()) > 0)
  const alone = buildApp([double], { metrics: true })
  t.teardown(() => alone.close())
  t.notMatch((await alone.inject('/metrics')).body, /headwaters_bulk/)
})
