import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/index.ts'
import { exchange } from './helpers/exchange.ts'
import { flood } from './helpers/flood.ts'
import { until } from '../helpers/until.ts'

async function serving(t: Test, options: AppOptions = {}) {
  let runs = 0
  const sink = aggregate('sink', { url: '/v1/sink', body: z.unknown() })
    .required('now', () => ++runs)
    .reply(z.number(), ({ now }) => now)
  const quick = aggregate('quick', { url: '/v1/quick' })
    .required('now', () => ++runs)
    .reply(z.number(), ({ now }) => now)
  const app = buildApp([sink, quick], options)
  app.post('/theirs', () => ({}))
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, port: (app.server.address() as AddressInfo).port, runs: () => runs }
}

const chunked = (length: number) => `${length.toString(16)}\r\n${' '.repeat(length)}\r\n0\r\n\r\n`
const post = (path: string, headers: string, body = '') =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`
const get = 'GET /v1/quick HTTP/1.1\r\nhost: a\r\n\r\n'

/** Sends bytes, and gives all that comes until the service closes the connection. */
async function heard(t: Test, port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(bytes)
  return text(socket)
}

const statuses = (all: string) => Array.from(all.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => Number(status))

test('a small body of a known length is discarded, and its connection is kept', async t => {
  const { port } = await serving(t)
  for (const bytes of [
    post('/nowhere', 'content-length: 10', ' '.repeat(10)),
    post('/nowhere', 'content-length: 65536', ' '.repeat(65536)),
    post('/v1/quick', 'content-length: 10', ' '.repeat(10)),
    `GET /nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc`,
  ]) {
    const { answers, left, isClosed } = await exchange(port, {
      bytes: Buffer.from(bytes),
      before: 0,
      ends: false,
      isBare: false,
    })
    t.match(
      answers.map(({ status }) => status),
      [/40[45]/, 200],
      'the next request is answered',
    )
    t.equal(left, '')
    t.ok(isClosed, 'by the next request, which asks for it')
  }
})

test('a client that sends all of its body before it reads gets the whole answer', async t => {
  const { port } = await serving(t)
  for (const bytes of [
    post('/nowhere', 'content-length: 100000', ' '.repeat(100_000)),
    post('/nowhere', 'transfer-encoding: chunked', chunked(100_000)),
    `GET /v1/quick HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n${' '.repeat(100_000)}`,
  ]) {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.pause()
    await new Promise(resolve => {
      socket.write(bytes, resolve)
    })
    const all = await text(socket)
    t.equal(statuses(all).length, 1)
    t.match(all, /\r\nconnection: close\r\n[^]*\}$/i)
  }
})

test('a request behind a body that was refused is not processed', async t => {
  const { port, runs } = await serving(t)
  for (const bytes of [
    post('/nowhere', 'content-length: 70000', ' '.repeat(70_000)),
    post('/nowhere', 'transfer-encoding: chunked', chunked(100)),
    post('/v1/quick', 'transfer-encoding: chunked', chunked(70_000)),
  ]) {
    t.match(statuses(await heard(t, port, bytes + get)).join(), /^40[45]$/)
  }
  t.equal(runs(), 0)
})

test('a refused body that comes too slowly closes its connection without a second answer', async t => {
  const { port } = await serving(t, { limits: { requestTimeout: 300 } })
  t.same(statuses(await heard(t, port, post('/nowhere', 'content-length: 1000', '{'))), [404])
})

test('a refused body with bad chunks gets no second answer', async t => {
  const { port } = await serving(t)
  t.same(statuses(await heard(t, port, post('/nowhere', 'transfer-encoding: chunked', 'zz\r\n'))), [404])
})

test('a body is asked for with 100 Continue when it is going to be read, and not when the request is refused', async t => {
  const { port } = await serving(t)
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(post('/v1/sink', 'content-length: 2\r\nexpect: 100-continue\r\nconnection: close'))
  const [interim] = (await once(socket, 'data')) as [Buffer]
  t.equal(String(interim), 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.write('{}')
  t.match(await text(socket), /^HTTP\/1\.1 200 /)
  for (const [headers, status] of [
    ['content-length: 2\r\nexpect: 100-continue', 404],
    ['transfer-encoding: chunked\r\nexpect: 100-continue', 404],
  ] as const) {
    t.same(
      statuses(await heard(t, port, post('/nowhere', headers))),
      [status],
      'and the connection is closed, since the body may come or not',
    )
  }
  t.same(statuses(await heard(t, port, post('/v1/sink', 'content-length: 99999999\r\nexpect: 100-continue'))), [413])
})

test('HTTP/1.0 with a transfer coding is answered and its connection closed, whatever comes behind it', async t => {
  const { port, runs } = await serving(t)
  const bytes = post(
    '/v1/sink',
    'connection: keep-alive\r\ntransfer-encoding: chunked',
    '2\r\n{}\r\n0\r\n\r\n',
  ).replace('HTTP/1.1', 'HTTP/1.0')
  const all = await heard(t, port, bytes + get)
  t.same(statuses(all), [200])
  t.match(all, /\r\nconnection: close\r\n/i)
  t.equal(runs(), 1, 'the request behind it is not processed')
  t.match(statuses(await heard(t, port, bytes.replace('chunked', 'gzip, chunked'))), [501])
})

test('a large body of a route beside the aggregates is read, with a length and in chunks of one byte', async t => {
  const { app, port } = await serving(t)
  const length = 300_000
  for (const [framing, body] of [
    [`content-length: ${length}`, ' '.repeat(length - 2) + '{}'],
    ['transfer-encoding: chunked', `${'1\r\n \r\n'.repeat(length)}2\r\n{}\r\n0\r\n\r\n`],
  ] as const) {
    // Longer than the time between two looks at the connections.
    const halves = [body.slice(0, body.length - 10), body.slice(-10)] as const
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.write(post('/theirs', `connection: close\r\n${framing}`, halves[0]))
    const [accepted] = (await once(app.server, 'connection')) as [Socket]
    const since = performance.now()
    await until(() => accepted.bytesRead >= halves[0].length && performance.now() - since >= 250)
    socket.write(halves[1])
    t.same(statuses(await text(socket)), [200], framing)
  }
})

test('the plugin closes the connections of its own routes and of no others', async t => {
  const sink = aggregate('sink', { url: '/sink', body: z.unknown() })
    .required('now', () => 1)
    .reply(z.number(), ({ now }) => now)
  const app = fastify()
  app.post(
    '/theirs',
    {
      onRequest: (_request, reply) => {
        void reply.code(409).send({})
      },
    },
    () => ({}),
  )
  await app.register(headwaters, { aggregates: [sink], prefix: '/api' })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  for (const [path, status] of [
    ['/api/sink', 415],
    ['/api/sink?x', 415],
  ] as const) {
    const { answers, read } = await flood(
      app.server,
      `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: text/csv\r\ncontent-length: 99999999999\r\n\r\n`,
      Buffer.alloc(65536),
    )
    t.same(
      answers.map(each => each.status),
      [status],
    )
    t.ok(read < 512 * 1024)
  }
  t.equal(
    (await heard(t, port, post('/api/sink', 'transfer-encoding: gzip, chunked', '2\r\n{}\r\n0\r\n\r\n'))).slice(9, 12),
    '501',
  )

  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(post('/theirs', 'transfer-encoding: chunked'))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  t.match(String(answer), /^HTTP\/1\.1 409 [^]*\r\nconnection: keep-alive\r\n/i, 'theirs is as it was')
})

test('over HTTP/2 a refused body ends its own stream, and the others of its connection go on', async t => {
  const sink = aggregate('sink', { url: '/sink', body: z.unknown() })
    .required('now', () => 1)
    .reply(z.number(), ({ now }) => now)
  const app = fastify({ http2: true })
  await app.register(headwaters, { aggregates: [sink] })
  t.teardown(() => app.close())
  const client = connectHttp2(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(() => client.destroy())
  const ask = async (type: string, body: string | undefined) => {
    const stream = client.request(
      { ':method': 'POST', ':path': '/sink', 'content-type': type, 'content-length': '100000' },
      { endStream: false },
    )
    if (body !== undefined) stream.end(body)
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    stream.close()
    return headers
  }
  const refused = await ask('text/csv', undefined)
  t.match(refused, { ':status': 415 })
  t.notOk('connection' in refused)
  t.match(await ask('application/json', `"${'a'.repeat(99_998)}"`), { ':status': 200 })
})
