import { test } from 'tap'
import { z } from 'zod'
import { Journal } from '../../src/bulk/journal.ts'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { until } from '../helpers/until.ts'
import { MemoryStore } from './helpers/memory-store.ts'
import { createRun, double, executorOf, id, numbers, owner, resultsOf } from './helpers/runs.ts'

const other = '0'.repeat(31) + '2'

test('a run has one result per item in the order of the inputs, and the failure of an item is a line', async t => {
  const store = new MemoryStore()
  await createRun(new Journal(store), numbers(250))
  const { executor, reported } = executorOf(store)
  await executor.drain()
  const { items } = await resultsOf(store)
  t.same(items[3], { index: 3, status: 200, complete: true, value: { doubled: 6 } })
  t.match(items[13], { index: 13, status: 500, problem: { code: 'INTERNAL' } })
  t.equal(items.length, 250)
  t.same(reported.started, [id])
  t.same(reported.completed, [id])
  t.same(
    reported.items.map(counts => counts.succeeded),
    [99, 100, 50],
  )
  await executor.drain()
  t.same(reported.completed, [id], 'the end is reported once')
})

test('lines that cannot be read fail their item only', async t => {
  const store = new MemoryStore()
  const lines = [
    '{"body":{"n":1}}\r',
    '',
    '   ',
    '{"body":{"n":',
    '[1]',
    'null',
    '{"body":{"n":"x"}}',
    '{"body":{"n":1},"headers":{"a":"b"}}',
    '{"body":{"n":1,"__proto__":{"x":1}}}',
    '{"body":{"n":1,"constructor":{"prototype":{}}}}',
    '{"body":{"n":1,"constructor":7}}',
    `{"body":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    `{"body":[${'1,'.repeat(10_000)}1]}`,
    '{"body":{"n":9007199254740993}}',
    '{"body":{"n":4}}',
  ]
  await createRun(new Journal(store), `\uFEFF${lines.join('\n')}`)
  await executorOf(store).executor.drain()
  const { items } = await resultsOf(store)
  t.same(
    items.map(({ value, problem }) => value ?? problem?.errors?.[0] ?? problem?.code),
    [
      { doubled: 2 },
      { pointer: '', reason: 'is not valid JSON' },
      { pointer: '', reason: 'must be an object with the fields of the input, some of which may be references' },
      { pointer: '', reason: 'must be an object with the fields of the input, some of which may be references' },
      { pointer: '/body/n', reason: 'Invalid input: expected number, received string' },
      { pointer: '/headers', reason: 'is not a field of this input: it has params, query, body' },
      { pointer: '', reason: 'has the key __proto__, or a key prototype within constructor' },
      { pointer: '', reason: 'has the key __proto__, or a key prototype within constructor' },
      { doubled: 2 },
      { pointer: '', reason: 'is nested deeper than 64' },
      { pointer: '', reason: 'has more than 10000 values' },
      { pointer: '/body/n', reason: 'is an integer that a double cannot hold exactly' },
      { doubled: 8 },
    ],
  )
})

test('a line that is not UTF-8 fails its item only', async t => {
  const store = new MemoryStore()
  const run = await createRun(new Journal(store), numbers(2))
  const bytes = store.objects.get(`uploads/${run.upload}/000001`) as Buffer
  bytes[3] = 0xff
  await executorOf(store).executor.drain()
  const { items } = await resultsOf(store)
  t.same(items[0]?.problem?.errors, [{ pointer: '', reason: 'is not UTF-8' }])
  t.equal(items[1]?.status, 200)
})

test('an item has the same idempotency key each time, and a reply keeps its state and sources', async t => {
  const keyed = aggregate('keyed', {
    url: '/v1/keyed',
    query: z.object({ n: z.coerce.number() }),
    headers: z.object({ 'idempotency-key': z.string() }),
    bulk: true,
  })
    .required('key', ({ headers, query }) => `${headers['idempotency-key']} ${query.n}`)
    .optional('lost', async (): Promise<string> => Promise.reject(new UpstreamError('UPSTREAM_RESET', 'shop')), {
      fallback: 'none',
    })
    .reply(z.object({ key: z.string(), lost: z.string() }), ({ key, lost }) => ({ key, lost }))
  const store = new MemoryStore()
  await createRun(new Journal(store), '{"query":{"n":7}}\n', { aggregate: 'keyed' })
  await executorOf(store, { aggregates: [keyed] }).executor.drain()
  const { items, results } = await resultsOf(store)
  t.match(items, [
    {
      complete: false,
      value: { key: `${id}-0 7`, lost: 'none' },
      sources: { key: { state: 'ok' }, lost: { state: 'fallback' } },
    },
  ])
  t.same(results.counts, { succeeded: 0, partial: 1, failed: 0 })
})

test('an item runs again if there was no capacity for it, and at most six times', async t => {
  let tries = 0
  const busy = (until: number) =>
    aggregate('busy', { url: '/v1/busy', bulk: true })
      .required('answer', async () => {
        if (++tries < until) throw new UpstreamError('BREAKER_OPEN', 'shop')
        return tries
      })
      .reply(z.number(), ({ answer }) => answer)
  for (const [needed, tried, status] of [
    [3, 3, 200],
    [9, 6, 503],
  ] as const) {
    tries = 0
    const store = new MemoryStore()
    await createRun(new Journal(store), '{}', { aggregate: 'busy' })
    const services = { runtime: createRuntime(), level: 'full', concurrency: 1, retryMs: 1 } as const
    await executorOf(store, { aggregates: [busy(needed)], services }).executor.drain()
    t.equal((await resultsOf(store)).items[0]?.status, status)
    t.equal(tries, tried)
  }
})

test('a result that is too large, or that cannot be written, is a failure of its item', async t => {
  const large = aggregate('large', { url: '/v1/large', body: z.object({ size: z.number() }), bulk: true })
    .required('text', ({ body: { size } }) => 'x'.repeat(size))
    .reply(z.any(), ({ text }) =>
      text === ''
        ? {
            toJSON() {
              throw new RangeError('no JSON')
            },
          }
        : text,
    )
  const store = new MemoryStore()
  await createRun(new Journal(store), '{"body":{"size":300000}}\n{"body":{"size":0}}\n', { aggregate: 'large' })
  await executorOf(store, { aggregates: [large] }).executor.drain()
  const { items } = await resultsOf(store)
  t.same(
    items.map(({ problem }) => problem?.code),
    ['UPSTREAM_TOO_LARGE', 'INTERNAL'],
  )
})

test('a paused run does not go on until it is resumed, and other runs do', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const run = await createRun(journal, numbers(3))
  await createRun(journal, numbers(5), { id: other })
  t.equal((await journal.setPaused(run, true))?.state, 'paused')
  t.equal((await journal.setPaused(run, true))?.state, 'paused')
  const { executor, reported } = executorOf(store)
  await executor.drain()
  t.same(reported.completed, [other])
  t.same(reported.read, { running: 0, paused: 1 })
  t.equal((await journal.setPaused(run, false))?.state, 'running')
  await executor.drain()
  t.same(reported.completed, [other, id])
  t.equal((await journal.setPaused(run, true))?.state, 'completed', 'an ended run cannot be paused')
})

test('a run without its aggregate waits, and is reported once', async t => {
  const store = new MemoryStore()
  await createRun(new Journal(store), numbers(3), { aggregate: 'gone' })
  const { executor, reported } = executorOf(store)
  await executor.drain()
  await executor.drain()
  t.same(reported.missing, [id])
  t.equal((await new Journal(store).find(owner, id))?.state, 'running')
})

/** Returns an aggregate whose items wait until they are released. */
function held() {
  const gate = Promise.withResolvers<number>()
  let started = 0
  const waiting = aggregate('double', { url: '/v1/double', body: z.object({ n: z.number() }), bulk: true })
    .required('doubled', () => {
      started++
      return gate.promise
    })
    .reply(z.number(), ({ doubled }) => doubled)
  return { waiting, gate, started: () => started }
}

test('work that is stopped leaves its chunk undone, and the next start does it', async t => {
  const store = new MemoryStore()
  await createRun(new Journal(store), numbers(150))
  const { waiting, started } = held()
  const { executor } = executorOf(store, { aggregates: [waiting] })
  executor.start()
  executor.start()
  await until(() => started() === 4)
  await executor.stop()
  t.equal((await resultsOf(store)).items.length, 0)
  executor.start()
  const next = executorOf(store)
  next.executor.start()
  await until(() => next.reported.completed.length === 1)
  await next.executor.stop()
  t.equal((await resultsOf(store)).items.length, 150)
  t.equal(started(), 4, 'a stopped executor does not start again')
})

for (const [way, cancel] of [
  ['this process', true],
  ['another process', false],
] as const)
  test(`a run that ${way} cancels ends its chunk without results`, async t => {
    const store = new MemoryStore()
    const journal = new Journal(store)
    const run = await createRun(journal, numbers(150))
    const { waiting, started } = held()
    const { executor, reported } = executorOf(store, { aggregates: [waiting] })
    executor.start()
    await until(() => started() === 4)
    t.equal(await journal.end(run, 'cancelled'), true)
    t.equal(await journal.end(run, 'completed'), false)
    executor.interrupt(other)
    if (cancel) executor.interrupt(id)
    await until(() => reported.read?.running === 0)
    await executor.stop()
    t.equal((await resultsOf(store)).items.length, 0)
    t.equal((await journal.find(owner, id))?.state, 'cancelled')
  })

test('a removed run ends its work, and its id can be used again', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const run = await createRun(journal, numbers(150))
  const { waiting, started } = held()
  const { executor } = executorOf(store, { aggregates: [waiting] })
  executor.start()
  await until(() => started() === 4)
  await journal.remove(run)
  t.same(
    [...store.objects.keys()].filter(name => !name.startsWith('claims/')),
    [],
  )
  await until(() => !store.objects.has(`claims/${id}/000001/000001`))
  await executor.stop()
  await createRun(journal, numbers(1))
  const next = executorOf(store)
  await next.executor.drain()
  t.equal((await resultsOf(store)).items.length, 1)
})

/** A store whose disk is full for a number of writes. */
class FullStore extends MemoryStore {
  refusals = 0

  override async create(name: string, body: Uint8Array): Promise<boolean> {
    if (this.refusals-- > 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    return super.create(name, body)
  }
}

test('a full disk delays the results, and no item runs twice for it', async t => {
  const store = new FullStore()
  await createRun(new Journal(store), numbers(3))
  let runs = 0
  const counted = aggregate('double', { url: '/v1/double', body: z.object({ n: z.number() }), bulk: true })
    .required('doubled', ({ body: { n } }) => {
      runs++
      return n
    })
    .reply(z.number(), ({ doubled }) => doubled)
  store.refusals = 1
  const { executor, reported } = executorOf(store, { aggregates: [counted] })
  executor.start()
  await until(() => reported.completed.length === 1)
  await executor.stop()
  t.match(reported.faults, [{ code: 'ENOSPC' }])
  t.equal(runs, 3)
})

test('a store that cannot be read delays the work, and a stop does not wait for it', async t => {
  const store = new MemoryStore()
  await createRun(new Journal(store), numbers(3))
  const broken = new Journal(store)
  let isBroken = true
  broken.all = async () => {
    if (isBroken) throw new Error('EIO')
    return new Journal(store).all()
  }
  const { executor, reported } = executorOf(store, { journal: broken })
  executor.start()
  await until(() => reported.faults.length === 1)
  isBroken = false
  executor.wake()
  await until(() => reported.completed.length === 1)
  await executor.stop()
  const failing = executorOf(store, { journal: broken })
  isBroken = true
  failing.executor.start()
  await until(() => failing.reported.faults.length === 1)
  await failing.executor.stop()
  t.equal(double.route.bulk, true)
})
