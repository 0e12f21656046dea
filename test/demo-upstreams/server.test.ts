import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { test } from 'tap'
import type { Test } from 'tap'
import { fault, type FaultKind, faultKinds } from '../../src/demo-upstreams/faults.ts'
import { startDemoUpstream } from '../../src/demo-upstreams/server.ts'
import type { DemoUpstreamOptions } from '../../src/demo-upstreams/server.ts'
import { until } from '../helpers/until.ts'

const routes = [
  { path: '/', answer: () => ({ body: { well: 'ü' } }) },
  { path: '/things/:name', answer: ({ params }: { params: object }) => ({ body: params }) },
]

async function start(t: Test, options: Partial<DemoUpstreamOptions> = {}) {
  const demoUpstream = await startDemoUpstream({ name: 'test', routes, latency: () => 0, ...options })
  t.teardown(() => demoUpstream.close())
  return demoUpstream
}

function seedOf(kind: FaultKind): number {
  let seed = 0
  while (fault(seed, 0, 1) !== kind) seed += 1
  return seed
}

test('an answer is JSON with its length', async t => {
  const demoUpstream = await start(t)
  const response = await fetch(demoUpstream.origin)
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'application/json')
  t.equal(response.headers.get('content-length'), '13')
  t.equal(response.headers.get('server'), 'test')
  t.same(await response.json(), { well: 'ü' })
  t.equal(demoUpstream.requests, 1)
})

test('names in the path are decoded and a broken escape is 400', async t => {
  const { origin } = await start(t)
  t.same(await (await fetch(`${origin}/things/a%20b%2Fc`)).json(), { name: 'a b/c' })
  t.equal((await fetch(`${origin}/things/%E0%A4%A`)).status, 400)
})

test('an unknown path is 404 and another method than GET and HEAD is 405, both in JSON', async t => {
  const { origin } = await start(t)
  for (const path of ['/none', '//', '/things/', '/things/a/b']) {
    const response = await fetch(origin + path)
    t.equal(response.status, path === '//' ? 200 : 404, path)
    t.type(await response.json(), 'object')
  }
  const posted = await fetch(origin, { method: 'POST', body: 'anything' })
  t.equal(posted.status, 405)
  t.match(await posted.json(), { code: 405 })
  const head = await fetch(origin, { method: 'HEAD' })
  t.equal(head.status, 200)
  t.equal(head.headers.get('content-length'), '13')
})

test('a fault rate of 0 gives no fault, 1 gives only faults, and in between about its share', async t => {
  const count = (rate: number) => Array.from({ length: 6000 }, (_, number) => fault(1, number, rate))
  t.ok(count(0).every(kind => kind === undefined))
  t.ok(count(1).every(kind => kind !== undefined))
  const share = count(0.05).filter(kind => kind !== undefined).length / 6000
  t.ok(share > 0.04 && share < 0.06, `share ${share}`)
  for (const kind of faultKinds) {
    const found = count(1).filter(other => other === kind).length
    t.ok(found > 850 && found < 1150, `${kind}: ${found} of 6000`)
  }
})

test('a reset cuts the connection without an answer', async t => {
  const { origin } = await start(t, { faultRate: 1, seed: seedOf('reset') })
  const req = request(origin).end()
  const [error] = await once(req, 'error').catch((error: unknown) => [error])
  t.match(error, { code: 'ECONNRESET' })
})

test('the status of a failing demo upstream is 500, or 503 with a time to wait', async t => {
  const failing = await fetch((await start(t, { faultRate: 1, seed: seedOf('error') })).origin)
  t.equal(failing.status, 500)
  t.match(await failing.json(), { error: /ECONNREFUSED/ })
  const unavailable = await fetch((await start(t, { faultRate: 1, seed: seedOf('unavailable') })).origin)
  t.equal(unavailable.status, 503)
  t.equal(unavailable.headers.get('retry-after'), '1')
  t.type(await unavailable.json(), 'object')
})

test('a broken body has the type of JSON and is invalid, and a wrong shape is valid JSON', async t => {
  const broken = await fetch((await start(t, { faultRate: 1, seed: seedOf('broken-json') })).origin)
  t.equal(broken.status, 200)
  t.equal(broken.headers.get('content-type'), 'application/json')
  await t.rejects(broken.json(), { name: 'SyntaxError' })
  const wrong = await fetch((await start(t, { faultRate: 1, seed: seedOf('wrong-shape') })).origin)
  t.equal(wrong.status, 200)
  t.match(await wrong.json(), { unexpected: true })
})

test('a slow fault waits even where other answers are given at once', async t => {
  const demoUpstream = await start(t, { faultRate: 1, seed: seedOf('slow') })
  const answer = fetch(demoUpstream.origin)
  await until(() => demoUpstream.pending !== 0)
  await demoUpstream.close()
  await t.rejects(answer)
})

test('the fault rate can be changed while running', async t => {
  const demoUpstream = await start(t, { faultRate: 1, seed: seedOf('unavailable') })
  t.equal((await fetch(demoUpstream.origin)).status, 503)
  demoUpstream.setFaultRate(0)
  for (let count = 0; count < 20; count += 1) t.equal((await fetch(demoUpstream.origin)).status, 200)
})

test('closing ends at once, with delayed answers, idle and silent connections', async t => {
  let delayMs = 0
  const demoUpstream = await start(t, { latency: () => delayMs })
  await (await fetch(demoUpstream.origin)).text()
  const silent = connect(Number(new URL(demoUpstream.origin).port), '127.0.0.1')
  silent.on('error', () => {})
  await once(silent, 'connect')
  delayMs = 60_000
  const delayed = fetch(demoUpstream.origin)
  await until(() => demoUpstream.pending !== 0)

  const before = performance.now()
  await demoUpstream.close()
  t.ok(performance.now() - before < 1000)
  t.equal(demoUpstream.pending, 0)
  await t.rejects(delayed)
  await t.resolves(demoUpstream.close(), 'closing twice is fine')
  await t.rejects(fetch(demoUpstream.origin))
})

test('a client that goes away takes its delayed answer with it', async t => {
  const demoUpstream = await start(t, { latency: () => 60_000 })
  const abort = new AbortController()
  const answer = fetch(demoUpstream.origin, { signal: abort.signal })
  await until(() => demoUpstream.pending !== 0)
  abort.abort()
  await t.rejects(answer, { name: 'AbortError' })
  await until(() => demoUpstream.pending === 0)
  t.equal(demoUpstream.requests, 1)
})

test('a port in use is an error', async t => {
  const { origin } = await start(t)
  await t.rejects(startDemoUpstream({ name: 'second', routes, latency: () => 0, port: Number(new URL(origin).port) }), {
    code: 'EADDRINUSE',
  })
})
