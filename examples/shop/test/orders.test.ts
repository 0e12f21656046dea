import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from 'headwaters'
import { runAggregate, scriptedUpstream } from 'headwaters/testing'
import { createOrder, order } from '../aggregates/orders.ts'
import { startUpstream } from '../demo/upstream.ts'
import { shop } from '../upstreams/shop.ts'

const lines = [
  { id: 'cup', quantity: 2 },
  { id: 'teapot', quantity: 1 },
]

const create = (upstream: { readonly origin: string }, body: object = { lines }) =>
  runAggregate(createOrder, { body }, { upstreams: { shop: upstream } })

test('an order is created with 201 and its location', async () => {
  await using upstream = await scriptedUpstream()
  upstream.answer(shop.createOrder, { id: 'a/1', lines, cents: 4700 }, { status: 201 })

  const { data, status, headers } = await create(upstream)

  assert.deepEqual(data, { id: 'a/1', lines, cents: 4700 })
  assert.equal(status, 201)
  assert.equal(headers?.location, '/v1/orders/a%2F1')
  assert.deepEqual(upstream.calls[0]?.body, { lines })
})

test('an order with a product that is sold out is a 409 that names its line', async () => {
  await using upstream = await scriptedUpstream()
  upstream.status(shop.createOrder, 409, { body: { soldOut: ['teapot'] } })

  await assert.rejects(create(upstream), error => {
    assert(error instanceof Problem)
    assert.equal(error.statusCode, 409)
    assert.equal(error.authorCode, 'SOLD_OUT')
    assert.deepEqual(error.faults, [{ pointer: '/body/lines/1/id', reason: 'is sold out' }])
    return true
  })
})

test('an order with an unknown product is a 422 that names its line', async () => {
  await using upstream = await scriptedUpstream()
  upstream.status(shop.createOrder, 422, { body: { unknown: ['cup'] } })

  await assert.rejects(create(upstream), error => {
    assert(error instanceof Problem)
    assert.equal(error.authorCode, 'PRODUCT_UNKNOWN')
    assert.deepEqual(error.faults, [{ pointer: '/body/lines/0/id', reason: 'does not exist' }])
    return true
  })
})

test('an order without lines is not sent', async () => {
  await using upstream = await scriptedUpstream()

  await assert.rejects(create(upstream, { lines: [] }), error => error instanceof Problem && error.statusCode === 400)
  assert.deepEqual(upstream.calls, [])
})

test('an order whose outcome is unknown is not sent again', async () => {
  await using upstream = await scriptedUpstream()
  upstream.reset(shop.createOrder)

  await assert.rejects(create(upstream), error => error instanceof Problem && error.code === 'OUTCOME_UNKNOWN')
  assert.equal(upstream.calls.length, 1)
})

test('the imitated shop creates an order and has it afterwards', async () => {
  const upstream = { origin: await startUpstream() }

  const { data } = await create(upstream, { lines: [{ id: 'cup', quantity: 2 }] })
  const found = await runAggregate(order, { params: { id: data.id } }, { upstreams: { shop: upstream } })

  assert.equal(data.cents, 1800)
  assert.deepEqual(found.data, data)
  await assert.rejects(create(upstream), error => error instanceof Problem && error.authorCode === 'SOLD_OUT')
})
