import { test } from 'tap'
import { Journal } from '../../../src/bulk/journal.ts'
import { MemoryStore } from '../../bulk/helpers/memory-store.ts'
import { buildApp } from '../../../src/app.ts'
import type { Test } from 'tap'
import { double, numbers, untilCalmly, type ShownRun } from './helpers.ts'

const key = { 'idempotency-key': 'night' }

/** Serves an aggregate with a store in memory. */
async function served(t: Test, store: MemoryStore, maxRuns = 10) {
  const app = buildApp([double], { drainTimeout: 100, bulk: { store, maxRuns } })
  t.teardown(() => app.close())
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const send = (path: string, method = 'GET') => fetch(new URL(path, origin), { method })
  const create = (body: RequestInit['body'], headers: Record<string, string> = {}) =>
    fetch(`${origin}/v1/bulk/double`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', ...headers },
      body: body as string,
      duplex: 'half',
    })
  const ended = async (id: string) => {
    const read = async () => (await (await send(`/v1/bulk/runs/${id}`)).json()) as ShownRun
    await untilCalmly(async () => (await read()).state === 'completed')
    return read()
  }
  return { send, create, ended }
}

test('a failure of the store does not use up the runs of a caller', async t => {
  const store = new MemoryStore()
  const { create } = await served(t, store, 2)
  const list = store.list.bind(store)
  store.list = () => Promise.reject(new Error('the bucket is gone'))
  for (let count = 0; count < 3; count++) t.equal((await create(numbers(1))).status, 503)
  store.list = list
  t.equal((await create(numbers(1))).status, 202)
})

test('a run whose creation the store has answered with a failure is run', async t => {
  const store = new MemoryStore()
  const { create, ended } = await served(t, store)
  const original = store.create.bind(store)
  store.create = async (name, body) => {
    const isNew = await original(name, body)
    if (name.endsWith('/manifest')) throw new Error('the reply was lost')
    return isNew
  }
  const created = await create(numbers(3))
  t.equal(created.status, 202)
  t.match(await ended(((await created.json()) as ShownRun).id), { done: 3 })
})

test('inputs stay if it is not known that their run exists, and a repetition finds the run', async t => {
  const store = new MemoryStore()
  const { create, ended } = await served(t, store)
  const original = { create: store.create.bind(store), read: store.read.bind(store) }
  store.create = async (name, body) => {
    const isNew = await original.create(name, body)
    if (!name.endsWith('/manifest')) return isNew
    store.read = () => Promise.reject(new Error('the bucket is gone'))
    throw new Error('the reply was lost')
  }
  t.equal((await create(numbers(3), key)).status, 503)
  Object.assign(store, original)
  const repeated = await create(numbers(3), key)
  t.equal(repeated.status, 202)
  t.match(await ended(((await repeated.json()) as ShownRun).id), { done: 3 })
})

test('a key creates another run after its run was deleted, also for an app that knows the results', async t => {
  const store = new MemoryStore()
  const [one, other] = [await served(t, store), await served(t, store)]
  const { id } = (await (await one.create(numbers(3), key)).json()) as ShownRun
  for (const app of [one, other]) t.match(await app.ended(id), { done: 3 })
  t.equal((await one.send(`/v1/bulk/runs/${id}`, 'DELETE')).status, 204)
  t.equal((await one.create(numbers(150), key)).status, 202)
  for (const app of [one, other]) t.match(await app.ended(id), { done: 150 })
})

test('repetitions of a creation are limited as uploads', async t => {
  const store = new MemoryStore()
  const { create } = await served(t, store, 1)
  t.equal((await create(numbers(1), key)).status, 202)
  t.equal((await create(numbers(1), key)).status, 202, 'a repetition is not a further run')
  const end = Promise.withResolvers<void>()
  const uploads = () => [...store.objects.keys()].filter(name => name.startsWith('uploads/')).length
  const slow = create(
    new ReadableStream({
      async start(controller) {
        controller.enqueue(Buffer.from(numbers(100)))
        await end.promise
        controller.close()
      },
    }),
    key,
  )
  await untilCalmly(() => uploads() === 2)
  t.equal((await create(numbers(1), key)).status, 429)
  end.resolve()
  t.equal((await slow).status, 422)
})

test('a HEAD request for results does not read them, and a list reads few runs at the same time', async t => {
  const store = new MemoryStore()
  const { create, send, ended } = await served(t, store, 100)
  const { id, results } = (await (await create(numbers(3))).json()) as ShownRun
  await ended(id)
  const { size } = await (await send(results)).blob()
  let [ranges, reads, most] = [0, 0, 0]
  const read = store.read.bind(store)
  store.read = async (name, range) => {
    if (range !== undefined && range.start > 0) ranges++
    most = Math.max(most, ++reads)
    await new Promise(setImmediate)
    reads--
    return read(name, range)
  }
  const head = await send(results, 'HEAD')
  t.equal(head.headers.get('content-length'), String(size))
  t.equal(ranges, 0)
  const journal = new Journal(store)
  for (let run = 0; run < 60; run++) {
    const described = { owner: 'any', aggregate: 'other', items: 1, upload: `1-${run}`, digest: '', retention: 1 }
    await journal.create({ ...described, id: String(run).padStart(32, '0') })
  }
  const { runs } = (await (await send('/v1/bulk/runs')).json()) as { runs: object[] }
  t.equal(runs.length, 61)
  t.ok(most < 40, `${most} reads at the same time`)
})
