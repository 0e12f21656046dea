import { once } from 'node:events'
import { connect } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { Redaction } from '../../src/log/redaction.ts'
import { guardRoom } from '../../src/memory/room.ts'
import { loggerOptions } from '../../src/http/log/logger-options.ts'
import { RefusalSampler } from '../../src/http/log/refusal-sampler.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { listening } from '../helpers/listening.ts'
import { logLines } from '../helpers/log-lines.ts'
import { json, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly reqId?: string
  readonly [field: string]: unknown
}

/** An app whose aggregates end in every way, with the lines of its log. */
async function arrange(
  t: Test,
  {
    upstream = json('well'),
    level = 'info',
    ...options
  }: Partial<AppOptions> & { readonly upstream?: Script; readonly level?: string } = {},
) {
  const raw = await rawUpstream(t, upstream)
  const source = defineUpstream(
    'source',
    { origin: raw.origin, retry: false, breaker: false },
    { ask: operation({ path: '/', output: z.string() }) },
  )
  const whole = aggregate('whole', { url: '/whole' })
    .required('it', () => source.ask())
    .reply(z.unknown(), ({ it }) => it)
  const partial = aggregate('partial', { url: '/partial' })
    .optional('it', () => source.ask(), { fallback: null })
    .reply(z.unknown(), ({ it }) => it)
  const bug = aggregate('bug', { url: '/bug' }).reply(z.unknown(), () => {
    throw new Error('a bug')
  })
  const refused = aggregate('refused', { url: '/refused' }).reply(z.unknown(), () =>
    refuse(404, 'There is no such cat.'),
  )
  const input = aggregate('input', { url: '/input', query: z.object({ id: z.string() }) }).reply(z.unknown(), () => 1)
  const posted = aggregate('posted', { url: '/posted', method: 'POST', body: z.unknown() }).reply(z.unknown(), () => 1)
  const { lines, stream, line } = logLines<Line>()
  const app = buildApp([whole, partial, bug, refused, input, posted], {
    logger: { ...(loggerOptions({ level, redaction: new Redaction([]) }) as object), stream },
    ...options,
  })
  const get = await listening(t, app)
  const { port } = new URL(app.listeningOrigin)
  return {
    app,
    get,
    raw,
    lines,
    /** Resolves with the first line with these words. */
    said: (words: string) => line(({ msg }) => msg.includes(words)),
    port: Number(port),
    ofRequests: () => lines.filter(({ reqId }) => reqId !== undefined),
  }
}

test('each request has one log line with its outcome', async t => {
  const well = await arrange(t)
  const bad = await arrange(t, { upstream: json(7) })
  for (const [{ get, ofRequests, lines }, path, status, line] of [
    [
      well,
      '/whole?key=a',
      200,
      {
        level: 30,
        msg: 'request completed',
        req: { method: 'GET', url: '/whole', remoteAddress: '127.0.0.1' },
        res: { statusCode: 200 },
        aggregate: 'whole',
        url: '/whole',
        sources: { it: { state: 'ok', ms: Number, attempts: 1 } },
      },
    ],
    [well, '/refused', 404, { level: 30, msg: 'request refused', code: 'REFUSED', detail: 'There is no such cat.' }],
    [
      well,
      '/input',
      400,
      { level: 30, msg: 'request refused', code: 'INPUT_INVALID', aggregate: 'input', url: '/input' },
    ],
    [well, '/nowhere', 404, { level: 30, msg: 'request refused', code: 'NOT_FOUND' }],
    [
      well,
      '/bug',
      500,
      { level: 50, msg: 'request failed: internal error', code: 'INTERNAL', err: { message: 'a bug' } },
    ],
    [bad, '/whole', 502, { level: 40, msg: 'request failed', code: 'UPSTREAM_SCHEMA', why: /expected string/ }],
    [
      bad,
      '/partial',
      200,
      {
        level: 40,
        msg: 'reply is partial',
        aggregate: 'partial',
        url: '/partial',
        sources: { it: { state: 'fallback', code: 'UPSTREAM_SCHEMA', upstream: 'source', operation: 'ask' } },
      },
    ],
  ] as const) {
    lines.length = 0
    t.equal((await get(path)).status, status)
    t.equal(ofRequests().length, 1, path)
    t.match(ofRequests()[0], {
      ...line,
      req: { url: path.split('?')[0] },
      res: { statusCode: status },
      responseTime: Number,
    })
  }
})

test('a 5xx refusal by the service is logged as a refusal', async t => {
  // The heap has no room for an answer.
  t.teardown(guardRoom({ claim: () => false, hold: () => true }))
  const { get, port, said, ofRequests } = await arrange(t)
  t.equal((await get('/whole')).status, 503)
  t.match(await said('request refused'), { level: 30, msg: 'request refused', code: 'SHED', res: { statusCode: 503 } })
  const caller = connect(port, '127.0.0.1', () =>
    caller.write(
      'POST /posted HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n' +
        'transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ),
  )
  await once(caller.resume(), 'close')
  t.match(ofRequests()[1], {
    level: 30,
    msg: 'request refused',
    code: 'TRANSFER_ENCODING_UNSUPPORTED',
    res: { statusCode: 501 },
  })
})

test('a malformed URL has one log line', async t => {
  const { get, said, ofRequests } = await arrange(t)
  t.equal((await get('/%zz')).status, 400)
  t.match(await said('refused'), { level: 30, code: 'BAD_REQUEST', req: { url: '/%zz' }, res: { statusCode: 400 } })
  t.equal(ofRequests().length, 1)
})

test('a refusal before there is a request has a log line', async t => {
  for (const [bytes, line] of [
    ['nonsense\r\n\r\n', { code: 'BAD_REQUEST', statusCode: 400, reason: /^HPE_/ }],
    ['\r\n'.repeat(140_000), { code: 'BAD_REQUEST', statusCode: 400, reason: 'STRAY_BYTES' }],
    [
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`,
      { code: 'HEADERS_TOO_LARGE', statusCode: 431, reason: 'HPE_HEADER_OVERFLOW' },
    ],
    ['GET / HTTP/1.1\r\nhost: a\r\nexpect: cats\r\n\r\n', { code: 'EXPECTATION_FAILED', statusCode: 417 }],
    ['CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n', { code: 'METHOD_NOT_ALLOWED', statusCode: 405 }],
  ] as const) {
    const { port, said, ofRequests } = await arrange(t)
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket
      .on('error', () => {})
      .on('data', part => {
        text += part.toString()
      })
    socket.write(bytes)
    t.match(await said('refused'), { level: 30, ...line, remoteAddress: '127.0.0.1', reqId: String })
    await once(socket, 'close')
    t.match(text, `x-request-id: ${ofRequests()[0]?.reqId}`)
    t.equal(ofRequests().length, 1)
  }
})

test('a flood of bytes that are not HTTP has ten log lines, and one that counts the others', async t => {
  const { app, port, lines, ofRequests } = await arrange(t)
  await Promise.all(
    Array.from({ length: 15 }, async () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {}).resume()
      socket.write('nonsense\r\n\r\n')
      await once(socket, 'close')
    }),
  )
  t.equal(ofRequests().length, 10)
  await app.close()
  t.match(
    lines.find(({ msg }) => msg === 'more requests refused'),
    { refused: { BAD_REQUEST: 5 } },
  )
})

test('an upstream cannot make a log line long', async t => {
  const key = 'k'.repeat(4_000_000)
  const raw = await rawUpstream(t, json({ [key]: 1 }))
  const strict = defineUpstream(
    'strict',
    { origin: raw.origin, retry: false },
    {
      ask: operation({ path: '/', output: z.strictObject({}) }),
      record: operation({ path: '/', output: z.record(z.string(), z.string()) }),
    },
  )
  const lines: string[] = []
  const aggregates = [
    aggregate('strict', { url: '/strict' })
      .required('it', () => strict.ask())
      .reply(z.unknown(), () => 1),
    aggregate('record', { url: '/record' })
      .optional('it', () => strict.record(), { fallback: null })
      .reply(z.unknown(), () => 1),
  ]
  const get = await listening(
    t,
    buildApp(aggregates, {
      logger: {
        ...(loggerOptions({ level: 'debug', redaction: new Redaction([]) }) as object),
        stream: {
          write: (line: string) => {
            lines.push(line)
          },
        },
      },
    }),
  )
  t.equal((await get('/strict')).status, 502)
  t.equal((await get('/record')).status, 200)
  const reasons = lines.filter(line => line.includes('UPSTREAM_SCHEMA'))
  t.equal(reasons.length, 2)
  for (const line of lines) t.ok(line.length < 2000, `${line.length} characters`)
})

test('at level debug the start of a request has a log line too', async t => {
  const { get, ofRequests } = await arrange(t, { level: 'debug' })
  await get('/whole')
  t.match(ofRequests(), [
    { level: 20, msg: 'incoming request', req: { url: '/whole' } },
    { level: 30, msg: 'request completed' },
  ])
})

test('a caller that closes the connection has one log line', async t => {
  for (const end of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const { port, raw, said, ofRequests } = await arrange(t, { upstream: () => {} })
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write('GET /whole HTTP/1.1\r\nhost: a\r\n\r\n')
    await raw.asked(1)
    socket[end]()
    t.match(
      await said('connection closed'),
      {
        level: 30,
        msg: 'connection closed before the reply was complete',
        closedBy: 'caller',
        req: { url: '/whole' },
        responseTime: Number,
      },
      end,
    )
    t.equal(ofRequests().length, 1)
    socket.destroy()
  }
})

test('a caller that closes the connection within its body has one log line', async t => {
  const { port, said, ofRequests } = await arrange(t)
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('POST /posted HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{')
  socket.end()
  t.match(await said('connection closed'), { closedBy: 'caller' })
  t.equal(ofRequests().length, 1)
})

test('the log line has the side that closed the connection', async t => {
  const { app, port, raw, said } = await arrange(t, { upstream: () => {} })
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  socket.write('GET /whole HTTP/1.1\r\nhost: a\r\n\r\n')
  await raw.asked(1)
  app.server.closeAllConnections()
  t.match(await said('connection closed'), { closedBy: 'service' })
})

test('refusals are sampled by code, and one line counts the others when the interval ends or the app closes', async t => {
  const { app, get, lines, ofRequests } = await arrange(t)
  for (let times = 0; times < 25; times++) t.equal((await get('/nowhere')).status, 404)
  for (let times = 0; times < 12; times++) t.equal((await get('/whole', { method: 'PUT' })).status, 405)
  for (let times = 0; times < 12; times++) t.equal((await get('/refused')).status, 404)
  const counts = (code: string) => ofRequests().filter(line => line['code'] === code).length
  t.same([counts('NOT_FOUND'), counts('METHOD_NOT_ALLOWED'), counts('REFUSED')], [10, 10, 12])
  await app.close()
  t.match(
    lines.filter(({ msg }) => msg === 'more requests refused'),
    [{ level: 30, refused: { NOT_FOUND: 15, METHOD_NOT_ALLOWED: 2 }, withinMs: 10_000 }],
  )
})

test('an interval without omitted refusals has no line, and the next interval logs its first refusals again', async t => {
  const { app, lines } = await arrange(t)
  const refusals = new RefusalSampler()
  for (let times = 0; times < 10; times++) t.equal(refusals.shouldLog('OVERLOADED'), true)
  refusals.logOmitted(app.log)
  t.equal(lines.filter(({ msg }) => msg.includes('refused')).length, 0)
  for (let times = 0; times < 11; times++) refusals.shouldLog('OVERLOADED')
  refusals.logOmitted(app.log)
  t.match(lines.at(-1), { refused: { OVERLOADED: 1 } })
  t.equal(refusals.shouldLog('OVERLOADED'), true)
})

/** An app whose steps fail in several ways, and the lines of its requests. */
async function failing(t: Test) {
  const raw = await rawUpstream(t, (socket, { path }) => {
    if (path === '/html')
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=x\xe9\r\ncontent-length: 1\r\n\r\na')
    else if (path === '/item?n=1' || path === '/item?n=3') socket.write(json({}, 404))
    else socket.write(json('well'))
  })
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false, breaker: false },
    {
      html: operation({ path: '/html', output: z.string() }),
      item: operation({ path: '/item', query: z.object({ n: z.number() }), output: z.string() }),
    },
  )
  const items = () => [0, 1, 2, 3].map(n => cats.item({ n }))
  const lines: Line[] = []
  const stream = { write: (line: string) => lines.push(JSON.parse(line) as Line) }
  const app = buildApp(
    [
      aggregate('partial', { url: '/partial/{id}', params: z.object({ id: z.string() }) })
        .optional('page', () => cats.html(), { fallback: null })
        .each('items', items, { minSuccess: 0, fallback: null })
        .optional('slow', () => new Promise(() => {}), { fallback: null, timeout: 5 })
        .reply(z.unknown(), () => 1),
      aggregate('failed', { url: '/failed' })
        .optional('page', () => cats.html(), { fallback: null })
        .each('items', items, { needs: ['page'] })
        .reply(z.unknown(), () => 1),
      aggregate('page', { url: '/page' })
        .required('page', () => cats.html())
        .reply(z.unknown(), () => 1),
      aggregate('wrong', { url: '/wrong' }).reply(z.object({ a: z.string(), b: z.number() }), () => ({}) as never),
    ],
    { logger: { ...(loggerOptions({ level: 'info', redaction: new Redaction([]) }) as object), stream } },
  )
  const get = await listening(t, app)
  return {
    /** Returns the response and the fields of its line that are about how it ended. */
    ask: async (path: string) => {
      lines.length = 0
      const response = await get(path)
      const [line] = lines.filter(({ reqId }) => reqId !== undefined)
      if (line === undefined) return { response, fields: undefined }
      const ofEveryLine = new Set(
        'level time pid hostname reqId trace_id span_id trace_flags req res responseTime'.split(' '),
      )
      const fields = Object.fromEntries(Object.entries(line).filter(([name]) => !ofEveryLine.has(name)))
      // The durations differ from run to run.
      for (const source of Object.values((fields['sources'] ?? {}) as Record<string, { ms?: unknown }>)) {
        t.type(source.ms, 'number')
        delete source.ms
      }
      return { response, fields }
    },
  }
}

test('the line of a partial reply has for each loss its step, upstream, operation, status, items and reason', async t => {
  const { ask } = await failing(t)
  const { fields } = await ask('/partial/7')
  t.same(fields, {
    msg: 'reply is partial',
    aggregate: 'partial',
    url: '/partial/{id}',
    sources: {
      page: {
        state: 'fallback',
        attempts: 1,
        code: 'UPSTREAM_CONTENT_TYPE',
        upstream: 'cats',
        operation: 'html',
        status: 200,
        why: "the content type is 'text/html; charset=x??'",
      },
      items: {
        state: 'partial',
        attempts: 4,
        calls: 4,
        ok: 2,
        code: 'UPSTREAM_STATUS',
        upstream: 'cats',
        operation: 'item',
        status: 404,
        failed: 2,
      },
      slow: { state: 'fallback', attempts: 0, code: 'STEP_TIMEOUT' },
    },
  })
})

test('the line of a failed run has the failure that decided, and the other losses, each field once', async t => {
  const { ask } = await failing(t)
  const { fields, response } = await ask('/failed')
  t.equal(response.status, 502)
  // An answer may come before or after the failure.
  const { ok } = (response.body as { readonly sources: { readonly items: { readonly ok: number } } }).sources.items
  t.same(fields, {
    msg: 'request failed',
    code: 'UPSTREAM_STATUS',
    detail: "Step 'items': cats answered with an unexpected status: status 404.",
    aggregate: 'failed',
    url: '/failed',
    step: 'items',
    upstream: 'cats',
    operation: 'item',
    status: 404,
    sources: {
      page: {
        state: 'fallback',
        attempts: 1,
        code: 'UPSTREAM_CONTENT_TYPE',
        upstream: 'cats',
        operation: 'html',
        status: 200,
        why: "the content type is 'text/html; charset=x??'",
      },
      items: { state: 'failed', attempts: 4, calls: 4, ok, code: 'UPSTREAM_STATUS', failed: 1 },
    },
  })
})

test('the content type that came is in the log, and a caller does not get it', async t => {
  const { ask } = await failing(t)
  const { fields, response } = await ask('/page')
  t.match(fields, { code: 'UPSTREAM_CONTENT_TYPE', why: "the content type is 'text/html; charset=x??'" })
  t.notMatch(response.text, 'html')
})

test('the error of a bug is written once: its message and its stack have the issues of a schema in one line', async t => {
  const { ask } = await failing(t)
  const { fields } = await ask('/wrong')
  t.match(fields, { aggregate: 'wrong', url: '/wrong', code: 'REPLY_INVALID' })
  const { err } = fields as unknown as { readonly err: Readonly<Record<string, string>> }
  const issues = /^a: Invalid input: .*string.*; b: Invalid input: .*number/
  t.same(Object.keys(err), ['type', 'message', 'stack'])
  t.match(err['message'], issues)
  t.equal(err['stack']?.split('\n')[0], `ZodError: ${err['message']}`)
})

test('probes have a line at debug only', async t => {
  for (const [level, levels] of [
    ['info', []],
    ['debug', [20, 20]],
  ] as const) {
    const { get, lines } = await arrange(t, { level })
    for (const path of ['/health/live', '/health/ready']) t.equal((await get(path)).status, 200)
    t.same(
      lines.filter(({ msg }) => msg === 'request completed').map(line => line.level),
      levels,
    )
  }
})
