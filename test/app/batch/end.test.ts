import { connect } from 'node:net'
import { once } from 'node:events'
import { test } from 'tap'
import { batchCalls, batches } from '../../../src/metrics/families.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { valuesOf } from '../../helpers/metric-values.ts'
import { isExact } from '../../helpers/timing.ts'
import { until } from '../../helpers/until.ts'
import { json } from '../../helpers/raw-upstream.ts'
import { batchApp, prices } from './helpers/batch-app.ts'

/** From the moment the caller goes to the moment the upstream sees it, in ms. */
const bound = isExact ? 50 : 500

const hangs = () => {}

test('when the caller of a batch closes the connection, its calls are aborted', async t => {
  const runtime = createRuntime()
  const { app, upstream } = await batchApp(t, { script: hangs, options: { runtime } })
  const caller = connect((app.server.address() as { readonly port: number }).port, '127.0.0.1')
  await once(caller, 'connect')
  const body = JSON.stringify(prices(5))
  caller.write(
    `POST /v1/batch HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  await upstream.asked(5)
  const left = performance.now()
  caller.destroy()
  await upstream.deserted()
  t.ok(performance.now() - left < bound, `${performance.now() - left} ms`)
  await until(() => valuesOf(runtime, batches)['cancelled'] === 1)
})

test('at the drain timeout a batch gets the results so far, and no further batch starts', async t => {
  const { app, send, upstream } = await batchApp(t, {
    options: { drainTimeout: 50 },
    script: (socket, { path }) => {
      if (path === '/prices/0') socket.write(json({ id: '0', cents: 1 }))
    },
  })
  const pending = send(prices(3))
  await upstream.asked(3)
  await app.close()
  const { status, headers, body } = await pending
  t.equal(status, 200)
  t.equal(headers.get('connection'), 'close')
  t.match(body, {
    complete: false,
    results: [
      { state: 'ok', data: { id: '0' } },
      { state: 'failed', problem: { code: 'RUNTIME_CLOSED' } },
      { state: 'failed', problem: { code: 'RUNTIME_CLOSED' } },
    ],
  })
})

test('at the deadline of the service or of the caller, the calls without a result have failed', async t => {
  const script = (socket: { write(bytes: Buffer): unknown }, { path }: { readonly path: string }) => {
    if (path === '/prices/0') socket.write(json({ id: '0', cents: 1 }))
  }
  const results = [
    { id: 'p0', state: 'ok', status: 200 },
    { id: 'p1', state: 'failed', status: 504, problem: { code: 'DEADLINE_EXCEEDED' } },
  ]
  const own = await batchApp(t, { script, batch: { deadline: 100 } })
  t.match(await own.send(prices(2)), { status: 200, body: { complete: false, results } })
  const { send } = await batchApp(t, { script, batch: { deadline: 60_000 } })
  t.match(await send({ ...prices(2), deadlineMs: 100 }), { status: 200, body: { results } })
  t.match(await send(prices(2), { headers: { 'x-request-timeout-ms': '100' } }), { status: 200, body: { results } })
})

test('the longest wait of the problems is the retry-after of the batch', async t => {
  const { send } = await batchApp(t, {
    script: (socket, { path }) => socket.write(json({}, 503, { 'retry-after': path === '/prices/1' ? '7' : '3' })),
  })
  const { status, headers, body } = await send(prices(3))
  t.equal(status, 200)
  t.equal(headers.get('retry-after'), '7')
  t.match(body, { complete: false, retryAfter: 7 })
})

test('the metrics have the batches by outcome and the calls by state', async t => {
  const runtime = createRuntime()
  const { send } = await batchApp(t, {
    options: { runtime },
    script: (socket, { path }) => socket.write(path === '/prices/1' ? json({}, 404) : json({ id: 'a', cents: 1 })),
  })
  await send(prices(1))
  const needing = { id: 'last', operation: 'shop.price', input: { id: '9' }, needs: ['p1'] }
  await send({ calls: [...(prices(3) as { readonly calls: readonly object[] }).calls, needing] })
  await send({ calls: [] })
  t.same(valuesOf(runtime, batches), { complete: 1, partial: 1 })
  t.same(valuesOf(runtime, batchCalls), { ok: 3, failed: 1, notSent: 1 })
})
