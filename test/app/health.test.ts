import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { hostileUpstream } from '../helpers/hostile-upstream.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'
import { untilEvent, within } from '../helpers/until.ts'

/** A connection that sends bytes when told to. */
async function open(t: Test, port: number) {
  const socket: Socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  const gone = new Promise<void>(resolve => {
    socket.once('close', () => resolve())
  })
  await once(socket, 'connect')
  let text = ''
  socket.on('data', part => {
    text += part.toString()
  })
  return {
    ask: (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`),
    send: (bytes: string) => socket.write(bytes),
    end: () => socket.destroy(),
    closed: async () => {
      await gone
      return text
    },
    heard: async (words: string) => {
      await untilEvent(socket, 'data', () => text.includes(words))
      return text
    },
  }
}

test('a service that runs is live and ready', async t => {
  const { get } = await serveApp(t)
  for (const [path, state] of [
    ['live', 'live'],
    ['ready', 'ready'],
  ] as const) {
    const { status, headers, body } = await get(`/health/${path}`)
    t.equal(status, 200)
    t.equal(headers.get('cache-control'), 'no-store')
    t.same(body, { status: state })
  }
})

test('an upstream that is down does not make it unready', async t => {
  const overrides = { 'catfact-ninja': { origin: (await hostileUpstream(t, 'catfact-ninja', 'down')).origin } }
  const { get } = await serveApp(t, { overrides })
  t.equal((await get('/v1/cat-facts')).status, 502)
  t.equal((await get('/health/ready')).status, 200)
})

test('an idle connection is closed when the service drains, and does not delay it', async t => {
  const { app, port } = await serveApp(t)
  const idle = await open(t, port)
  idle.ask('/health/live')
  await idle.heard('"live"')
  const since = performance.now()
  await app.close()
  t.match(await idle.closed(), /"live"/)
  t.ok(performance.now() - since < 5000, 'closed without the drain timeout')
})

for (const [what, bytes] of [
  ['says nothing', ''],
  ['sends half a request', 'GET /health/live HT'],
] as const) {
  test(`a connection that ${what} does not delay draining`, async t => {
    const { app, port } = await serveApp(t)
    const mute = await open(t, port)
    mute.send(bytes)
    const first = await open(t, port)
    first.ask('/health/live')
    await first.heard('"live"')
    const closing = app.close()
    const isClosed = await within(
      2000,
      closing.then(() => true),
    )
    t.ok(isClosed, 'closed within two seconds')
    mute.end()
    await closing
  })
}

/** A service that drains while a connection of it has a request in flight. */
async function draining(t: Test) {
  const answers: (() => void)[] = []
  const ninja = await rawUpstream(t, socket => {
    answers.push(() => socket.write(json({ fact: 'Purr.', length: 5 })))
  })
  const { app, port } = await serveApp(t, { overrides: { 'catfact-ninja': { origin: ninja.origin } } })
  const busy = await open(t, port)
  busy.ask('/v1/cat-facts?count=1')
  await ninja.asked(1)
  return { ninja, port, busy, answers, closing: app.close() }
}

test('while draining, a request in flight gets its reply with connection: close', async t => {
  const { busy, answers, closing } = await draining(t)
  for (const answer of answers) answer()
  const text = await busy.closed()
  await closing
  t.match(text, /^HTTP\/1\.1 200 /)
  t.match(text.toLowerCase(), '\r\nconnection: close\r\n')
  t.match(text, '"complete":true')
})

test('while draining, the service is live, is not ready and refuses new requests', async t => {
  const { promise: others, resolve: release } = Promise.withResolvers<void>()
  const ninja = await rawUpstream(t, () => {})
  const { app, get } = await serveApp(t, {
    overrides: { 'catfact-ninja': { origin: ninja.origin } },
    // What else has to end first keeps the listener open.
    before(app) {
      app.addHook('preClose', () => others)
    },
  })
  const closing = app.close()
  t.match(await get('/health/live'), { status: 200, body: { status: 'live' } })
  const ready = await get('/health/ready')
  t.match(ready, { status: 503, body: { status: 'draining' } })
  t.equal(ready.headers.get('retry-after'), '1')

  const refused = await get<ProblemBody>('/v1/cat-facts?count=1')
  isProblem(t, refused, 503, 'DRAINING')
  t.equal(refused.headers.get('retry-after'), '1')
  t.equal(refused.headers.get('connection'), 'close')
  t.equal(ninja.requests.length, 0, 'no upstream was asked')
  release()
  await closing
})

test('while draining, a pipelined request starts no run', async t => {
  const { ninja, port, busy, answers, closing } = await draining(t)
  busy.ask('/v1/cat-facts?count=1')
  const late = await open(t, port).then(
    () => true,
    () => false,
  )
  t.notOk(late, 'no new connection is taken')
  for (const answer of answers) answer()
  t.match(await busy.closed(), /^HTTP\/1\.1 200 /)
  await closing
  t.equal(ninja.requests.length, 1)
})
