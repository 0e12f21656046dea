import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { slowReaderSweep, type WatchedSocket } from '../../src/http/guard/slow-readers.ts'
import { listening } from '../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'

/** Says a text of so many characters. */
const say = aggregate('say', { url: '/v1/say', query: z.object({ length: z.coerce.number().default(1) }) })
  .required('said', ({ query }) => 'a'.repeat(query.length))
  .reply(z.object({ said: z.string() }), ({ said }) => ({ said }))
const take = aggregate('take', { url: '/v1/take', body: z.object({ text: z.string() }) })
  .required('taken', ({ body }) => body.text.length)
  .reply(z.number(), ({ taken }) => taken)

async function arrange(t: Test, limits: AppOptions['limits'] = {}) {
  const app = buildApp([say, take], { limits })
  const ask = await listening(t, app)
  const open = async (): Promise<Socket> => {
    const socket = connect((app.server.address() as { readonly port: number }).port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  return { app, ask, open }
}

const post = (length: number) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ text: 'a'.repeat(length - '{"text":""}'.length) }),
})

test('a body may have exactly as many bytes as the limit', async t => {
  const { ask } = await arrange(t, { bodyBytes: 1000 })
  t.equal((await ask('/v1/take', post(1000))).status, 200)
  const refused = await ask<ProblemBody>('/v1/take', post(1001))
  isProblem(t, refused, 413, 'PAYLOAD_TOO_LARGE')
  t.equal(refused.body.detail, 'The body exceeds the limit of 1000 bytes.')
})

test('the limit of the head includes headers and the URL', async t => {
  const { ask, open } = await arrange(t, { headerBytes: 2048 })
  t.equal((await ask(`/v1/say?a=${'a'.repeat(1000)}`)).status, 200)
  for (const [line, header] of [
    [`/v1/say?a=${'a'.repeat(3000)}`, 'x: a'],
    ['/v1/say', `x: ${'a'.repeat(3000)}`],
  ] as const) {
    const socket = await open()
    socket.write(`GET ${line} HTTP/1.1\r\nhost: a\r\n${header}\r\n\r\n`)
    t.match(await text(socket), /^HTTP\/1\.1 431 [^]*HEADERS_TOO_LARGE/)
  }
})

for (const [what, beginning, drip] of [
  ['headers', 'GET /v1/say HTTP/1.1\r\nhost: a\r\nx: ', 'a'],
  [
    'a body',
    'POST /v1/take HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n',
    ' ',
  ],
  [
    'a body in chunks',
    'POST /v1/take HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    '1\r\n \r\n',
  ],
] as const) {
  test(`${what} sent one byte at a time are refused at the request timeout`, async t => {
    const { open } = await arrange(t, { requestTimeout: 500 })
    const socket = await open()
    const since = performance.now()
    socket.write(beginning)
    const timer = setInterval(() => {
      if (socket.writable) socket.write(drip)
    }, 50)
    t.teardown(() => clearInterval(timer))
    const answer = await text(socket).catch(() => 'reset')
    const elapsed = performance.now() - since
    t.match(answer, /^HTTP\/1\.1 408 [^]*REQUEST_TIMEOUT/)
    t.ok(elapsed >= 490, `${elapsed.toFixed(0)} ms`)
  })
}

test('timeouts are checked every second, and heads have ten seconds at most', async t => {
  const { app } = await arrange(t)
  t.match(app.server, { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 72_000 })
})

test('an idle connection is closed after the keep-alive timeout', async t => {
  const { open } = await arrange(t, { keepAlive: 100 })
  const socket = await open()
  socket.write('GET /v1/say HTTP/1.1\r\nhost: a\r\n\r\n')
  t.match(await text(socket), /^HTTP\/1\.1 200 /)
})

test('a caller that does not read its reply is disconnected, and one that reads slowly but in time is not', async t => {
  const { app, open } = await arrange(t, { replyTimeout: 300 })
  const taking = await open()
  const mute = await open()
  mute.pause()
  const length = 20_000_000
  mute.write(`GET /v1/say?length=${length} HTTP/1.1\r\nhost: a\r\n\r\n`)
  const [{ socket }] = (await once(app.server, 'request')) as [{ readonly socket: Socket }]
  // Another caller is answered again and again meanwhile, on one connection.
  let answers = 0
  taking.on('data', () => {
    answers++
    if (!socket.destroyed) taking.write('GET /v1/say HTTP/1.1\r\nhost: a\r\n\r\n')
  })
  taking.write('GET /v1/say HTTP/1.1\r\nhost: a\r\n\r\n')
  await once(socket, 'close')
  const gone = once(mute, 'close')
  mute.resume()
  await gone
  t.ok(mute.bytesRead < length, 'cut before all of it was taken')
  t.ok(answers > 0)
  t.notOk(taking.destroyed)
})

test('the sweep destroys a connection whose caller read nothing for the timeout; each reply has its own time', async t => {
  let cut = 0
  const socket = {
    writableLength: 0,
    bytesWritten: 0,
    destroy() {
      cut++
    },
  }
  const sweep = slowReaderSweep(new Set([socket as unknown as WatchedSocket]), 1000)
  const see = (now: number, written: number, taken: number) => {
    socket.bytesWritten = written
    socket.writableLength = written - taken
    sweep(now)
    return cut
  }
  t.equal(see(0, 0, 0), 0)
  t.equal(see(500, 100, 10), 0, 'seen to hold something back')
  t.equal(see(1400, 100, 90), 0)
  t.equal(see(1450, 300, 100), 0, 'the first reply was taken, and the next one has its own time')
  t.equal(see(2400, 300, 299), 0)
  t.equal(see(2440, 300, 300), 0, 'all was taken')
  t.equal(see(9000, 500, 400), 0)
  t.equal(see(9999, 900, 499), 0, 'what is written later buys no time')
  t.equal(see(10_000, 900, 499), 1)
})
