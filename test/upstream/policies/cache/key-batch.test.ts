import { test, type Test } from 'tap'
import { z } from 'zod'
import type { Call } from '../../../../src/upstream/call/call.ts'
import { defineUpstream, operation } from '../../../../src/upstream/declare.ts'
import { exactText } from '../../../../src/upstream/policies/cache/key-value.ts'
import { createMemoryStore } from '../../../../src/upstream/policies/cache/memory-store.ts'
import type { CacheStoreFault } from '../../../../src/upstream/policies/cache/store.ts'
import { createRuntime, type RuntimeOptions } from '../../../../src/upstream/runtime.ts'
import { testRun } from '../../../helpers/call.ts'
import { collected } from '../../../helpers/collected.ts'
import { failure } from '../../../helpers/failure.ts'
import { farStore } from '../../../helpers/far-store.ts'
import { httpUpstream } from '../../../helpers/http-upstream.ts'
import { idsOf } from '../../../helpers/priced-upstream.ts'
import { until } from '../../../helpers/until.ts'

const ids = z.object({ ids: z.array(z.string()) })
const Item = z.object({ id: z.string(), name: z.string(), at: z.iso.datetime() })
const Dated = z.object({ id: z.string(), at: z.iso.datetime().transform(text => new Date(text)) })
const call = (keys: readonly string[]) => ({ ids: keys })

function declare(origin: string) {
  return defineUpstream(
    'shop',
    { origin, retry: false, forwardHeaders: ['x-tenant'] },
    {
      item: operation({
        path: '/items',
        query: ids,
        output: z.array(Item),
        cache: true,
        keyBatch: { maxKeys: 50, call, pick: (items, id: string) => items.find(item => item.id === id) },
      }),
      dated: operation({
        path: '/items',
        query: ids,
        output: z.array(Dated),
        cache: true,
        keyBatch: { maxKeys: 50, call, pick: (items, id: string) => items.find(item => item.id === id)?.at },
      }),
      placed: operation({
        path: '/items',
        query: ids,
        output: z.array(Item),
        cache: true,
        keyBatch: { maxKeys: 50, call, pick: (items, _id: string, index) => items[index]?.name },
      }),
      alone: operation({ path: '/items', query: ids, output: z.array(Item), cache: true }),
      put: operation({ method: 'PUT', path: '/items', query: ids, output: z.unknown() }),
    },
  )
}

/** Answers items by their ids, with headers that the test may change. */
async function arrange(t: Test, options: RuntimeOptions = {}) {
  const upstream = {
    headers: { 'cache-control': 'max-age=3600', etag: '"all"' } as Readonly<Record<string, string>>,
    status: 200,
    missing: '',
  }
  const { origin, log } = await httpUpstream(t, ({ request, response }) => {
    if (request.headers['if-none-match'] !== undefined) return response.writeHead(304, upstream.headers).end()
    const items = idsOf(request.url ?? '')
      .filter(id => id !== upstream.missing)
      .map(id => ({ id, name: `${id} \u00e9\u20ac`, at: '2026-11-29T00:00:00Z' }))
    response
      .writeHead(upstream.status, { 'content-type': 'application/json', ...upstream.headers })
      .end(JSON.stringify(items))
  })
  const faults: CacheStoreFault[] = []
  const runtime = createRuntime({ onCacheStoreFault: fault => faults.push(fault), ...options })
  t.teardown(() => runtime.close())
  const run = testRun()
  return {
    upstream,
    runtime,
    log,
    faults,
    shop: declare(origin),
    asked: () => log.map(line => idsOf(line.slice(line.indexOf(' ') + 1)).join()),
    ask: <T>(of: Call<T>) => runtime.send(run.ask(of)),
    askAll: async <T>(calls: readonly Call<T>[]) => Promise.all(calls.map(each => runtime.send(run.ask(each)))),
  }
}

test('the cache stores each key of a batch, and only keys without an entry are sent', async t => {
  const { shop, askAll, asked, runtime } = await arrange(t)
  const [a] = await askAll([shop.item('a'), shop.item('b')])
  t.match(a, { value: { id: 'a', name: 'a \u00e9\u20ac' }, cached: { cache: 'miss' } })
  const again = await askAll(['a', 'c', 'b', 'd'].map(id => shop.item(id)))
  t.same(
    again.map(({ cached }) => cached?.cache),
    ['hit', 'miss', 'hit', 'miss'],
  )
  t.same(
    again.map(({ value }) => value.id),
    ['a', 'c', 'b', 'd'],
  )
  t.same(asked(), ['a,b', 'c,d'])
  t.match(runtime.stats()['shop']?.cache, { hits: 2, misses: 4, entries: 4, storeFaults: 0 })
})

test('an entry of a key has the size of its value and not of its batch', async t => {
  const { shop, askAll, runtime } = await arrange(t)
  await askAll([shop.item('a')])
  const one = runtime.stats()['shop']?.cache?.bytes ?? 0
  await askAll(Array.from({ length: 49 }, (_, index) => shop.item(`k${index}`)))
  const all = runtime.stats()['shop']?.cache?.bytes ?? 0
  t.ok(all < 60 * one, `${all} bytes for 50 keys, and ${one} for one`)
})

for (const [name, cacheStore] of [
  ['memory', () => createMemoryStore()],
  ['bodies', () => farStore().store],
] as const)
  test(`a store of ${name} gives each key its value, also a date and a value by its position`, async t => {
    const { shop, ask, askAll, asked, faults } = await arrange(t, { cacheStore: cacheStore() })
    const read = async (cached: 'miss' | 'hit') => {
      const items = await askAll(['a', 'b', 'c'].map(id => shop.item(id)))
      t.same(
        items.map(({ value }) => value.name),
        ['a', 'b', 'c'].map(id => `${id} \u00e9\u20ac`),
      )
      const dates = await askAll(['a', 'b'].map(id => shop.dated(id)))
      t.same(
        dates.map(({ value }) => value),
        Array(2).fill(new Date('2026-11-29T00:00:00Z')),
      )
      const names = await askAll(['a', 'b'].map(id => shop.placed(id)))
      t.same(
        names.map(({ value }) => value),
        ['a \u00e9\u20ac', 'b \u00e9\u20ac'],
      )
      t.equal((await ask(shop.alone({ ids: ['b'] }))).cached?.cache, cached)
      for (const answer of [...items, ...dates, ...names]) {
        t.equal(answer.cached?.cache, cached)
        t.ok(Object.isFrozen(answer.value))
      }
    }
    await read('miss')
    await collected()
    await read('hit')
    t.same(asked(), ['a,b,c', 'a,b', 'a,b', 'b'])
    t.same(faults, [])
  })

test('an entry of a key is not revalidated with the validator of its batch', async t => {
  const { shop, askAll, upstream, log, runtime } = await arrange(t)
  upstream.headers = { 'cache-control': 'max-age=0, stale-if-error=600', etag: '"all"', 'last-modified': 'x' }
  await askAll([shop.item('a'), shop.item('b')])
  const [a] = await askAll([shop.item('a'), shop.item('b')])
  t.equal(a?.cached?.cache, 'miss')
  t.equal(log.length, 2)
  t.match(runtime.stats()['shop']?.cache, { misses: 4, revalidated: 0 })
})

test('a key that is missing in a later answer loses its entry, and its stale value is not used', async t => {
  const { shop, ask, askAll, upstream, runtime } = await arrange(t)
  upstream.headers = { 'cache-control': 'max-age=0, stale-if-error=600' }
  await askAll([shop.item('a'), shop.item('b')])
  t.equal(runtime.stats()['shop']?.cache?.entries, 2)
  upstream.missing = 'a'
  t.match(await failure(ask(shop.item('a'))), { code: 'UPSTREAM_KEY_MISSING' })
  t.equal(runtime.stats()['shop']?.cache?.entries, 1)
  upstream.status = 500
  t.match(await ask(shop.item('b')), { value: { id: 'b' }, cached: { cache: 'stale' } })
  t.match(await failure(ask(shop.item('a'))), { code: 'UPSTREAM_STATUS' })
})

test('refreshes of stale keys in the background share requests, also those of several runs', async t => {
  const { shop, askAll, upstream, asked, runtime } = await arrange(t)
  upstream.headers = { 'cache-control': 'max-age=0, stale-while-revalidate=600' }
  const calls = Array.from({ length: 10 }, (_, index) => shop.item(`k${index}`))
  await askAll(calls)
  for (const each of calls) t.equal((await runtime.send(testRun().ask(each))).cached?.cache, 'stale')
  await until(() => runtime.stats()['shop']?.cache?.misses === 20)
  t.same(asked(), Array(2).fill(Array.from({ length: 10 }, (_, index) => `k${index}`).join()))
})

test('an unsafe call to the request of a key invalidates its entry', async t => {
  const { shop, ask, askAll } = await arrange(t)
  await askAll([shop.item('a'), shop.item('b')])
  await ask(shop.put({ ids: ['a'] }))
  const [a, b] = await askAll([shop.item('a'), shop.item('b')])
  t.equal(a?.cached?.cache, 'miss')
  t.equal(b?.cached?.cache, 'hit')
})

test('the answer of an attempt layer that replaced the batch is picked and not stored', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json(['a']))
  const { value } = defineUpstream(
    'values',
    {
      origin,
      layers: { attempt: [next => async each => ({ ...(await next(each)), value: ['b'] as never })] },
    },
    {
      value: operation({
        path: '/values',
        query: ids,
        output: z.array(z.string()),
        cache: { ttl: 60_000 },
        keyBatch: { maxKeys: 5, call, pick: ([first]) => first },
      }),
    },
  )
  const { ask } = await arrange(t)
  for (let time = 0; time < 2; time++) t.match(await ask(value('x')), { value: 'b', cached: { cache: 'miss' } })
})

test('a stored value of a key is read again only by the declaration that made it', async t => {
  const cacheStore = createMemoryStore()
  const { shop, ask, faults, log } = await arrange(t, { cacheStore })
  await ask(shop.item('a'))
  t.equal((await ask(shop.item('a'))).cached?.cache, 'hit')
  const other = declare(shop.item('a').spec.upstream.origin)
  t.equal((await ask(other.item('a'))).cached?.cache, 'miss')
  t.match(faults, [
    { function: 'get', cause: new TypeError('another declaration has made the stored value of the key') },
  ])
  t.equal(log.length, 2)
})

test('an operation without keyBatch does not read the entries of the keys of an earlier version', async t => {
  const { shop, askAll, ask, asked, faults } = await arrange(t, { cacheStore: farStore().store })
  await askAll([shop.item('a'), shop.item('b')])
  const { item } = defineUpstream(
    'shop',
    { origin: shop.item('a').spec.upstream.origin, forwardHeaders: ['x-tenant'] },
    { item: operation({ path: '/items', query: ids, output: z.array(Item), cache: true }) },
  )
  const { value, cached } = await ask(item({ ids: ['a'] }))
  t.same(
    value.map(({ id }) => id),
    ['a'],
  )
  t.equal(cached?.cache, 'miss')
  t.same(asked(), ['a,b', 'a'])
  t.same(faults, [])
})

test('a stored batch of which the key has gone is a fault of the store', async t => {
  const far = farStore()
  const { shop, ask, faults } = await arrange(t, { cacheStore: far.store })
  await ask(shop.placed('a'))
  await until(() => far.held.size === 1)
  for (const [key, text] of far.held) far.held.set(key, JSON.stringify({ ...JSON.parse(text), keyIndex: 7 }))
  t.equal((await ask(shop.placed('a'))).cached?.cache, 'miss')
  t.match(faults, [{ function: 'get', cause: new TypeError('the stored batch does not have the key') }])
})

test('a value has an exact text if JSON keeps all of it', t => {
  for (const value of [null, '', 'é\ud800', true, 0, 1.5, [], [[{ a: [1, null] }]], { a: { b: '' } }])
    t.same(JSON.parse(exactText(value) ?? 'no text'), value)
  const values = [undefined, NaN, -0, 1n, new Date(0), new Map(), { a: undefined }, [() => 1], Buffer.from('')]
  // A list with a hole.
  for (const value of [...values, Array(1)]) t.equal(exactText(value), undefined)
  t.end()
})
