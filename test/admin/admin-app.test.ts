import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { test, type Test } from 'tap'
import { maxAdminConnections } from '../../src/admin/admin-app.ts'
import { defaultLimits } from '../../src/http/guard/server-limits.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { serveAdminApp, source } from './helpers/served-admin-app.ts'

const key = 'admin-key-0123456789'

/** Sends a request and reads the whole reply. */
async function ask(origin: string, path: string, options: RequestInit = {}) {
  const response = await fetch(origin + path, options)
  const body = await response.text()
  return { status: response.status, headers: response.headers, text: body }
}

async function open(t: Test, port: number, bytes = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`

test('without a key the admin app serves the metrics and the health routes', async t => {
  const { origin } = await serveAdminApp(t)
  const { status, headers, text } = await ask(origin, '/metrics')
  t.equal(status, 200)
  t.equal(text, 'cats_total 9\n')
  t.equal(headers.get('cache-control'), 'no-store')
  t.match(headers.get('x-request-id'), /^[\w-]{36}$/)
  for (const state of ['live', 'ready']) t.match(await ask(origin, `/health/${state}`), { status: 200 })
})

test('with a key the metrics need it and the health routes do not', async t => {
  const { origin } = await serveAdminApp(t, { metrics: { source, key } })
  const refused = await ask(origin, '/metrics')
  isProblem(t, { ...refused, body: JSON.parse(refused.text) as ProblemBody }, 401, 'UNAUTHENTICATED')
  t.equal(refused.headers.get('www-authenticate'), 'Bearer')
  t.match(await ask(origin, '/metrics', { headers: { authorization: `Bearer ${key}` } }), { status: 200 })
  t.match(await ask(origin, '/metrics', { headers: { authorization: `Bearer ${key}0` } }), { status: 401 })
  t.match(await ask(origin, '/metrics', { headers: { authorization: `Basic ${btoa(`admin:${key}`)}` } }), {
    status: 401,
  })
  for (const state of ['live', 'ready']) t.match(await ask(origin, `/health/${state}`), { status: 200 })
})

test('the admin app has no other path, and its errors are problems', async t => {
  const { origin } = await serveAdminApp(t)
  for (const path of ['/', '/docs', '/openapi.json', '/v1/cat-facts', '/metrics/x']) {
    const got = await ask(origin, path)
    isProblem(t, { ...got, body: JSON.parse(got.text) as ProblemBody }, 404, 'NOT_FOUND')
  }
  for (const method of ['POST', 'DELETE', 'PROPFIND'])
    t.match(await ask(origin, '/metrics', { method }), { status: 405 }, method)
})

test('readiness follows the state of the service', async t => {
  const { origin, readiness } = await serveAdminApp(t, { lostLogLines: () => 7 })
  for (const [state, status] of [
    ['starting', 503],
    ['ready', 200],
    ['draining', 503],
  ] as const) {
    readiness.state = state
    const got = await ask(origin, '/health/ready')
    t.equal(got.status, status)
    t.equal(got.text, JSON.stringify({ status: state, lostLogLines: 7 }))
    t.equal(got.headers.get('retry-after'), status === 503 ? '1' : null)
    t.match(await ask(origin, '/health/live'), { status: 200 })
    t.match(await ask(origin, '/metrics'), { status: 200 }, 'the metrics are served in each state')
  }
})

test('the lines of the admin app in the log name the listener, and scrapes have the level debug', async t => {
  const { origin, lines, line } = await serveAdminApp(t, { metrics: { source, key } })
  await ask(origin, '/metrics', { headers: { authorization: `Bearer ${key}` } })
  await ask(origin, '/metrics', { headers: { authorization: `Bearer ${key}0` } })
  await line(({ msg }) => msg === 'request refused')
  t.match(
    lines.filter(({ msg }) => msg === 'request completed'),
    [{ level: 20, listener: 'admin' }],
  )
  t.match(
    lines.filter(({ msg }) => msg === 'request refused'),
    [{ level: 30, listener: 'admin', code: 'UNAUTHENTICATED' }],
  )
  t.notMatch(JSON.stringify(lines), key)
})

test('idle connections do not keep a scraper out', async t => {
  const { app, port, origin } = await serveAdminApp(t)
  for (let index = 0; index < maxAdminConnections + 8; index++)
    await once(await open(t, port, get('/health/live')), 'data')
  t.match(await ask(origin, '/metrics'), { status: 200, text: 'cats_total 9\n' })
  const connections = await promisify(app.server.getConnections.bind(app.server))()
  t.ok(connections <= maxAdminConnections, `${connections} connections are open`)
})

test('scrapes that do not end are limited, and health checks and other scrapers are served meanwhile', async t => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const render = async (accept?: string) => {
    if (accept === 'text/slow') await promise
    return source.render()
  }
  const { port, origin } = await serveAdminApp(t, { metrics: { source: { render } } })
  const slow = 'GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/slow\r\n\r\n'
  const held = await Promise.all(Array.from({ length: maxAdminConnections }, () => open(t, port, slow)))
  for (let times = 0; times < 3; times++) {
    t.match(await ask(origin, '/health/ready'), { status: 200 })
    t.match(await ask(origin, '/metrics'), { status: 200 })
  }
  t.match(await ask(origin, '/other'), { status: 503 }, 'other requests are refused at the limit')
  resolve()
  t.match(await text(held[0] as Socket), /^HTTP\/1\.1 200 /)
})

test('a scraper that does not read its reply is disconnected', async t => {
  const large = { contentType: 'text/plain', body: 'x'.repeat(32 * 2 ** 20) }
  const { app, port } = await serveAdminApp(t, {
    metrics: { source: { render: async () => large } },
    limits: { ...defaultLimits, replyTimeout: 200 },
  })
  const accepted = once(app.server, 'connection')
  const socket = await open(t, port, get('/metrics'))
  socket.pause()
  const [connection] = (await accepted) as [Socket]
  await once(connection, 'close')
  await once(socket.resume(), 'close')
  t.ok(socket.bytesRead < large.body.length, `${socket.bytesRead} bytes were read`)
})

test('a request that does not arrive in time, and a head that is too large, are refused', async t => {
  const { port } = await serveAdminApp(t, { limits: { ...defaultLimits, requestTimeout: 200, headerBytes: 2048 } })
  t.match(await text(await open(t, port, 'GET /metrics HTTP/1.1\r\nhost')), /^HTTP\/1\.1 408 /)
  t.match(await text(await open(t, port, `GET /metrics?${'a'.repeat(3000)} HTTP/1.1\r\n`)), /^HTTP\/1\.1 431 /)
})

test('closing ends idle connections at once, and waits for a scrape in flight', async t => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { app, port } = await serveAdminApp(t, {
    metrics: { source: { render: () => promise.then(() => source.render()) } },
  })
  const idle = await open(t, port, get('/health/live'))
  await once(idle, 'data')
  const scraping = await open(t, port, get('/metrics'))
  const reply = text(scraping)
  // The request has arrived when a later one is answered.
  const later = await open(t, port, get('/health/live'))
  await once(later, 'data')
  const closing = app.close()
  await once(idle.resume(), 'close')
  resolve()
  t.match((await reply).toLowerCase(), /^http\/1\.1 200 [^]*\r\nconnection: close\r\n[^]*cats_total 9\n$/)
  await closing
})

test('closing waits at most half a second for scrapes that do not end', async t => {
  const { app, port } = await serveAdminApp(t, { metrics: { source: { render: () => new Promise(() => {}) } } })
  const socket = await open(t, port, get('/metrics'))
  const silent = await open(t, port)
  const later = await open(t, port, get('/health/live'))
  await once(later, 'data')
  const since = performance.now()
  await Promise.all([app.close(), once(socket.resume(), 'close'), once(silent.resume(), 'close')])
  t.ok(performance.now() - since < 5000)
})
