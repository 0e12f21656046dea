import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate, times } from '../../src/fanout/aggregate.ts'
import { callsInFlight } from '../../src/fanout/batched-calls.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import type { UpstreamOptions } from '../../src/upstream/declare.ts'
import { httpUpstream, type Asked } from '../helpers/http-upstream.ts'
import { idsOf, pricedUpstream, pricesOf } from '../helpers/priced-upstream.ts'
import { turn } from '../helpers/turn.ts'
import { until } from '../helpers/until.ts'

const Any = z.unknown()
const base = aggregate('basket', { url: '/basket', deadline: 20_000 })

function answer({ request, json }: Asked): void {
  json(pricesOf(request.url ?? ''))
}

async function arrange(t: Test, handle: (asked: Asked) => void = answer, options: Partial<UpstreamOptions> = {}) {
  const { origin, log } = await httpUpstream(t, handle)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return { runtime, log, shop: pricedUpstream(50, { origin, ...options }) }
}

const idOf = (index: number) => `k${index}`

test('an each over 200 keys makes 4 calls, and its value has the order of the keys', async t => {
  const { runtime, log, shop } = await arrange(t)
  const basket = base
    .each('prices', () => times(200, index => shop.price(idOf(index))), { maxItems: 200 })
    .reply(Any, ({ prices }) => prices.map(({ id }) => id))
  const { data, complete, sources } = await fanOut(basket, {}, { runtime })
  t.same(data, times(200, idOf))
  t.same(
    log.map(line => idsOf(line.slice('GET '.length)).length),
    [50, 50, 50, 50],
  )
  t.ok(complete)
  t.match(sources['prices'], { state: 'ok', calls: 200, ok: 200, failed: [], attempts: 4 })
  t.match(runtime.stats()['shop'], { calls: 200, ok: 200, attempts: 4 })
})

test('the concurrency of an each over keys counts batches', async t => {
  const held: Asked[] = []
  const { runtime, shop } = await arrange(t, asked => held.push(asked))
  const basket = base
    .each('prices', () => times(200, index => shop.price(idOf(index))), { maxItems: 200, concurrency: 1 })
    .reply(Any, ({ prices }) => prices.length)
  const reply = fanOut(basket, {}, { runtime })
  for (let batch = 0; batch < 4; batch++) {
    await until(() => held.length === batch + 1)
    await turn()
    const asked = held[batch] as Asked
    t.same(
      idsOf(asked.request.url ?? ''),
      times(50, index => idOf(batch * 50 + index)),
    )
    answer(asked)
  }
  t.equal((await reply).data, 200)
  t.equal(held.length, 4)
})

test('the concurrency of an each over keys counts batches after an asked call too', async t => {
  const held: Asked[] = []
  const { runtime, shop } = await arrange(t, asked => held.push(asked))
  const basket = base
    .each(
      'prices',
      async ({ ask }) => {
        const { id } = await ask(shop.price('first'))
        void ask(shop.one({ id }))
        return times(120, index => shop.price(idOf(index)))
      },
      { maxItems: 200, concurrency: 2 },
    )
    .reply(Any, ({ prices }) => prices.length)
  const reply = fanOut(basket, {}, { runtime })
  await until(() => held.length === 1)
  answer(held[0] as Asked)
  await until(() => held.length === 3)
  await turn()
  const sizes = () => held.slice(1).map(({ request }) => idsOf(request.url ?? '').length)
  t.same(sizes(), [0, 50], 'the asked call that is not awaited and one batch')
  held[1]?.json({ id: 'first', cents: 1 })
  await until(() => held.length === 4)
  t.same(sizes(), [0, 50, 50])
  for (const asked of held.slice(2)) answer(asked)
  await until(() => held.length === 5)
  t.same(sizes(), [0, 50, 50, 20])
  answer(held[4] as Asked)
  const { data, sources } = await reply
  t.equal(data, 120)
  t.match(sources['prices'], { state: 'ok', calls: 122, ok: 122, failed: [] })
})

test('the concurrency of an each over calls of several operations counts calls', t => {
  const { price, shared, one } = pricedUpstream(50)
  t.equal(callsInFlight(2, [price('a'), price('b')]), 100)
  t.equal(callsInFlight(2, [price('a'), shared('b')]), 2)
  t.equal(callsInFlight(2, [one({ id: 'a' }), one({ id: 'b' })]), 2)
  t.equal(callsInFlight(2, []), 2)
  t.equal(callsInFlight(Infinity, [price('a')]), Infinity)
  t.end()
})

test('calls of several steps that start in one turn share a request', async t => {
  const { runtime, log, shop } = await arrange(t)
  const basket = base
    .required('first', () => shop.price('a'))
    .optional('second', () => shop.price('b'), { fallback: null })
    .reply(Any, ({ first, second }) => [first.id, second?.id])
  t.same((await fanOut(basket, {}, { runtime })).data, ['a', 'b'])
  t.same(log, ['GET /prices?ids=a&ids=b'])
})

test('a key that the answer does not have becomes the fallback of its place', async t => {
  const { runtime, shop } = await arrange(t, ({ request, json }) =>
    json(pricesOf(request.url ?? '').filter(({ id }) => id !== 'b')),
  )
  const basket = base
    .each('prices', () => ['a', 'b', 'c'].map(id => shop.price(id)), { minSuccess: 2, fallback: null })
    .reply(Any, ({ prices }) => prices.map(price => price?.id))
  const { data, sources } = await fanOut(basket, {}, { runtime })
  t.same(data, ['a', undefined, 'c'])
  t.match(sources['prices'], { state: 'partial', ok: 2, failed: [{ index: 1, code: 'UPSTREAM_KEY_MISSING' }] })
  t.match(runtime.stats()['shop'], { ok: 2, ignored: 1, failed: 0, breaker: 'closed' })
})

test('pick gets null after a status of nullOn, which is an absence for a firstOf', async t => {
  const { runtime, shop, log } = await arrange(t, asked => {
    if (asked.request.url?.startsWith('/maybe') === true) asked.json({}, 404)
    else answer(asked)
  })
  const basket = base
    .each('prices', () => ['a', 'b'].map(id => shop.maybe(id)))
    .firstOf('first', () => [shop.maybe('c'), shop.price('d')])
    .reply(Any, ({ prices, first }) => [...prices, first?.id])
  const { data, complete } = await fanOut(basket, {}, { runtime })
  t.same(data, [null, null, 'd'])
  t.ok(complete)
  t.same([...log].sort(), ['GET /maybe?ids=a&ids=b&ids=c', 'GET /prices?ids=d'])
})

test('a batch is retried as one call', async t => {
  let failures = 1
  const { runtime, log, shop } = await arrange(
    t,
    asked => {
      if (failures-- > 0) asked.json({}, 503)
      else answer(asked)
    },
    { retry: { maxAttempts: 2, initialDelay: 1 } },
  )
  const basket = base
    .each('prices', () => ['a', 'b'].map(id => shop.price(id)))
    .reply(Any, ({ prices }) => prices.map(({ id }) => id))
  const { data, sources } = await fanOut(basket, {}, { runtime })
  t.same(data, ['a', 'b'])
  t.same(log, ['GET /prices?ids=a&ids=b', 'GET /prices?ids=a&ids=b'])
  t.match(sources['prices'], { attempts: 2 })
})

test('equal keys of two runs coalesce, and the other keys of each run share its request', async t => {
  const held: Asked[] = []
  const { runtime, log, shop } = await arrange(t, asked => held.push(asked))
  const basket = (ids: readonly string[]) =>
    base.each('prices', () => ids.map(id => shop.shared(id))).reply(Any, ({ prices }) => prices.map(({ id }) => id))
  const replies = [
    ['a', 'b'],
    ['b', 'c', 'd'],
  ].map(ids => fanOut(basket(ids), {}, { runtime }))
  await until(() => held.length === 2)
  for (const asked of held) answer(asked)
  t.same(
    (await Promise.all(replies)).map(({ data }) => data),
    [
      ['a', 'b'],
      ['b', 'c', 'd'],
    ],
  )
  t.same([...log].sort(), ['GET /shared?ids=a&ids=b', 'GET /shared?ids=c&ids=d'])
})

test('calls of keys that wait for the end of the turn are refused after the runtime has closed', async t => {
  const { runtime, log, shop } = await arrange(t)
  const basket = base
    .each('prices', () => ['a', 'b'].map(id => shop.price(id)), { minSuccess: 0, fallback: null })
    .reply(Any, ({ prices }) => prices)
  const reply = fanOut(basket, {}, { runtime })
  await runtime.close()
  const { data, sources } = await reply
  t.same(data, [null, null])
  t.match(sources['prices'], { failed: [{ code: 'RUNTIME_CLOSED' }, { code: 'RUNTIME_CLOSED' }] })
  t.same(log, [])
})
