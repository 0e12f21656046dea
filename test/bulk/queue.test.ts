import { Queue } from 'bullmq'
import tap, { test, type Test } from 'tap'
import { z } from 'zod'
import { Journal } from '../../src/bulk/journal.ts'
import { checkQueue } from '../../src/bulk/queue/check-queue.ts'
import { queueNameOf } from '../../src/bulk/queue/queue-name.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { quietPort } from '../helpers/quiet-port.ts'
import { redisMissing, startRedis, type RedisServer } from '../helpers/redis.ts'
import { until } from '../helpers/until.ts'
import { MemoryStore } from './helpers/memory-store.ts'
import { addressOf, queuedExecutor } from './helpers/queued-executor.ts'
import { createRun, double, id, numbers, owner, resultsOf } from './helpers/runs.ts'

tap.setTimeout(120_000)

const skip = redisMissing
const other = '0'.repeat(31) + '2'

const stateOf = async (store: MemoryStore, run: string) => (await new Journal(store).find(owner, run))?.state

/** Opens the queue of a store as an operator sees it. */
async function queueOf(t: Test, store: MemoryStore, server: RedisServer) {
  const queue = new Queue(await queueNameOf(store), { connection: await server.client(t), prefix: 'headwaters' })
  t.teardown(() => queue.close())
  return queue
}

/** Returns an aggregate whose items wait until they are released. */
function held() {
  const gate = Promise.withResolvers<number>()
  const state = { started: 0 }
  const waiting = aggregate('double', {
    url: '/v1/double',
    body: z.object({ n: z.number() }),
    bulk: true,
    deadline: 60_000,
  })
    .required('doubled', () => {
      state.started++
      return gate.promise
    })
    .reply(z.number(), ({ doubled }) => doubled)
  return { waiting, state, release: () => gate.resolve(1) }
}

/** Checks that each of `count` items is once in the results. */
async function checkItems(t: Test, store: MemoryStore, run: string, count: number): Promise<void> {
  const { items } = await resultsOf(store, { owner, id: run })
  t.same(
    items.map(({ index }) => index),
    Array.from({ length: count }, (_, index) => index),
  )
}

test('two executors share two runs in turn, and the queue is empty at the end', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const store = new MemoryStore()
  const journal = new Journal(store)
  await createRun(journal, numbers(1000))
  await createRun(journal, numbers(1000), { id: other })
  const executors = [await queuedExecutor(t, store, server.url), await queuedExecutor(t, store, server.url)]
  for (const run of [id, other]) await until(async () => (await stateOf(store, run)) === 'completed')
  for (const run of [id, other]) await checkItems(t, store, run, 1000)
  const order = [...store.objects.keys()].filter(name => /results.\d+$/.test(name)).map(name => name.includes(id))
  const leads = order.map((_, index) => {
    const ownChunks = order.slice(0, index + 1).filter(isOwn => isOwn).length
    return Math.abs(2 * ownChunks - (index + 1))
  })
  t.ok(Math.max(...leads) <= 6, `a run leads by ${Math.max(...leads)} chunks`)
  t.ok(
    executors.every(({ reported }) => reported.items.length > 0),
    'both have worked',
  )
  const queue = await queueOf(t, store, server)
  await until(async () => (await queue.getJobCountByTypes('wait', 'active', 'completed', 'failed')) === 0)
  t.same(
    executors.map(({ changes }) => changes),
    [[{ isAvailable: true }], [{ isAvailable: true }]],
  )
})

test('a paused run leaves the queue, and a resumed run goes on', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const store = new MemoryStore()
  const journal = new Journal(store)
  const run = await createRun(journal, numbers(500))
  const { waiting, state, release } = held()
  const { executor } = await queuedExecutor(t, store, server.url, { aggregates: [waiting] })
  await until(() => state.started > 0)
  await journal.setPaused(run, true)
  // A run that works makes the executor take the jobs of the paused run.
  await createRun(journal, numbers(100), { id: other })
  release()
  await until(async () => (await stateOf(store, other)) === 'completed')
  const queue = await queueOf(t, store, server)
  await until(async () => (await queue.getJobCountByTypes('wait', 'active')) === 0)
  t.ok((await resultsOf(store)).items.length < 500, 'the run is not complete')
  await journal.setPaused(run, false)
  executor.wake()
  await until(async () => (await stateOf(store, id)) === 'completed')
  await checkItems(t, store, id, 500)
})

test('a cancelled run stops in each process, and its jobs are dropped', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const store = new MemoryStore()
  const journal = new Journal(store)
  const run = await createRun(journal, numbers(500))
  const { waiting, state } = held()
  const { executor, reported } = await queuedExecutor(t, store, server.url, { aggregates: [waiting] })
  await until(() => state.started > 0)
  await journal.end(run, 'cancelled')
  executor.interrupt(id)
  await createRun(journal, numbers(1), { id: other, aggregate: 'double' })
  const queue = await queueOf(t, store, server)
  await until(async () => (await queue.getRanges(['wait', 'active'], 0, -1)).every(job => job.startsWith(other)))
  t.same((await resultsOf(store)).items, [])
  t.same(reported.faults, [])
})

test('an executor that stops gives its chunk back, and another one runs it at once', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const store = new MemoryStore()
  await createRun(new Journal(store), numbers(100))
  const { waiting, state } = held()
  const first = await queuedExecutor(t, store, server.url, { aggregates: [waiting] })
  await until(() => state.started > 0)
  await first.executor.stop()
  const queue = await queueOf(t, store, server)
  t.same(await queue.getRanges(['wait'], 0, -1), [`${id}-1`])
  await queuedExecutor(t, store, server.url)
  await until(async () => (await stateOf(store, id)) === 'completed')
  await checkItems(t, store, id, 100)
})

test('a job of an aggregate that a process does not offer stays for others', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const store = new MemoryStore()
  const journal = new Journal(store)
  const { upload } = await createRun(journal, numbers(300), { id: other, aggregate: 'newer' })
  const queue = await queueOf(t, store, server)
  await queue.add('chunk', { owner, run: other, upload, chunk: 1 }, { jobId: `${other}-1`, removeOnComplete: true })
  await createRun(journal, numbers(300))
  await queuedExecutor(t, store, server.url)
  await until(async () => (await stateOf(store, id)) === 'completed')
  await until(async () => (await queue.getRanges(['wait'], 0, -1)).includes(`${other}-1`))
  await checkItems(t, store, other, 0)
})

test('jobs that name no chunk are dropped', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const store = new MemoryStore()
  const queue = await queueOf(t, store, server)
  for (const data of [
    null,
    {},
    { owner: '../x', run: id, chunk: 1 },
    { owner, run: '..', chunk: 1 },
    { owner, run: other, chunk: 1 },
  ])
    await queue.add('chunk', data)
  await createRun(new Journal(store), numbers(100))
  const { reported } = await queuedExecutor(t, store, server.url)
  await until(async () => (await stateOf(store, id)) === 'completed')
  await checkItems(t, store, id, 100)
  t.same(reported.faults, [])
})

test('a server that is down at the start is used when it is there, and is reported once', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  await server.stop()
  const store = new MemoryStore()
  await createRun(new Journal(store), numbers(300))
  const { changes, reported } = await queuedExecutor(t, store, server.url)
  await until(() => reported.started.length === 1 && changes.length > 0)
  t.match(changes, [{ isAvailable: false, reason: 'the connection failed with ECONNREFUSED' }])
  await server.restart()
  await until(async () => (await stateOf(store, id)) === 'completed')
  t.match(changes, [{ isAvailable: false }, { isAvailable: true }])
  await checkItems(t, store, id, 300)
})

test('a server that may evict jobs is refused at the start, and is not used later', { skip }, async t => {
  const server = await startRedis(t, { tcp: true, config: ['maxmemory-policy allkeys-lru'] })
  await t.rejects(checkQueue(addressOf(server.url), 'HEADWATERS_BULK_URL'), {
    message:
      /^HEADWATERS_BULK_URL: the maxmemory-policy of the server is allkeys-lru, .*set maxmemory-policy to noeviction/,
  })
  const missing = addressOf(`redis://127.0.0.1:${(await startRedis(t, { tcp: true })).port}/99`)
  await t.rejects(checkQueue(missing, 'HEADWATERS_BULK_URL'), {
    message: 'HEADWATERS_BULK_URL: the server has no database 99: set another number in the URL',
  })
  await t.resolves(checkQueue(addressOf(`redis://127.0.0.1:${await quietPort()}`), 'HEADWATERS_BULK_URL'))
  await server.stop()
  const store = new MemoryStore()
  await createRun(new Journal(store), numbers(100))
  const { changes } = await queuedExecutor(t, store, server.url)
  await until(() => changes.length > 0)
  await server.restart()
  const operator = await server.client(t)
  const queue = await queueNameOf(store)
  await until(async () => String(await operator.call('CLIENT', 'LIST')).includes('cmd=info'))
  t.same(await operator.keys(`headwaters:${queue}:*`), [], 'no job is added')
  await operator.config('SET', 'maxmemory-policy', 'noeviction')
  await until(async () => (await stateOf(store, id)) === 'completed')
  t.equal(double.route.bulk, true)
})

test('chunks in progress end while the server is killed, and an empty server is filled again', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const store = new MemoryStore()
  await createRun(new Journal(store), numbers(1000))
  const { waiting, state, release } = held()
  const { changes, reported } = await queuedExecutor(t, store, server.url, { aggregates: [waiting] })
  await until(() => state.started > 0)
  await server.stop()
  await until(() => changes.at(-1)?.isAvailable === false)
  release()
  await until(() => reported.items.length === 1)
  t.equal((await resultsOf(store)).items.length, 100, 'the chunk has results')
  await server.restart()
  await until(async () => (await stateOf(store, id)) === 'completed')
  t.equal(state.started, 1000, 'no item ran twice')
  t.same(
    changes.map(({ isAvailable }) => isAvailable),
    [true, false, true],
  )
})

test('an executor stops although its server does not reply', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const store = new MemoryStore()
  await createRun(new Journal(store), numbers(100))
  const { waiting, state } = held()
  const { executor } = await queuedExecutor(t, store, server.url, { aggregates: [waiting] })
  await until(() => state.started > 0)
  await server.stop('SIGSTOP')
  await executor.stop()
  t.same((await resultsOf(store)).items, [], 'the chunk has no results')
})

test('a server without memory is reported once, and the work goes on when it has memory', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const operator = await server.client(t)
  const store = new MemoryStore()
  const { changes, reported } = await queuedExecutor(t, store, server.url)
  await until(() => changes.length === 1)
  await operator.config('SET', 'maxmemory', '1')
  await createRun(new Journal(store), numbers(300))
  await until(() => changes.length === 2)
  for (let rounds = 0; rounds < 5; rounds++) {
    reported.read = undefined
    await until(() => reported.read !== undefined)
  }
  await operator.config('SET', 'maxmemory', '0')
  await until(async () => (await stateOf(store, id)) === 'completed')
  t.match(changes, [
    { isAvailable: true },
    { isAvailable: false, reason: 'the server replied OOM' },
    { isAvailable: true },
  ])
  t.equal(changes.length, 3)
})
