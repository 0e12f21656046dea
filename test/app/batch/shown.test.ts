import fastify from 'fastify'
import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import type { BatchReply } from '../../../src/batch/result.ts'
import { catfactNinja } from '../../../src/clients/catfact-ninja.ts'
import { theCatApi } from '../../../src/clients/the-cat-api.ts'
import { startDemoUpstreams } from '../../../src/demo-upstreams/index.ts'
import { aggregate, refuse } from '../../../src/fanout/aggregate.ts'
import { headwaters } from '../../../src/http/plugin.ts'
import { aggregates } from '../../../src/routes/index.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { json } from '../../helpers/raw-upstream.ts'
import { listening } from '../../helpers/listening.ts'
import { batchApp, hello, prices, shopAt } from './helpers/batch-app.ts'

test('the batch of docs/http.md runs on the built-in upstreams', async t => {
  const page = readFileSync(new URL('../../../docs/http.md', import.meta.url), 'utf8')
  const [, block = ''] = /```json\n(\{\n {2}"calls"[^]*?)```/.exec(page) ?? []
  const demo = await startDemoUpstreams({ medianMs: 0 })
  t.teardown(() => demo.close())
  const app = buildApp(aggregates, {
    overrides: Object.fromEntries(Object.entries(demo.origins).map(([name, origin]) => [name, { origin }])),
    batch: { operations: [theCatApi.searchBreeds, theCatApi.breedImages, catfactNinja.fact] },
  })
  const ask = await listening(t, app)
  const { status, body } = await ask<BatchReply>('/v1/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: block,
  })
  t.equal(status, 200)
  t.match(body, {
    complete: true,
    results: [
      { id: 'cats', operation: 'the-cat-api.searchBreeds', state: 'ok', data: [{ name: 'Siamese' }] },
      { id: 'picture', operation: 'the-cat-api.breedImages', state: 'ok', data: [{ url: String }] },
      { id: 'facts', operation: 'cat-facts', state: 'ok', complete: true, sources: { ninja: { state: 'ok' } } },
    ],
  })
})

test('with sources none, the problems of a batch do not name the upstream', async t => {
  const { send } = await batchApp(t, { script: json({}, 500), options: { sources: 'none' } })
  const calls = [
    ...(prices(2) as { readonly calls: readonly object[] }).calls,
    { id: 'hi', operation: 'hello', input: { query: { name: 'Ada' } } },
  ]
  const { body } = await send({ calls })
  t.match(body.results, [{ state: 'failed' }, { state: 'failed' }, { state: 'ok', data: 'Hello Ada' }])
  for (const result of body.results) {
    t.notOk('sources' in result)
    if ('problem' in result) t.notMatch(JSON.stringify(result.problem), /shop/)
  }
})

test('each call gets the headers of the batch that its upstream forwards, and the id of the request', async t => {
  const { send, upstream } = await batchApp(t, { shop: { forwardHeaders: ['x-tenant', 'x-request-id'] } })
  const { headers } = await send(prices(2), {
    headers: { 'x-tenant': 'ada', 'x-request-id': 'own-id', 'x-other': 'b' },
  })
  t.equal(headers.get('x-request-id'), 'own-id')
  for (const request of upstream.requests) {
    const sent = Object.fromEntries(request.headers)
    t.match(sent, { 'x-tenant': 'ada', 'x-request-id': 'own-id' })
    t.notOk('x-other' in sent)
  }
})

test('a QUERY that names an unsafe operation is refused, and a POST may call it', async t => {
  const { send, upstream } = await batchApp(t, { script: json({ number: 7 }) })
  const order = { calls: [{ id: 'o', operation: 'shop.order', input: { body: { id: 'a' } } }] }
  t.match(await send<object>(order, { method: 'QUERY' }), {
    status: 400,
    body: { code: 'INPUT_INVALID', errors: [{ pointer: '/body/calls/0/operation' }] },
  })
  t.equal(upstream.requests.length, 0)
  t.match(await send(order), { status: 200, body: { results: [{ state: 'ok', data: { number: 7 } }] } })
})

test('a fault of x-request-timeout-ms is reported with the faults of the body', async t => {
  const { send } = await batchApp(t)
  t.match(await send<object>({ calls: [] }, { headers: { 'x-request-timeout-ms': 'soon' } }), {
    status: 400,
    body: { errors: [{ pointer: '/headers/x-request-timeout-ms' }, { pointer: '/body/calls' }] },
  })
})

test('a batch is a run of its own in the events, beside the runs of its aggregates', async t => {
  const events: string[] = []
  const { send } = await batchApp(t, {
    options: { onEvent: ({ type, run }) => void events.push(`${type} ${run.aggregate} ${run.method} ${run.url}`) },
  })
  await send({ calls: [{ id: 'a', operation: 'hello', input: { query: { name: 'Ada' } } }] }, { method: 'QUERY' })
  t.same(
    events.filter(event => event.startsWith('run ')),
    [
      'run started batch QUERY /v1/batch',
      'run started hello GET /hello',
      'run ended hello GET /hello',
      'run ended batch QUERY /v1/batch',
    ],
  )
})

test('the plugin serves batches below its prefix', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  const runtime = createRuntime({ overrides: { shop: { off: true } } })
  t.teardown(() => runtime.close())
  const shop = shopAt('http://127.0.0.1:9')
  await app.register(headwaters, { aggregates: [hello], batch: { operations: [shop.price] }, runtime, prefix: '/api' })
  const { statusCode, body } = await app.inject({ method: 'POST', url: '/api/v1/batch', payload: prices(1) })
  t.equal(statusCode, 200)
  t.match(JSON.parse(body), { results: [{ state: 'failed', status: 503, problem: { code: 'UPSTREAM_OFF' } }] })
})

test('two registrations with the same prefix cannot both serve batches', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  const options = { aggregates: [], batch: { operations: [shopAt('http://127.0.0.1:9').price] } }
  await app.register(headwaters, options)
  await t.rejects(async () => app.register(headwaters, options), {
    message: /^headwaters: POST \/v1\/batch, the path of batches, is already a route of this app: use another prefix/,
  })
})

test('the headers that onReply returns for an aggregate are not sent with a batch', async t => {
  const tagged = aggregate('tagged', { url: '/tagged', batch: true })
    .required('one', () => 1)
    .reply(z.number(), ({ one }) => one)
    .onReply(() => ({ headers: { 'x-own': 'a' } }))
  const { ask, send } = await batchApp(t, { aggregates: [tagged] })
  t.equal((await ask('/tagged')).headers.get('x-own'), 'a')
  const { headers, body } = await send({ calls: [{ id: 'one', operation: 'tagged' }] })
  t.equal(headers.get('x-own'), null)
  t.same(Object.keys(body.results[0] ?? {}), ['id', 'operation', 'state', 'status', 'complete', 'sources', 'data'])
})

test('a hook of the app sees the path of a batch only, and the context of an aggregate sees each caller', async t => {
  const guarded = aggregate('guarded', {
    url: '/guarded',
    headers: z.object({ 'x-role': z.string().optional() }),
    batch: true,
  })
    .context(({ headers }) => (headers['x-role'] === 'admin' ? {} : refuse(403, 'Only admins may ask.')))
    .required('one', () => 1)
    .reply(z.number(), ({ one }) => one)
  const app = buildApp([guarded])
  t.teardown(() => app.close())
  const paths: string[] = []
  app.addHook('onRequest', async ({ url }) => void paths.push(url))
  const payload = { calls: [{ id: 'one', operation: 'guarded' }] }
  const send = async (headers: Record<string, string>) =>
    (await app.inject({ method: 'POST', url: '/v1/batch', headers, payload })).json<BatchReply>().results[0]
  t.match(await send({}), { state: 'failed', status: 403 })
  t.match(await send({ 'x-role': 'admin' }), { state: 'ok' })
  t.same(paths, ['/v1/batch', '/v1/batch'])
})
