import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { batches, streams } from '../../../src/metrics/families.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { valuesOf } from '../../helpers/metric-values.ts'
import { isProblem, type ProblemBody } from '../../helpers/problem.ts'
import { listening } from '../../helpers/listening.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { until } from '../../helpers/until.ts'
import { batchApp, hello, price, prices, shopAt } from './helpers/batch-app.ts'

type Event = Readonly<Record<string, unknown>> & { readonly event: string }

const ndjson = { accept: 'application/x-ndjson' }

/** Reads the lines of a stream as they arrive. */
async function* linesOf(response: Response): AsyncGenerator<Event> {
  let rest = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as Event
  }
}

const needing = {
  calls: [
    { id: 'slow', operation: 'shop.price', input: { id: 'slow' } },
    { id: 'first', operation: 'shop.price', input: { id: 'a' } },
    { id: 'second', operation: 'shop.price', input: { id: { $ref: 'first#/data/id' } } },
  ],
}

test('a stream of a batch has its plan, each result when its call ends, and the plain reply at last', async t => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  const { app, send, upstream } = await batchApp(t, {
    batch: { deadline: 60_000 },
    script: async (socket, { path }) => {
      if (path === '/prices/slow') await opened
      socket.write(json({ id: path.split('/').at(-1), cents: 1 }))
    },
  })
  const { port } = app.server.address() as { readonly port: number }
  const response = await fetch(`http://127.0.0.1:${port}/v1/batch`, {
    method: 'POST',
    headers: { ...ndjson, 'content-type': 'application/json' },
    body: JSON.stringify(needing),
  })
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'application/x-ndjson')
  t.equal(response.headers.get('cache-control'), 'no-store, no-transform')
  t.equal(response.headers.get('accept-query'), 'application/json')
  const lines = linesOf(response)
  const next = async () => (await lines.next()).value as Event
  t.match(await next(), {
    event: 'plan',
    run: /^[\da-f-]{36}$/,
    deadline: 60_000,
    calls: [
      { id: 'slow', needs: [] },
      { id: 'first', needs: [] },
      { id: 'second', needs: ['first'] },
    ],
  })
  const results = [await next(), await next()]
  t.match(results, [
    { event: 'call', id: 'first', operation: 'shop.price', state: 'ok', status: 200, data: { id: 'a' } },
    { event: 'call', id: 'second', state: 'ok', data: { id: 'a' } },
  ])
  t.equal(upstream.requests.length, 3, 'the slow call is in flight')
  open()
  t.match(await next(), { event: 'call', id: 'slow', state: 'ok' })
  const last = await next()
  const plain = await send(needing)
  t.same(last, {
    event: 'reply',
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: plain.body,
  })
  t.equal(JSON.stringify(last['body']), plain.text, 'the bytes of the plain reply')
  t.ok((await lines.next()).done)
})

test('a QUERY can have a stream of server-sent events', async t => {
  const { send } = await batchApp(t)
  const { status, headers, text } = await send(prices(1), { method: 'QUERY', headers: { accept: 'text/event-stream' } })
  t.equal(status, 200)
  t.equal(headers.get('content-type'), 'text/event-stream')
  t.match(text, /^retry: 1000\n\nid: [\da-f-]{36}\.1\.1\nevent: plan\ndata: \{"event":"plan",/)
  t.match(text, /\nevent: call\ndata: \{"event":"call","id":"p0",/)
  t.match(text, /\nid: [\da-f-]{36}\.1\.end\nevent: reply\ndata: \{"event":"reply","status":200,[^\n]*\}\n\n$/)
})

test('a batch that is refused has a plain problem, also if its caller accepts a stream', async t => {
  const { send } = await batchApp(t, { options: { rateLimit: 5 } })
  isProblem(t, await send<ProblemBody>({ calls: [] }, { headers: ndjson }), 400, 'INPUT_INVALID')
  isProblem(t, await send<ProblemBody>(prices(9), { headers: ndjson }), 429, 'RATE_LIMITED')
})

test('the wait of the problems is in the headers of the last event', async t => {
  const { send } = await batchApp(t, { script: json({}, 503, { 'retry-after': '7' }) })
  const { text } = await send(prices(1), { headers: ndjson })
  const events = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Event)
  t.match(events, [
    { event: 'plan' },
    { event: 'call', state: 'failed', status: 503 },
    { event: 'reply', headers: { 'retry-after': '7' }, body: { retryAfter: 7, complete: false } },
  ])
})

test('when the caller of a stream closes the connection, the calls of the batch are aborted', async t => {
  const runtime = createRuntime()
  const { app, upstream } = await batchApp(t, { script: () => {}, options: { runtime } })
  const { port } = app.server.address() as { readonly port: number }
  const controller = new AbortController()
  const response = await fetch(`http://127.0.0.1:${port}/v1/batch`, {
    method: 'POST',
    headers: { ...ndjson, 'content-type': 'application/json' },
    body: JSON.stringify(prices(3)),
    signal: controller.signal,
  })
  t.equal(response.status, 200)
  await upstream.asked(3)
  controller.abort()
  await upstream.deserted()
  await until(() => valuesOf(runtime, batches)['cancelled'] === 1)
  t.same(valuesOf(runtime, streams), { 'ndjson left': 1 })
})

test('a stream of a batch ends with its reply, or with a problem, when the service has drained', async t => {
  const lost = aggregate('lost', { url: '/lost', deadline: 60_000, batch: true })
    .required('one', () => new Promise<number>(() => {}))
    .reply(z.number(), ({ one }) => one)
  const ends = async (body: object) => {
    const { app, send, upstream } = await batchApp(t, {
      aggregates: [hello, lost],
      batch: { deadline: 60_000 },
      script: () => {},
      options: { drainTimeout: 50 },
    })
    const pending = send(body, { headers: ndjson })
    await upstream.asked(1)
    await app.close()
    return JSON.parse((await pending).text.trimEnd().split('\n').at(-1) ?? '') as Event
  }
  t.match(await ends(prices(1)), {
    event: 'reply',
    body: { results: [{ state: 'failed', problem: { code: 'RUNTIME_CLOSED' } }] },
  })
  const calls = [...(prices(1) as { readonly calls: readonly object[] }).calls, { id: 'l', operation: 'lost' }]
  t.match(await ends({ calls }), { event: 'problem', status: 503, body: { code: 'DRAINING' } })
})

test('a batch whose stream cannot begin has a plain problem, and is not counted as a run', async t => {
  const runtime = createRuntime()
  const upstream = await rawUpstream(t, price)
  const shop = shopAt(upstream.origin)
  const pressure = { runs: 10, loopDelay: 0, heapPercent: 0, memoryPercent: 0 }
  const app = buildApp([hello], { runtime, pressure, batch: { operations: [shop.price] } })
  app.addHook('onRequest', async ({ headers }, reply) => {
    if (headers.accept === ndjson.accept) reply.header('x-own', 'a\nb')
  })
  app.addHook('onError', async (_request, reply) => void reply.removeHeader('x-own'))
  const ask = await listening(t, app)
  const send = (headers: object) =>
    ask<ProblemBody>('/v1/batch', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(prices(1)),
    })
  for (let count = 0; count < 12; count++) isProblem(t, await send(ndjson), 500, 'INTERNAL')
  t.equal(upstream.requests.length, 0)
  t.equal((await send({})).status, 200, 'no run is left in the load of the service')
})
