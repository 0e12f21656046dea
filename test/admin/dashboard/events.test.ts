import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { maxUnsentBytes } from '../../../src/admin/dashboard/reader.ts'
import { maxReaders } from '../../../src/admin/dashboard/readers.ts'
import { defaultLimits } from '../../../src/http/guard/server-limits.ts'
import { until } from '../../helpers/until.ts'
import { aggregateRow, upstreamRow, watched } from '../../overview/helpers/samples.ts'
import { openReader, type OpenReader } from './helpers/open-reader.ts'
import { serveDashboard } from './helpers/served-dashboard.ts'

const cats = (ok: number) => ({
  upstreams: [upstreamRow('cats', { ok })],
  aggregates: [aggregateRow('pets', { counts: { complete: ok } })],
})

/** A reader that sends its request and reads nothing before the test says so. */
async function deafReader(t: Test, port: number) {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.pause()
  socket.write('GET /dashboard/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
  return socket
}

test('the first event has the names, the last two minutes and the present', async t => {
  const { origin, live } = await serveDashboard(t)
  const start = Date.now() + 500
  for (let count = 0; count < 240; count++) live.tick(start + count * 500, cats(3))
  const { next, ids, headers } = await openReader(t, origin)
  const hello = await next('hello')
  t.match(hello, {
    version: '1.2.3',
    every: 500,
    keptRuns: false,
    runs: [],
    breakers: [],
    upstreams: watched.upstreams.map(({ name, origin: at, operations }) => ({
      name,
      origin: at,
      operations,
      usedBy: [],
    })),
    aggregates: watched.aggregates.map(({ name, method, url }) => ({ name, method, url })),
    now: { type: 'sample', upstreams: [{ index: 0, attempts: 3 }, { index: 1 }], verdict: { health: 'healthy' } },
  })
  const [attempts, runs] = [hello.history.upstreams[0]?.attempts ?? [], hello.history.aggregates[0]?.runs ?? []]
  t.equal(attempts.length, 240)
  t.same(attempts.slice(1), Array<number>(239).fill(3))
  t.same(runs.slice(1), Array<number>(239).fill(3))
  t.same(hello.history.upstreams[1]?.p95, Array<null>(240).fill(null))
  t.equal(ids[0], `${hello.boot}.1`)
  t.equal(headers.get('content-type'), 'text/event-stream')
  t.equal(headers.get('cache-control'), 'no-store')
  t.equal(headers.get('access-control-allow-origin'), null)
})

test('a reader gets each sample, and all readers get the same', async t => {
  const { origin, live, isWatched } = await serveDashboard(t)
  const readers = [await openReader(t, origin), await openReader(t, origin)]
  for (const { next } of readers) await next('hello')
  for (const [at, ok] of [5, 6, 7].entries()) live.tick(Date.now() + at * 500, cats(ok))
  for (const { next } of readers)
    for (const ok of [5, 6, 7])
      t.match(await next('sample'), { upstreams: [{ index: 0, attempts: ok }], aggregates: [{ complete: ok }] })
  t.same(isWatched, [true])
})

test('a change of a breaker is sent before the next sample', async t => {
  const { origin, live } = await serveDashboard(t)
  const { next, events } = await openReader(t, origin)
  await next('hello')
  const at = Date.now()
  live.breakerChanged({ type: 'breaker', at, upstream: 'cats', from: 'closed', to: 'open' })
  t.same(await next('breaker'), { type: 'breaker', at, upstream: 'cats', from: 'closed', to: 'open' })
  t.equal(events.length, 2)
  const later = await openReader(t, origin)
  t.match(await later.next('hello'), {
    breakers: [{ at }],
    now: { upstreams: [{ health: 'failing', breaker: 'open' }] },
  })
})

test('after a reload a reader gets the new names', async t => {
  const { origin, live } = await serveDashboard(t)
  const { next } = await openReader(t, origin)
  const first = await next('hello')
  live.define({ upstreams: watched.upstreams.slice(1), aggregates: [] })
  const second = await next('hello')
  t.same(
    second.upstreams.map(({ name }) => name),
    ['dogs'],
  )
  t.equal(second.boot, first.boot)
})

/** A sample whose event has 100 kB, so that a few of them fill the buffers of the kernel. */
const large = {
  upstreams: [{ ...upstreamRow('cats', { failed: 9 }), failures: [['x'.repeat(100_000), 9] as const] }],
  aggregates: [],
}

test('a reader that does not read is left out, and then gets hello', async t => {
  const { port, live, origin } = await serveDashboard(t)
  const deaf = await deafReader(t, port)
  await until(() => live.isWatched)
  const other = await openReader(t, origin)
  await other.next('hello')
  for (let count = 1; count <= 100; count++) {
    live.tick(Date.now() + count * 500, large)
    await other.next('sample')
  }
  let received = ''
  deaf.on('data', bytes => (received += String(bytes))).resume()
  const countOf = (type: string) => received.split(`\nevent: ${type}\n`).length - 1
  await until(() => countOf('hello') === 2)
  t.ok(countOf('sample') > 0 && countOf('sample') < 100, `${countOf('sample')} of 100 samples`)
  live.tick(Date.now() + 1_000_000, large)
  await until(() => received.lastIndexOf('event: sample') > received.lastIndexOf('event: hello'))
  t.ok(received.length > maxUnsentBytes)
})

test('a reader that never reads is cut after the reply timeout', async t => {
  const { port, live } = await serveDashboard(t, { limits: { ...defaultLimits, replyTimeout: 300 } })
  const deaf = await deafReader(t, port)
  const closed = once(deaf, 'close')
  await until(() => live.isWatched)
  for (let count = 1; count <= 100 && live.isWatched; count++) {
    live.tick(Date.now() + count * 500, large)
    await turn()
  }
  await until(() => !live.isWatched)
  deaf.resume()
  await t.resolves(closed)
})

test('the ninth reader is refused, and there is room when one leaves', async t => {
  const { origin, live } = await serveDashboard(t)
  const readers = []
  for (let count = 0; count < maxReaders; count++) readers.push(await openReader(t, origin))
  const refused = await fetch(`${origin}/dashboard/events`)
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('content-type'), 'text/event-stream')
  t.equal(await refused.text(), 'event: bye\ndata: {"type":"bye","reason":"full"}\n\n')
  readers[1]?.close()
  await until(async () => {
    const response = await fetch(`${origin}/dashboard/events`)
    await response.body?.cancel()
    return response.status === 200
  })
  for (const reader of readers) reader.close()
  await until(() => !live.isWatched)
  t.equal((await fetch(`${origin}/metrics`)).status, 200)
})

test('a refused reader ends the oldest one, so that a page that has vanished keeps no place', async t => {
  const { origin } = await serveDashboard(t)
  const readers: OpenReader[] = []
  for (let count = 0; count < maxReaders; count++) readers.push(await openReader(t, origin))
  for (const { next } of readers) await next('hello')
  const [oldest] = readers as [OpenReader]
  const statusOfNext = async () => {
    const response = await fetch(`${origin}/dashboard/events`)
    if (response.status !== 200) await response.body?.cancel()
    else t.teardown(() => response.body?.cancel())
    return response.status
  }
  t.equal(await statusOfNext(), 503)
  t.same(await oldest.next('bye'), { type: 'bye', reason: 'full' })
  await oldest.ended
  await until(async () => (await statusOfNext()) === 200)
  t.equal(await statusOfNext(), 503)
  t.equal(await statusOfNext(), 503)
  t.same(
    readers.slice(1).flatMap(({ events }) => events.filter(({ type }) => type === 'bye')),
    [],
    'at most one in 15 s, so that pages that are open do not end each other in turn',
  )
})

test('a reader gets no event that its hello has, and each one after it', async t => {
  const gate = Promise.withResolvers<[]>()
  const { origin, live } = await serveDashboard(t, { recentRuns: () => gate.promise })
  const opened = openReader(t, origin)
  await until(() => live.isWatched)
  await turn()
  for (let count = 1; count <= 3; count++) live.tick(Date.now() + count * 500, cats(count))
  gate.resolve([])
  const { next, events } = await opened
  t.match(await next('hello'), { now: { upstreams: [{ attempts: 3 }, {}] } })
  live.tick(Date.now() + 2000, cats(4))
  t.match(await next('sample'), { upstreams: [{ attempts: 4 }] })
  t.equal(events.length, 2)
})

test('a reload while hello is written sends it again with the new names', async t => {
  const many = Array.from({ length: 400 }, (_, index) => ({
    name: `up-${index}`,
    origin: 'http://127.0.0.1:1',
    operations: [],
    isOff: false,
  }))
  const { port, live } = await serveDashboard(t, { watched: { upstreams: many, aggregates: [] } })
  const deaf = await deafReader(t, port)
  await until(() => live.isWatched)
  let received = ''
  deaf.on('data', bytes => (received += String(bytes)))
  for (let count = 1; count <= 20; count++) {
    live.tick(Date.now() + count * 500, large)
    live.define({ upstreams: many.slice(count), aggregates: [] })
    await turn()
  }
  deaf.resume()
  await until(() => received.includes('"upstreams":[{"name":"up-20"'))
  t.ok(received.includes('event: hello'))
})

test('a drain says bye, and the app closes at once', async t => {
  const { origin, app } = await serveDashboard(t)
  const { next, events, ended } = await openReader(t, origin)
  await next('hello')
  await app.close()
  await ended
  t.same(events.at(-1), { type: 'bye', reason: 'draining' })
})

test('a drain ends a reader that has not got hello', async t => {
  const { origin, app, live } = await serveDashboard(t, { recentRuns: () => new Promise(() => {}) })
  const { events, ended } = await openReader(t, origin)
  await until(() => live.isWatched)
  await app.close()
  await ended
  t.same(events, [])
})

test('a reader whose hello fails is disconnected', async t => {
  const { origin, live } = await serveDashboard(t, { recentRuns: () => Promise.reject(new Error('no worker answers')) })
  const { ended, events } = await openReader(t, origin)
  await t.rejects(ended)
  t.same(events, [])
  await until(() => !live.isWatched)
})

test('HEAD has the head of the events, and other methods are refused', async t => {
  const { origin, live } = await serveDashboard(t)
  const head = await fetch(`${origin}/dashboard/events`, { method: 'HEAD' })
  t.match(head, { status: 200 })
  t.equal(head.headers.get('content-type'), 'text/event-stream')
  for (const path of ['events', 'upstreams/cats'])
    t.equal((await fetch(`${origin}/dashboard/${path}`, { method: 'POST' })).status, 405)
  t.equal(live.isWatched, false)
})

test('one upstream has all its series, and an unknown name has none', async t => {
  const { origin, live } = await serveDashboard(t)
  live.tick(Date.now() + 500, cats(4))
  const response = await fetch(`${origin}/dashboard/upstreams/cats`)
  t.equal(response.status, 200)
  t.equal(response.headers.get('cache-control'), 'no-store')
  const history = (await response.json()) as Record<string, unknown[]>
  for (const [name, points] of Object.entries(history))
    if (name !== 'from' && name !== 'every') t.equal(points.length, 240, name)
  t.equal(history['attempts']?.at(-1), 4)
  for (const name of ['birds', '__proto__', 'constructor', '%00', 'x'.repeat(90)]) {
    const unknown = await fetch(`${origin}/dashboard/upstreams/${name}`)
    t.match(await unknown.json(), { status: 404, code: 'NOT_FOUND' }, name)
  }
})
