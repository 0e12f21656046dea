import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from 'headwaters'
import { runAggregate, scriptedUpstream, type ScriptedUpstream } from 'headwaters/testing'
import { productPage } from '../aggregates/product-page.ts'
import { startUpstream } from '../demo/upstream.ts'
import { shop } from '../upstreams/shop.ts'

const kettle = { id: 'kettle', name: 'Kettle', text: 'Boils a litre in three minutes.' }
const cup = { id: 'cup', name: 'Cup' }
const tray = { id: 'tray', name: 'Tray' }

const page = (id: string, upstream: { readonly origin: string }) =>
  runAggregate(productPage, { params: { id } }, { upstreams: { shop: upstream } })

/** Queues all answers of the page of the kettle but the stock. */
const withoutStock = (upstream: ScriptedUpstream) =>
  upstream
    .answer(shop.product({ id: 'kettle' }), kettle)
    .answer(shop.recommendations({ id: 'kettle' }), [cup, tray])
    .answer('/prices?ids=kettle', [{ id: 'kettle', cents: 4900 }])

test('a product page has the stock, the recommendations and all prices', async () => {
  await using upstream = await scriptedUpstream()
  withoutStock(upstream)
    .answer(shop.stock({ id: 'kettle' }), { count: 3 })
    .answer('/prices?ids=cup&ids=tray', [
      { id: 'tray', cents: 1900 },
      { id: 'cup', cents: 900 },
    ])

  const { data, complete } = await page('kettle', upstream)

  assert.deepEqual(data, {
    ...kettle,
    cents: 4900,
    stock: 3,
    recommendations: [
      { ...cup, cents: 900 },
      { ...tray, cents: 1900 },
    ],
  })
  assert.equal(complete, true)
  assert.deepEqual(upstream.unused, [])
})

test('a recommendation whose price is missing stays on the page', async () => {
  await using upstream = await scriptedUpstream()
  withoutStock(upstream)
    .answer(shop.stock, { count: 3 })
    .answer('/prices?ids=cup&ids=tray', [{ id: 'cup', cents: 900 }])

  const { data, complete, sources } = await page('kettle', upstream)

  assert.deepEqual(data.recommendations, [
    { ...cup, cents: 900 },
    { ...tray, cents: null },
  ])
  assert.equal(complete, false)
  assert.equal(sources.prices.state, 'partial')
  assert.deepEqual(sources.prices.failed, [{ index: 1, code: 'UPSTREAM_KEY_MISSING', status: 200 }])
})

test('a page without its stock is partial', async () => {
  await using upstream = await scriptedUpstream()
  // The failed call is sent again, so two failures are queued.
  withoutStock(upstream)
    .status(shop.stock, 503)
    .status(shop.stock, 503)
    .answer('/prices?ids=cup&ids=tray', [
      { id: 'cup', cents: 900 },
      { id: 'tray', cents: 1900 },
    ])

  const { data, complete, sources } = await page('kettle', upstream)

  assert.equal(data.stock, null)
  assert.equal(data.cents, 4900)
  assert.equal(complete, false)
  assert.equal(sources.stock.state, 'fallback')
})

test('a page without its recommendations asks for no further prices', async () => {
  await using upstream = await scriptedUpstream()
  upstream
    .answer(shop.product, kettle)
    .answer(shop.stock, { count: 3 })
    .answer('/prices?ids=kettle', [{ id: 'kettle', cents: 4900 }])
    .malformed(shop.recommendations)

  const { data, sources } = await page('kettle', upstream)

  assert.deepEqual(data.recommendations, [])
  assert.equal(sources.recommendations.state, 'fallback')
})

test('an unknown product is a 404 with a code of the shop', async () => {
  await using upstream = await scriptedUpstream()
  upstream
    .status(shop.product, 404)
    .always(shop.recommendations, [])
    .always(shop.stock, { count: 0 })
    .always('/prices', [])

  await assert.rejects(
    page('samovar', upstream),
    error => error instanceof Problem && error.statusCode === 404 && error.authorCode === 'PRODUCT_UNKNOWN',
  )
})

test('the page of the imitated shop has a tray without a price', async () => {
  const { data, complete, sources } = await page('kettle', { origin: await startUpstream() })

  assert.deepEqual(
    data.recommendations.map(({ id, cents }) => [id, cents]),
    [
      ['teapot', 2900],
      ['cup', 900],
      ['tray', null],
    ],
  )
  assert.equal(data.stock, 3)
  assert.equal(complete, false)
  // One request has asked for the three prices.
  assert.equal(sources.prices.attempts, 1)
})
