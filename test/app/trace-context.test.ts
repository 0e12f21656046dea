import { EventEmitter, once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type Test } from 'tap'
import fastify from 'fastify'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { readableLine } from '../../src/log/readable-line.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { failure } from '../helpers/failure.ts'
import { listening } from '../helpers/listening.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { sentTrace, sentTraces, valuesOf } from '../helpers/sent-trace.ts'
import { untilEvent } from '../helpers/until.ts'
import { spanId, specification, traceId } from '../trace/specification.ts'

const traceparent = `00-${traceId}-${spanId}-01`

type Line = Readonly<Record<string, unknown>> & { readonly msg: string }

/** An aggregate that calls an upstream which takes part in traces. */
async function setUp(t: Test) {
  const raw = await rawUpstream(t, json(1))
  const { ask, broken } = defineUpstream(
    'raw',
    { origin: raw.origin, traceContext: true, retry: false, breaker: false },
    {
      ask: operation({ path: '/', output: z.number() }),
      broken: operation({ path: '/', output: z.string() }),
    },
  )
  const one = aggregate('one', { url: '/one' })
    .required('it', () => ask())
    .reply(z.number(), ({ it }) => it)
  return { raw, one, broken }
}

/** A logger whose lines are kept. */
function kept() {
  const lines: Line[] = []
  const changes = new EventEmitter()
  const write = (line: string) => {
    lines.push(JSON.parse(line) as Line)
    changes.emit('line')
  }
  /** Resolves when this number of lines has the message. The line of a request may follow its reply. */
  const said = (message: string, times: number) =>
    untilEvent(changes, 'line', () => lines.filter(({ msg }) => msg === message).length >= times, { seen: () => lines })
  return { lines, said, logger: { level: 'debug', stream: { write } } }
}

async function serve(t: Test, options: AppOptions = {}) {
  const { raw, one } = await setUp(t)
  const app = buildApp([one], options)
  return { raw, app, get: await listening(t, app) }
}

/** Sends header lines as they are, and returns the reply. */
async function send(port: number, lines: readonly (readonly [string, string])[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const headers = [['host', 'a'], ...lines, ['connection', 'close']].map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(Buffer.from(`GET /one HTTP/1.1\r\n${headers.join('')}\r\n`, 'latin1'))
  return text(socket)
}

test('each case of the specification gives that trace to an upstream', async t => {
  const { raw, app } = await serve(t)
  const { port } = app.server.address() as AddressInfo
  for (const { title, lines, flags, tracestate } of specification) {
    t.match(await send(port, lines), /^HTTP\/1\.1 200 /, title)
    const sent = sentTrace(raw.requests.at(-1) as (typeof raw.requests)[number])
    t.not(sent.spanId, spanId, title)
    if (flags === 'new') {
      t.not(sent.traceId, traceId, title)
      t.match(sent, { flags: '00', tracestate: undefined }, title)
    } else t.match(sent, { traceId, flags: `0${flags}`, tracestate }, title)
  }
})

test('a traceparent that the connection header names is not read', async t => {
  const { raw, app } = await serve(t)
  const { port } = app.server.address() as AddressInfo
  await send(port, [
    ['traceparent', traceparent],
    ['connection', 'traceparent'],
  ])
  t.not(sentTraces(raw)[0]?.traceId, traceId)
})

test('the reply has no header about the trace', async t => {
  const { get } = await serve(t)
  const { headers } = await get('/one', { headers: { traceparent, tracestate: 'a=1' } })
  t.same(
    [...headers.keys()].filter(name => name.startsWith('trace')),
    [],
  )
})

test('a share of the new traces is sampled, and the mark of a caller stays', async t => {
  const all = await serve(t, { traceSampledPercent: 100 })
  await all.get('/one')
  await all.get('/one', { headers: { traceparent: `00-${traceId}-${spanId}-00` } })
  t.same(
    sentTraces(all.raw).map(({ flags }) => flags),
    ['01', '00'],
  )
  const none = await serve(t)
  await none.get('/one')
  await none.get('/one', { headers: { traceparent } })
  t.same(
    sentTraces(none.raw).map(({ flags }) => flags),
    ['00', '01'],
  )
})

test('a share outside 0 to 100 is refused by the app and by the plugin', async t => {
  const { one } = await setUp(t)
  for (const wrong of [-1, 101, Number.NaN, '50' as never, null as never]) {
    const message = `traceSampledPercent must be a number from 0 to 100, got ${wrong}`
    t.throws(() => buildApp([one], { traceSampledPercent: wrong }), { name: 'TypeError', message: `app: ${message}` })
    const app = fastify()
    t.match(
      await failure(Promise.resolve(app.register(headwaters, { aggregates: [one], traceSampledPercent: wrong }))),
      { name: 'TypeError', message: `headwaters: ${message}` },
    )
  }
})

test('each line of a request has its trace, in the service', async t => {
  const { lines, said, logger } = kept()
  const { raw, get } = await serve(t, { logger })
  await get('/one', { headers: { traceparent: `00-${traceId}-${spanId}-03` } })
  await get('/health/live')
  await get('/none')
  await get('/%')
  await Promise.all([said('request completed', 2), said('request refused', 2)])
  const ofRequests = lines.filter(({ reqId }) => reqId !== undefined)
  t.equal(ofRequests.length, 8, 'two lines per request')
  for (const line of ofRequests)
    t.match(line, { trace_id: /^[0-9a-f]{32}$/, span_id: /^[0-9a-f]{16}$/, trace_flags: /^0[03]$/ })
  const [first, ...others] = ofRequests.filter(({ trace_id }) => trace_id === traceId)
  t.match(first, { trace_flags: '03', span_id: others[0]?.['span_id'] })
  t.not(first?.['span_id'], spanId, 'the span is that of the request, not that of the caller')
  t.equal(others.length, 1)
  t.equal(new Set(ofRequests.map(({ trace_id }) => trace_id)).size, 4)
  t.equal(sentTraces(raw)[0]?.traceId, traceId)
})

test('lines of the log at a terminal show the id of the trace only', async t => {
  const line = readableLine('{"level":30,"time":0,"trace_id":"a","span_id":"b","trace_flags":"01","msg":"m"}', false)
  t.match(line, /^\S+ INFO {2}m trace_id=a\n$/)
})

test('the lines that the plugin writes in an app with another log have the trace', async t => {
  const { raw, one, broken } = await setUp(t)
  const lost = aggregate('lost', { url: '/lost' })
    .optional('it', () => broken(), { fallback: '' })
    .reply(z.string(), ({ it }) => it)
  const failing = aggregate('failing', { url: '/failing' })
    .required('it', () => broken())
    .reply(z.string(), ({ it }) => it)
  const { lines, said, logger } = kept()
  const app = fastify({ logger })
  await app.register(headwaters, { aggregates: [one, lost, failing] })
  const get = await listening(t, app)
  await get('/lost', { headers: { traceparent } })
  await get('/failing', { headers: { traceparent } })
  await get('/one', { headers: { traceparent } })
  await Promise.all([said('reply is partial', 1), said('request failed', 1)])
  t.match(
    lines.filter(({ aggregate: name }) => name === 'lost' || name === 'failing'),
    [
      { msg: 'reply is partial', trace_id: traceId, span_id: /^[0-9a-f]{16}$/, trace_flags: '01' },
      { msg: 'request failed', trace_id: traceId, span_id: /^[0-9a-f]{16}$/, trace_flags: '01' },
    ],
  )
  t.equal(sentTraces(raw)[0]?.traceId, traceId)
})

test('one trace goes through two services, and each request has a span of its own', async t => {
  const { lines, said, logger } = kept()
  const inner = await serve(t, { logger })
  const { port } = inner.app.server.address() as AddressInfo
  const { ask } = defineUpstream(
    'inner',
    { origin: `http://127.0.0.1:${port}`, traceContext: true },
    { ask: operation({ path: '/one', output: z.object({ data: z.number() }) }) },
  )
  const outer = aggregate('outer', { url: '/outer' })
    .required('it', () => ask())
    .reply(z.number(), ({ it }) => it.data)
  const get = await listening(t, buildApp([outer], { logger }))
  await get('/outer', { headers: { traceparent, tracestate: 'a=1' } })
  const [sent] = sentTraces(inner.raw)
  t.match(sent, { traceId, flags: '01', tracestate: 'a=1' })
  await said('request completed', 2)
  const ended = lines.filter(({ msg }) => msg === 'request completed')
  t.same(
    ended.map(({ trace_id }) => trace_id),
    [traceId, traceId],
  )
  t.equal(new Set([spanId, sent?.spanId, ...ended.map(line => line['span_id'])]).size, 4)
})

test('a hook of an app with the plugin can start a new trace', async t => {
  const { raw, one } = await setUp(t)
  const app = fastify()
  app.addHook('onRequest', (request, _reply, done) => {
    delete request.headers.traceparent
    done()
  })
  await app.register(headwaters, { aggregates: [one], traceSampledPercent: 100 })
  const get = await listening(t, app)
  await get('/one', { headers: { traceparent: `00-${traceId}-${spanId}-00`, tracestate: 'a=1' } })
  const [sent] = sentTraces(raw)
  t.match(sent, { flags: '01', tracestate: undefined })
  t.not(sent?.traceId, traceId)
})

test('a page of an allowed origin may send the headers of a trace', async t => {
  const { get } = await serve(t, { corsOrigins: ['https://app.example'] })
  const { headers } = await get('/one', {
    method: 'OPTIONS',
    headers: {
      origin: 'https://app.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'traceparent, tracestate, baggage',
    },
  })
  t.equal(headers.get('access-control-allow-headers'), 'traceparent, tracestate, baggage')
})

test('baggage is sent only where it is forwarded, and is then part of vary', async t => {
  const raw = await rawUpstream(t, json(1))
  const declare = (name: string, forwardHeaders: readonly string[]) => {
    const { ask } = defineUpstream(
      name,
      { origin: raw.origin, traceContext: true, forwardHeaders },
      { ask: operation({ path: `/${name}`, output: z.number(), cache: { ttl: 60_000 } }) },
    )
    return aggregate(name, { url: `/${name}`, envelope: false, cacheControl: 'max-age=60' })
      .required('it', () => ask())
      .reply(z.number(), ({ it }) => it)
  }
  const get = await listening(t, buildApp([declare('plain', []), declare('baggage', ['baggage'])]))
  const ask = (url: string, baggage: string) => get(url, { headers: { traceparent, tracestate: 'a=1', baggage } })
  t.equal((await ask('/plain', 'user=1')).headers.get('vary'), 'accept')
  t.equal((await ask('/plain', 'user=2')).headers.get('vary'), 'accept')
  t.same(
    raw.requests.map(request => [request.path, ...valuesOf(request, 'baggage')]),
    [['/plain']],
  )
  t.equal((await ask('/baggage', 'user=1')).headers.get('vary'), 'accept, baggage')
  await ask('/baggage', 'user=1')
  await ask('/baggage', 'user=2')
  t.same(
    raw.requests.slice(1).map(request => [request.path, ...valuesOf(request, 'baggage')]),
    [
      ['/baggage', 'user=1'],
      ['/baggage', 'user=2'],
    ],
  )
})

test('vary never names the headers of the trace', async t => {
  const raw = await rawUpstream(t, json(1))
  const { ask } = defineUpstream(
    'raw',
    {
      origin: raw.origin,
      traceContext: true,
      layers: {
        call: [
          next => call => {
            const { traceparent: parent, Tracestate: state, 'x-a': a } = call.inbound
            return next(call.with({ headers: { 'x-seen': `${parent} ${state} ${a}` } }))
          },
        ],
      },
    },
    { ask: operation({ path: '/', output: z.number() }) },
  )
  const headers = z.object({ traceparent: z.string().optional(), 'x-tenant': z.string().optional() })
  const one = aggregate('one', { url: '/one', headers, envelope: false, cacheControl: 'max-age=60' })
    .context(({ headers: { traceparent: parent } }) => parent)
    .required('it', () => ask())
    .reply(z.array(z.unknown()), ({ it, context, headers: { traceparent: parent } }) => [it, context, parent])
  const two = aggregate('two', {
    url: '/two',
    headers: z.preprocess(given => (given as Record<string, string>)['TraceParent'] ?? 'none', z.string()),
    envelope: false,
    cacheControl: 'max-age=60',
  }).reply(z.string(), ({ headers: parent }) => parent)
  const get = await listening(t, buildApp([one, two]))
  const reply = await get('/one', { headers: { traceparent, tracestate: 'a=1', 'x-a': 'b' } })
  t.same(reply.body, [1, traceparent, traceparent])
  t.equal(reply.headers.get('vary'), 'accept, x-tenant, x-a')
  t.same(valuesOf(raw.requests[0] as never, 'x-seen'), [`${traceparent} a=1 b`])
  const other = await get('/two', { headers: { traceparent } })
  t.equal(other.body, traceparent)
  t.equal(other.headers.get('vary'), 'accept')
})
