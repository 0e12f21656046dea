import './helpers/source-package.ts'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { t, test, type Test } from 'tap'
import type { AnyAggregate } from '../src/fanout/aggregate.ts'
import { fanOut } from '../src/fanout/fan-out.ts'
import { createRuntime } from '../src/upstream/runtime.ts'
import { runAggregate, scriptedUpstream, type ScriptedUpstream } from '../src/testing/index.ts'
import { problemOf } from './helpers/problem-of.ts'
import { blocksOf, textOf } from './pages/helpers/pages.ts'

const folder = t.testdir({})
const recipes = blocksOf('docs/recipes.md').filter(({ language }) => language === 'ts')
for (const { file, code } of recipes) writeFileSync(join(folder, file as string), code)

/** The recipes that a test has loaded. */
const tested = new Set<string>()

/** Loads the aggregate that a recipe exports under a name. */
async function recipe(file: string, name: string): Promise<AnyAggregate> {
  tested.add(file)
  const module = (await import(pathToFileURL(join(folder, file)).href)) as Readonly<Record<string, AnyAggregate>>
  return module[name] as AnyAggregate
}

async function upstreamOf(t: Test): Promise<ScriptedUpstream> {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  return upstream
}

const requests = (upstream: ScriptedUpstream) =>
  upstream.calls.map(({ method, path }) => `${method} ${path}`).toSorted()

test('the recipe of asking in a step answers an order with its titles, and tolerates the loss of the customer', async t => {
  const shop = await upstreamOf(t)
  shop
    .always('/orders/1', { customer: 'c', items: ['a', 'b'] })
    .always('/items/a', { title: 'A' })
    .always('/items/b', { title: 'B' })
    .answer('/customers/c', { name: 'Ada' })
    .status('/customers/c', 404)
  const run = async () =>
    runAggregate(
      await recipe('order-of-customer.ts', 'orderOfCustomer'),
      { params: { id: '1' } },
      { upstreams: { shop } },
    )
  t.match(await run(), { data: { name: 'Ada', titles: ['A', 'B'] }, sources: { order: { calls: 4, ok: 4 } } })
  t.match(await run(), { data: { name: 'unknown' }, sources: { order: { calls: 4, ok: 3 } } })
})

test('the recipe of pages reads all orders in order, and keeps those before a page that fails', async t => {
  const shop = await upstreamOf(t)
  const page = (first: number) => ({
    orders: Array.from({ length: 100 }, (_, index) => ({ id: String(first + index), cents: 1 })),
    total: 300,
  })
  for (const offset of [0, 100, 200]) shop.answer(`GET /customers/c/orders?offset=${offset}&limit=100`, page(offset))
  shop.always('GET /customers/c/refunds', { refunds: [{ id: 'r', cents: 2 }], after: null })
  const run = async () =>
    runAggregate(await recipe('account.ts', 'account'), { params: { id: 'c' } }, { upstreams: { shop } })
  const whole = await run()
  t.equal(whole.complete, true)
  t.same(
    (whole.data as { orders: { id: string }[] }).orders.map(({ id }) => Number(id)),
    Array.from({ length: 300 }, (_, index) => index),
  )
  shop
    .answer('GET /customers/c/orders?offset=0&limit=100', page(0))
    .status('GET /customers/c/orders?offset=100&limit=100', 404)
    .answer('GET /customers/c/orders?offset=200&limit=100', page(200))
  const partial = await run()
  t.equal((partial.data as { orders: unknown[] }).orders.length, 100)
  t.match(partial, { complete: false, sources: { orders: { state: 'partial' } } })
})

test('the recipe of results as they arrive has a snapshot with more offers after each answer, the cheapest first', async t => {
  const market = await upstreamOf(t)
  market
    .always('/shops/north/offers/1', { shop: 'north', cents: 300 })
    .always('/shops/south/offers/1', { shop: 'south', cents: 200 }, { delay: 20 })
    .status('/shops/east/offers/1', 404)
  const { data, snapshots } = await runAggregate(
    await recipe('offers.ts', 'offers'),
    { params: { item: '1' } },
    { upstreams: { market }, snapshots: true },
  )
  const shopsOf = (shown: unknown) => (shown as { offers: { shop: string }[] }).offers.map(({ shop }) => shop)
  t.same(shopsOf(data), ['south', 'north'])
  t.same(
    snapshots.map(snapshot => shopsOf(snapshot.data)).findLast(shops => shops.length === 1),
    ['north'],
  )
})

test('the recipe of two calls for each item answers null for a city that fails', async t => {
  const geo = await upstreamOf(t)
  const weather = await upstreamOf(t)
  geo.always('GET /find?city=Ulm', { lat: 48, lon: 10 }).status('GET /find?city=Atlantis', 404)
  weather.always('/forecast', { degrees: 21 })
  const input = { body: { cities: ['Ulm', 'Atlantis'] } }
  const { data } = await runAggregate(await recipe('forecasts.ts', 'forecasts'), input, { upstreams: { geo, weather } })
  t.same(data, [{ city: 'Ulm', lat: 48, lon: 10, degrees: 21 }, null])
})

test('the recipe of batches of keys sends 4 requests for 200 ids', async t => {
  const shop = await upstreamOf(t)
  const ids = Array.from({ length: 200 }, (_, index) => `p${index}`)
  shop.always(
    '/prices',
    ids.slice(1).map(id => ({ id, cents: Number(id.slice(1)) })),
  )
  const { data } = await runAggregate(await recipe('basket.ts', 'basket'), { query: { ids } }, { upstreams: { shop } })
  const { prices } = data as { readonly prices: readonly ({ readonly cents: number } | null)[] }
  t.same(
    prices.map(price => price?.cents ?? null),
    ids.map((_, index) => (index === 0 ? null : index)),
  )
  t.equal(shop.calls.length, 4)
})

test('the recipe of errors as values tells a declined card from a payment that comes later', async t => {
  const payments = await upstreamOf(t)
  const run = async () =>
    runAggregate(
      await recipe('pay.ts', 'pay'),
      { params: { order: '1' }, body: { cents: 5 } },
      { upstreams: { payments } },
    )
  payments.status('/payments', 402, { body: { reason: 'funds', internal: 'secret' } })
  t.match(await run(), { data: { id: null, paid: false }, complete: true })
  payments.status('/payments', 503, { body: {} }).status('/payments', 503, { body: {} })
  t.match(await run(), { data: { id: null, paid: false }, sources: { payment: { attempts: 2, status: 503 } } })
  payments.status('/payments', 402, { body: { reason: 'fraud', internal: 'secret' } })
  const problem = await problemOf(run())
  t.match(problem, { statusCode: 403 })
  t.notMatch(JSON.stringify(problem), 'secret')
})

test('the recipe of error mapping answers with its own problems', async t => {
  const carrier = await upstreamOf(t)
  const run = async () =>
    runAggregate(await recipe('delivery.ts', 'delivery'), { params: { id: '1' } }, { upstreams: { carrier } })
  carrier.answer('/deliveries/1', { id: '1', day: '2026-12-01' })
  t.match(await run(), { data: { id: '1', day: '2026-12-01' } })
  carrier.status('/deliveries/1', 404)
  t.match(await problemOf(run()), { statusCode: 404, authorCode: 'DELIVERY_UNKNOWN' })
  carrier.status('/deliveries/1', 500).status('/deliveries/1', 500)
  t.match(await problemOf(run()), { statusCode: 503, authorCode: 'CARRIER_DOWN', retryAfterSeconds: 30 })
})

test('the recipe of problems of its own refuses an order of items that are sold out', async t => {
  const shop = await upstreamOf(t)
  shop.always('/items/a', { sku: 'a', stock: 1 }).always('/items/b', { sku: 'b', stock: 0 })
  shop.answer('POST /orders', { id: '7', isNew: true })
  const run = async (skus: readonly string[]) =>
    runAggregate(await recipe('order.ts', 'order'), { body: { skus } }, { upstreams: { shop } })
  t.match(await run(['a']), { data: { id: '7', isNew: true } })
  t.match(await problemOf(run(['a', 'b'])), {
    statusCode: 422,
    authorCode: 'SOLD_OUT',
    faults: [{ pointer: '/body/skus/1', reason: 'is sold out' }],
  })
})

test('the recipe of tenants sends the tenant and the user with each call', async t => {
  const orders = await upstreamOf(t)
  orders.always('/orders', [{ id: '1' }])
  const input = { headers: { 'x-user': 'ada', 'x-tenant': 'acme' } }
  const openOrders = await recipe('open-orders.ts', 'openOrders')
  t.match(await runAggregate(openOrders, input, { upstreams: { orders } }), { data: { ids: ['1'] } })
  t.match(orders.calls[0]?.headers, { 'x-tenant': 'acme', 'x-user': 'ada' })
  t.match(await problemOf(runAggregate(openOrders, {}, { upstreams: { orders } })), { statusCode: 401 })
})

test('the recipe of shared steps runs them in both aggregates', async t => {
  const shop = await upstreamOf(t)
  shop
    .always('/products/p', { name: 'Tea', supplier: 's' })
    .always('/suppliers/s', { country: 'IN' })
    .always('/stock/p', { count: 3 })
  const input = { params: { id: 'p' } }
  const run = async (name: string) =>
    (await runAggregate(await recipe('products.ts', name), input, { upstreams: { shop } })).data
  t.same(await run('card'), { name: 'Tea', count: 3 })
  t.same(await run('origin'), { name: 'Tea', country: 'IN' })
})

test('the recipe of a POST that only searches is retried', async t => {
  const catalogue = await upstreamOf(t)
  catalogue.status('POST /products/search', 503).answer('POST /products/search', [{ id: 'tea', cents: 5 }])
  const { data } = await runAggregate(
    await recipe('search.ts', 'search'),
    { query: { q: 'green tea' } },
    { upstreams: { catalogue } },
  )
  t.same(data, { ids: ['tea'] })
  t.same(catalogue.calls.at(-1)?.body, { words: ['green', 'tea'] })
})

test('the recipe of forms and files sends a picture as a file', async t => {
  const pictures = await upstreamOf(t)
  const archive = await upstreamOf(t)
  pictures.always('/pictures/1', Buffer.from([1, 2, 3]), { headers: { 'content-type': 'image/png' } })
  archive.always('POST /sessions', { session: 's' }).always('POST /documents', { id: 'd' })
  const input = { params: { id: '1' }, body: { title: 'Cat' } }
  const { data } = await runAggregate(await recipe('archive-picture.ts', 'archivePicture'), input, {
    upstreams: { pictures, archive },
  })
  t.same(data, { id: 'd' })
  t.same(requests(archive), ['POST /documents', 'POST /sessions'])
  t.match(archive.calls.find(({ path }) => path === '/documents')?.headers['content-type'], /^multipart\/form-data;/)
})

test('the recipe of XML reads rates, and fails for a document without one', async t => {
  const bank = await upstreamOf(t)
  const xml = (text: string) => ({ headers: { 'content-type': 'application/xml' }, text })
  const { headers, text } = xml('<rates><rate currency="USD">1.08</rate><rate currency="CHF">0.95</rate></rates>')
  bank.answer('/rates.xml', text, { headers }).answer('/rates.xml', '<rates/>', { headers })
  const rates = await recipe('rates.ts', 'rates')
  t.same((await runAggregate(rates, {}, { upstreams: { bank } })).data, { USD: 1.08, CHF: 0.95 })
  t.match(await problemOf(runAggregate(rates, {}, { upstreams: { bank } })), { code: 'UPSTREAM_SCHEMA' })
})

test('the recipe of an upstream behind a gateway sends an audience, and each segment encoded', async t => {
  const store = await upstreamOf(t)
  const tokens = await upstreamOf(t)
  tokens.always('POST /token', { access_token: 'a', token_type: 'Bearer', expires_in: 60 })
  store.always('*', { title: 'Report' })
  const { data } = await runAggregate(
    await recipe('documents.ts', 'document'),
    { query: { path: 'a b/c.pdf' } },
    {
      upstreams: { store: { origin: `${store.origin}/documents/v2` } },
      environment: { STORE_TOKEN_URL: `${tokens.origin}/token`, STORE_CLIENT_ID: 'id', STORE_CLIENT_SECRET: 'secret' },
    },
  )
  t.same(data, { title: 'Report' })
  t.same(requests(store), ['GET /documents/v2/files/a%20b/c.pdf'])
  t.match(tokens.calls[0]?.body, { audience: 'https://documents.example', resource: 'documents' })
})

test('the recipe of several servers answers while one of them fails, and ejects that one', async t => {
  const [failing, healthy] = [await upstreamOf(t), await upstreamOf(t)]
  const runs = Array.from({ length: 12 }, () => ({ query: { q: 'a' } }))
  for (const _ of runs) failing.status('/suggest?q=a', 503)
  healthy.always('/suggest?q=a', { words: ['apple'] })
  const runtime = createRuntime({ overrides: { search: { origins: [failing.origin, healthy.origin] } } })
  t.teardown(() => runtime.close())
  const suggestions = await recipe('suggestions.ts', 'suggestions')
  const replies = await Promise.all(runs.map(input => fanOut(suggestions, input, { runtime })))
  for (const { data } of replies) t.same(data, { words: ['apple'] })
  const [one, other] = runtime.stats()['search']?.origins ?? []
  t.match(one, { failed: failing.calls.length, ejections: 1 })
  t.match(other, { attempts: 12, failed: 0, ejections: 0 })
})

test('the recipe of redirects follows one within the upstream', async t => {
  const github = await upstreamOf(t)
  github
    .status('/repos/ada/old', 301, { headers: { location: '/repos/ada/new' } })
    .answer('/repos/ada/new', { full_name: 'ada/new', stargazers_count: 3 })
  const input = { params: { owner: 'ada', name: 'old' } }
  const { data } = await runAggregate(await recipe('stars.ts', 'stars'), input, { upstreams: { github } })
  t.same(data, { name: 'ada/new', stars: 3 })
})

test('the recipe of a slow source finds the call that waited longest, and what it waited for', async t => {
  const shop = await upstreamOf(t)
  for (const id of ['a', 'b', 'c']) shop.answer(`/items/${id}`, { title: id }, { delay: 60 })
  const slowItems = await recipe('slow-items.ts', 'slowItems')
  const { data, events } = await runAggregate(slowItems, { query: { ids: 'a,b,c' } }, { upstreams: { shop } })
  t.same(data, ['a', 'b', 'c'])
  const { slowestCall } = (await import(pathToFileURL(join(folder, 'slow-items.ts')).href)) as {
    slowestCall: (all: typeof events) => { call: string; waited: number; sent: number } | undefined
  }
  const { call, waited, sent } = slowestCall(events) ?? { call: '', waited: 0, sent: 0 }
  t.equal(call, 'items 2')
  t.ok(waited > sent && sent > 50, `waited ${waited} ms, sent ${sent} ms`)
  t.equal(slowestCall([]), undefined)
})

test('every recipe of the page has a test, and a line in the table of problems', t => {
  t.same(
    recipes.map(({ file }) => file).filter(file => !tested.has(file as string)),
    [],
  )
  const headings = Array.from(textOf('docs/recipes.md').matchAll(/^## (.+)$/gm), ([, heading]) => heading)
  const listed = Array.from(textOf('docs/recipes.md').matchAll(/^\| .+ \| \[(.+)\]\(#/gm), ([, heading]) => heading)
  t.same(new Set(listed), new Set(headings))
  t.end()
})
