import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { operation } from '../../../src/upstream/declare.ts'
import { isProblem, type ProblemBody } from '../../helpers/problem.ts'
import { batchApp, hello, prices, shopAt } from './helpers/batch-app.ts'

const batch = { operations: [shopAt('http://127.0.0.1:9').price] }

test('POST and QUERY are the methods of /v1/batch, and its replies say so', async t => {
  const { ask, send } = await batchApp(t)
  for (const method of ['POST', 'QUERY']) {
    const got = await send(prices(2), { method })
    t.match(got, { status: 200, body: { complete: true } }, method)
    t.equal(got.headers.get('content-type'), 'application/json; charset=utf-8')
    t.equal(got.headers.get('cache-control'), 'no-store')
    t.equal(got.headers.get('accept-query'), 'application/json')
  }
  const options = await ask('/v1/batch', { method: 'OPTIONS' })
  t.equal(options.status, 204)
  t.equal(options.headers.get('allow'), 'QUERY, POST, OPTIONS')
  t.equal(options.headers.get('accept-query'), 'application/json')
  for (const method of ['GET', 'PUT', 'DELETE'])
    isProblem(t, await ask<ProblemBody>('/v1/batch', { method }), 405, 'METHOD_NOT_ALLOWED')
})

test('a batch without a JSON body, or whose reply must not be JSON, is refused', async t => {
  const { ask, send } = await batchApp(t)
  const untyped = await ask<ProblemBody>('/v1/batch', { method: 'QUERY' })
  isProblem(t, untyped, 400, 'BAD_REQUEST')
  t.equal(untyped.body.detail, 'QUERY requires the header content-type: application/json.')
  isProblem(
    t,
    await send<ProblemBody>(prices(1), { headers: { 'content-type': 'text/plain' } }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  )
  isProblem(t, await send<ProblemBody>(prices(1), { headers: { accept: 'text/html' } }), 406, 'NOT_ACCEPTABLE')
  isProblem(t, await send<ProblemBody>('{', {}), 400, 'BAD_REQUEST')
})

test('an app has no route for batches without a declaration, and with batch: false', async t => {
  const closed = aggregate('closed', { url: '/closed' })
    .required('one', () => 1)
    .reply(z.number(), ({ one }) => one)
  for (const [aggregates, options] of [
    [[closed], {}],
    [[hello], { batch: false as const }],
  ] as const) {
    const app = buildApp(aggregates, options)
    t.teardown(() => app.close())
    t.equal((await app.inject({ method: 'POST', url: '/v1/batch', payload: prices(1) })).statusCode, 404)
  }
})

test('an aggregate with batch: true needs no operation for the route', async t => {
  const app = buildApp([hello])
  t.teardown(() => app.close())
  const calls = [{ id: 'a', operation: 'hello', input: { query: { name: 'Ada' } } }]
  t.equal((await app.inject({ method: 'POST', url: '/v1/batch', payload: { calls } })).statusCode, 200)
})

test('an aggregate with the path or the name of batches is refused, with the fix', async t => {
  const one = (name: string, url: string, method: 'GET' | 'POST' = 'GET') =>
    aggregate(name, { url, method })
      .required('one', () => 1)
      .reply(z.number(), ({ one: value }) => value)
  const ready = async (taken: ReturnType<typeof one>) => {
    const app = buildApp([taken], { batch })
    t.teardown(() => app.close())
    await app.ready()
  }
  const fix = 'or turn batches off with batch: false (BATCH_MAX_CALLS=0)'
  await t.rejects(ready(one('taken', '/v1/batch')), {
    message: `headwaters: the url of the aggregate 'taken', /v1/batch, is the path of batches: change the url, ${fix}`,
  })
  await t.rejects(ready(one('batch', '/other')), {
    message: `headwaters: the aggregate 'batch' has the name of batches in the log and in events: rename it, ${fix}`,
  })
  await ready(one('names', '/v1/{name}', 'POST'))
})

test('an operation that no upstream has, or that is not declared for batches, is refused', async t => {
  const ready = async (operations: readonly (typeof batch.operations)[number][]) => {
    const app = buildApp([], { batch: { operations } })
    t.teardown(() => app.close())
    await app.ready()
  }
  const unbound = operation({ path: '/a', output: z.unknown() })
  await t.rejects(ready([unbound as unknown as (typeof batch.operations)[0]]), {
    message: /batch\.operations\[0\] belongs to no upstream/,
  })
})
