import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { loggerOptions } from '../../src/http/log/logger-options.ts'
import { Redaction } from '../../src/log/redaction.ts'
import * as families from '../../src/metrics/families.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { countsOf, total, valuesOf } from '../helpers/metric-values.ts'
import { until } from '../helpers/until.ts'

interface Line {
  readonly msg: string
  readonly reqId?: string
  readonly [field: string]: unknown
}

const posted = aggregate('posted', { url: '/posted', method: 'POST', body: z.unknown() }).reply(z.unknown(), () => 1)
const slow = aggregate('slow', { url: '/slow' })
  .required('never', (): unknown => new Promise(() => {}))
  .reply(z.unknown(), () => 1)
const large = aggregate('large', { url: '/large' }).reply(z.unknown(), () => 'x'.repeat(8 * 1024 * 1024))

async function serve(t: Test, options: Partial<AppOptions> = {}) {
  const runtime = createRuntime()
  const lines: Line[] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Line) }
  const logger = { ...(loggerOptions({ level: 'info', redaction: new Redaction([]) }) as object), stream }
  const app = buildApp([posted, slow, large], { ...options, logger, runtime })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  /** Opens a connection and sends bytes. `text` resolves with all received bytes when the connection has ended. */
  const open = (bytes: string) => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {}).write(bytes)
    let text = ''
    socket.on('data', chunk => (text += chunk))
    return { socket, text: once(socket, 'close').then(() => text) }
  }
  const active = () => total(valuesOf(runtime, families.activeRequests))
  /** Waits for the end of all requests. */
  const metrics = async (requests: number) => {
    const seen = () => countsOf(runtime, families.serverDuration)
    await until(() => total(seen()) >= requests && active() === 0, { seen })
    return { durations: seen(), refused: valuesOf(runtime, families.requestsRefused) }
  }
  /** Returns the lines of requests, once there are that many. */
  const requestLines = async (count: number) => {
    const found = () => lines.filter(({ reqId }) => reqId !== undefined)
    await until(() => found().length >= count, { seen: () => lines })
    return found()
  }
  return { runtime, app, open, active, metrics, requestLines }
}

const head = 'Host: a\r\nContent-Type: application/json\r\n'
const unfinished = `POST /posted HTTP/1.1\r\n${head}Content-Length: 100\r\n\r\n{"n":`
const chunked = `POST /posted HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n`

function idIn(reply: string): string | undefined {
  return /^x-request-id: (.+)\r$/m.exec(reply)?.[1]
}

test('a request that breaks within its body is refused: in the metrics, and in its line of the log', async t => {
  for (const [name, bytes, status, code, options] of [
    ['a slow body', unfinished, 408, 'REQUEST_TIMEOUT', { limits: { requestTimeout: 100 } }],
    ['a broken chunk', `${chunked}ZZ\r\n`, 400, 'BAD_REQUEST', {}],
    ['a broken later chunk', `${chunked}3\r\n{"n\r\nZZ\r\n`, 400, 'BAD_REQUEST', {}],
    [
      'large trailers',
      `${chunked}1\r\n1\r\n0\r\nx: ${'x'.repeat(9000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
      { limits: { headerBytes: 4096 } },
    ],
    ['a large chunked body', `${chunked}8\r\n"1234567\r\n`, 413, 'PAYLOAD_TOO_LARGE', { limits: { bodyBytes: 4 } }],
  ] as const) {
    const { open, metrics, requestLines } = await serve(t, options)
    const { socket, text } = open(bytes)
    const reply = await text
    socket.destroy()
    t.match(reply, new RegExp(`^HTTP/1.1 ${status} `), name)
    const { durations, refused } = await metrics(1)
    t.same(durations, { [`POST http /posted ${status} - posted`]: 1 }, name)
    t.same(refused, { [code]: 1 }, name)
    const lines = await requestLines(1)
    t.match(lines, [{ msg: 'request refused', level: 30, code, req: { url: '/posted' }, res: { statusCode: status } }])
    t.equal(lines.length, 1, name)
    t.notOk('closedBy' in (lines[0] as Line), name)
    t.equal(lines[0]?.reqId, idIn(reply), 'the id of the reply finds the line')
  }
})

test('the reply to a broken request has the id of its caller', async t => {
  const { open, requestLines } = await serve(t)
  const reply = await open(chunked.replace('Host', 'X-Request-Id: mine\r\nHost') + 'ZZ\r\n').text
  t.equal(idIn(reply), 'mine')
  t.match(await requestLines(1), [{ reqId: 'mine' }])
})

test('bytes after a request whose run has begun end it with 400, which does not count as a refusal before a run', async t => {
  const { runtime, open, metrics, requestLines, active } = await serve(t)
  const { socket, text } = open('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => active() === 1)
  socket.write('NONSENSE\r\n\r\n')
  t.match(await text, /^HTTP\/1.1 400 /)
  t.same(await metrics(1), { durations: { 'GET http /slow 400 - slow': 1 }, refused: {} })
  t.match(await requestLines(1), [
    {
      msg: 'request refused',
      code: 'BAD_REQUEST',
      res: { statusCode: 400 },
      aggregate: 'slow',
      sources: { never: { state: 'cancelled' } },
    },
  ])
  t.match(valuesOf(runtime, families.runs), { 'slow cancelled -': 1 })
})

test('bytes after a reply that is still being sent are a refusal of their own', async t => {
  const { open, metrics, requestLines, active } = await serve(t)
  const { socket, text } = open('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(socket, 'data')
  socket.pause()
  socket.write('NONSENSE\r\n\r\n')
  const lines = await requestLines(1)
  t.match(lines[0], { msg: 'request refused', code: 'BAD_REQUEST', statusCode: 400 })
  t.equal(active(), 1, 'the reply is not complete')
  socket.resume()
  t.match(await text, /HTTP\/1.1 400 /)
  t.same(await metrics(1), { durations: { 'GET http /large 200 - large': 1 }, refused: { BAD_REQUEST: 1 } })
  t.match((await requestLines(2))[1], { msg: 'request completed', res: { statusCode: 200 } })
})

test('at the drain timeout a request whose body has not arrived is refused with 503', async t => {
  const { app, open, active, metrics, requestLines } = await serve(t, { drainTimeout: 20 })
  const { text } = open(unfinished)
  await until(() => active() === 1)
  const closed = app.close()
  t.match(await text, /^HTTP\/1.1 503 /)
  await closed
  t.same(await metrics(1), { durations: { 'POST http /posted 503 503 posted': 1 }, refused: { DRAINING: 1 } })
  t.match(await requestLines(1), [{ msg: 'request refused', code: 'DRAINING', res: { statusCode: 503 } }])
})

test('a caller that leaves within its body is not refused', async t => {
  const { open, metrics, requestLines, active } = await serve(t)
  for (const end of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const { socket, text } = open(unfinished)
    await until(() => active() === 1)
    socket[end]()
    await text
    await until(() => active() === 0)
  }
  t.same(await metrics(3), { durations: { 'POST http /posted - - posted': 3 }, refused: {} })
  for (const line of await requestLines(3)) t.match(line, { closedBy: 'caller', res: undefined })
})

test('a body that is refused to make room for others is counted once', async t => {
  const { open, metrics, requestLines, active } = await serve(t, { pressure: { bodiesBytes: 150 } })
  const first = open(unfinished.replace('{"n":', `"${'x'.repeat(50)}`))
  await until(() => active() === 1)
  t.match(await open(unfinished.replace('{"n":', `"${'x'.repeat(50)}`)).text, /^HTTP\/1.1 503 /)
  first.socket.destroy()
  t.same(await metrics(2), {
    durations: { 'POST http /posted 503 503 posted': 1, 'POST http /posted - - posted': 1 },
    refused: { OVERLOADED: 1 },
  })
  t.match(await requestLines(2), [
    { msg: 'request refused', code: 'OVERLOADED', res: { statusCode: 503 } },
    { msg: 'connection closed before the reply was complete', closedBy: 'caller' },
  ])
})

test('a request behind one that is answered with a problem gets no reply', async t => {
  const { open, active, metrics, requestLines } = await serve(t)
  const { socket, text } = open(`GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${chunked}`)
  await until(() => active() === 2)
  socket.write('ZZ\r\n')
  t.match(await text, /^HTTP\/1.1 400 /)
  t.same(await metrics(2), {
    durations: { 'GET http /slow 400 - slow': 1, 'POST http /posted - - posted': 1 },
    refused: {},
  })
  const lines = await requestLines(2)
  t.match(
    lines.find(({ msg }) => msg.startsWith('connection closed')),
    { req: { url: '/posted' } },
  )
})
