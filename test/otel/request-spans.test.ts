import { once } from 'node:events'
import { connect } from 'node:net'
import { Writable } from 'node:stream'
import fastify from 'fastify'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { httpUpstream, type Asked } from '../helpers/http-upstream.ts'
import { registerTracing } from '../helpers/tracing.ts'
import { until } from '../helpers/until.ts'

const Any = z.unknown()
const parent = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const traceparent = `00-${parent.traceId}-${parent.spanId}-01`

/** An upstream that receives the trace context, and aggregates that call it. */
async function arrange(t: Test, handle: (asked: Asked) => void = ({ json }) => json(1)) {
  const received: (string | undefined)[] = []
  const upstream = await httpUpstream(t, asked => {
    received.push(asked.request.headers['traceparent'] as string | undefined)
    handle(asked)
  })
  const cats = defineUpstream(
    'cats',
    { origin: upstream.origin, retry: { maxAttempts: 2, initialDelay: 1, maxDelay: 1 }, traceContext: true },
    { fact: operation({ path: '/facts/{id}', params: z.object({ id: z.string() }), output: Any }) },
  )
  const fact = aggregate('fact', { url: '/cats/{id}', params: z.object({ id: z.string() }), deadline: 20_000 })
    .required('fact', ({ params: { id } }) => cats.fact({ id }))
    .reply(Any, data => data.fact)
  const refused = aggregate('refused', { url: '/refused' }).reply(Any, () => refuse(404, 'no such cat'))
  return { upstream, received, fact, refused }
}

/** Serves aggregates, and collects the lines of the log. */
async function serve(t: Test, aggregates: Parameters<typeof buildApp>[0]) {
  const lines: Record<string, unknown>[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line) as Record<string, unknown>)
      done()
    },
  })
  const app = buildApp(aggregates, { logger: { level: 'info', stream } })
  t.teardown(() => app.close())
  return { lines, origin: await app.listen({ host: '127.0.0.1', port: 0 }) }
}

test('url.path of a request with an absolute target is its path only', async t => {
  const tracing = registerTracing(t)
  const { fact } = await arrange(t)
  const { port, hostname } = new URL((await serve(t, [fact])).origin)
  for (const target of [
    'http://user@cats.example/cats/7?x=1',
    'HTTP://cats.example/cats/7',
    '/cats/7?next=http://a/b',
  ]) {
    const socket = connect(Number(port), hostname)
    socket.write(`GET ${target} HTTP/1.1\r\nhost: cats.example\r\nconnection: close\r\n\r\n`)
    socket.resume()
    await once(socket, 'close')
  }
  await until(() => tracing.named('GET /cats/{id}').length === 3)
  t.same(
    tracing.named('GET /cats/{id}').map(({ attributes }) => attributes['url.path']),
    ['/cats/7', '/cats/7', '/cats/7'],
  )
})

test('a request has a server span with the attributes of the conventions, which its attempts and its log name', async t => {
  const tracing = registerTracing(t)
  const { received, fact } = await arrange(t)
  const { origin, lines } = await serve(t, [fact])
  await (await fetch(`${origin}/cats/7?x=secret`)).text()
  const span = await tracing.one('GET /cats/{id}')
  t.same(tracing.tree(), ['GET /cats/{id}', '  step fact', '    GET /facts/{id}'])
  t.equal(span.kind, SpanKind.SERVER)
  const { hostname, port } = new URL(origin)
  t.same(span.attributes, {
    'http.request.method': 'GET',
    'url.path': '/cats/7',
    'url.scheme': 'http',
    'http.route': '/cats/{id}',
    'server.address': hostname,
    'server.port': Number(port),
    'headwaters.aggregate': 'fact',
    'headwaters.outcome': 'complete',
    'http.response.status_code': 200,
  })
  const { traceId, spanId } = (await tracing.one('GET /facts/{id}')).spanContext()
  t.same(received, [`00-${traceId}-${spanId}-01`])
  t.match(
    lines.find(({ reqId }) => reqId !== undefined),
    { trace_id: traceId, span_id: span.spanContext().spanId, trace_flags: '01' },
  )
})

test('loggers that an app derives from the logger of a request keep their fields and get the trace of the span', async t => {
  const { fact } = await arrange(t)
  const written: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(...String(chunk).trim().split('\n'))
      done()
    },
  })
  const app = buildApp([fact], {
    logger: { level: 'info', stream, formatters: { log: line => ({ region: 'eu', ...line }) } },
  })
  t.teardown(() => app.close())
  app.addHook('onRequest', (request, reply, done) => {
    request.log = reply.log = request.log.child({ tenant: 'a' }, { msgPrefix: 'app: ' })
    request.log.info('before the span')
    reply.raw.once('close', () => request.log.child({ late: true }).info('after the span'))
    done()
  })
  const linesOf = async (headers: Readonly<Record<string, string>> = {}) => {
    written.length = 0
    await app.inject({ url: '/cats/7', headers })
    await until(() => written.length === 3)
    for (const line of written)
      for (const key of ['reqId', 'tenant', 'region', 'trace_id', 'span_id', 'trace_flags'])
        t.equal(line.split(`"${key}":`).length, 2, `${key} is written once`)
    return written.map(line => JSON.parse(line) as Readonly<Record<string, unknown>>)
  }
  const common = { tenant: 'a', region: 'eu', trace_flags: '01', trace_id: parent.traceId }
  const unrecorded = await linesOf({ traceparent })
  for (const line of unrecorded) t.match(line, { ...common, span_id: unrecorded[0]?.['span_id'] })

  const tracing = registerTracing(t)
  const recorded = await linesOf({ traceparent })
  const { spanId } = (await tracing.one('GET /cats/{id}')).spanContext()
  const messages = ['app: before the span', 'app: request completed', 'app: after the span']
  t.same(new Set(recorded.map(({ msg }) => msg)), new Set(messages))
  for (const line of recorded) t.match(line, common)
  for (const line of recorded.slice(1)) t.match(line, { span_id: spanId })
  t.equal((await linesOf())[0]?.['tenant'], 'a')

  app.log.info('a line without a request')
  t.notMatch(written.at(-1), 'trace_id')
})

test('the span of the caller is the parent, and its tracestate is sent on', async t => {
  const tracing = registerTracing(t)
  let tracestate: unknown
  const { received, fact } = await arrange(t, ({ request, json }) => {
    ;({ tracestate } = request.headers)
    json(1)
  })
  const { origin, lines } = await serve(t, [fact])
  await (await fetch(`${origin}/cats/7`, { headers: { traceparent, tracestate: 'a=1,b=2' } })).text()
  const span = await tracing.one('GET /cats/{id}')
  t.match(span.parentSpanContext, { ...parent, isRemote: true })
  t.equal(span.kind, SpanKind.SERVER)
  const attempt = await tracing.one('GET /facts/{id}')
  t.same(received, [`00-${parent.traceId}-${attempt.spanContext().spanId}-01`])
  t.equal(tracestate, 'a=1,b=2')
  t.match(
    lines.find(({ reqId }) => reqId !== undefined),
    { trace_id: parent.traceId, span_id: span.spanContext().spanId },
  )
})

test('a caller that does not sample its trace leaves its request without spans, and the attempts name its trace', async t => {
  const tracing = registerTracing(t)
  const { received, fact } = await arrange(t)
  const { origin } = await serve(t, [fact])
  const unsampled = `00-${parent.traceId}-${parent.spanId}-02`
  await (await fetch(`${origin}/cats/7`, { headers: { traceparent: unsampled } })).text()
  t.same(tracing.ended(), [])
  t.match(received[0], new RegExp(`^00-${parent.traceId}-[0-9a-f]{16}-02$`))
})

test('a request that the sampler leaves out has no spans, and all its attempts send the context of its own span', async t => {
  const tracing = registerTracing(t, new AlwaysOffSampler())
  let asked = 0
  const { received, fact } = await arrange(t, ({ json }) => json(1, asked++ === 0 ? 503 : 200))
  const { origin, lines } = await serve(t, [fact])
  await (await fetch(`${origin}/cats/7`)).text()
  t.same(tracing.ended(), [])
  const line = lines.find(({ reqId }) => reqId !== undefined)
  const context = `00-${String(line?.['trace_id'])}-${String(line?.['span_id'])}-00`
  t.same(received, [context, context])
})

test('each attempt sends its own span', async t => {
  const tracing = registerTracing(t)
  let asked = 0
  const { received, fact } = await arrange(t, ({ json }) => json(1, asked++ === 0 ? 503 : 200))
  const { origin } = await serve(t, [fact])
  await (await fetch(`${origin}/cats/7`)).text()
  await tracing.one('GET /cats/{id}')
  t.same(
    received.map(value => value?.split('-')[2]),
    tracing.named('GET /facts/{id}').map(span => span.spanContext().spanId),
  )
  t.equal(new Set(received).size, 2)
})

test('in an app whose own span is active the span of the run is an internal child', async t => {
  const tracing = registerTracing(t)
  const { fact } = await arrange(t)
  const app = fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', (_request, reply, done) => {
    const span = tracing.tracer.startSpan('of the app', { kind: SpanKind.SERVER })
    reply.raw.once('close', () => span.end())
    context.with(trace.setSpan(context.active(), span), done)
  })
  await app.register(headwaters, { aggregates: [fact], prefix: '/api' })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  await (await fetch(`${origin}/api/cats/7`, { headers: { traceparent } })).text()
  await tracing.one('of the app')
  const span = await tracing.one('GET /api/cats/{id}')
  t.same(tracing.tree(), ['of the app', '  GET /api/cats/{id}', '    step fact', '      GET /facts/{id}'])
  t.equal(span.kind, SpanKind.INTERNAL)
  t.equal(span.attributes['http.route'], '/api/cats/{id}')
})

test('the span of a refused request has no error, and the span of a request that failed has one', async t => {
  const tracing = registerTracing(t)
  const { fact, refused } = await arrange(t, ({ json }) => json(1, 500))
  const { origin } = await serve(t, [fact, refused])
  t.equal((await fetch(`${origin}/refused`)).status, 404)
  t.equal((await fetch(`${origin}/cats/7`)).status, 502)
  const missing = await tracing.one('GET /refused')
  t.match(missing.attributes, { 'http.response.status_code': 404, 'headwaters.outcome': 'failed' })
  t.equal(missing.attributes['error.type'], undefined)
  t.equal(missing.status.code, SpanStatusCode.UNSET)
  const failed = await tracing.one('GET /cats/{id}')
  t.match(failed.attributes, {
    'http.response.status_code': 502,
    'error.type': '502',
    'headwaters.outcome': 'failed',
    'headwaters.code': 'UPSTREAM_STATUS',
  })
  t.equal(failed.status.code, SpanStatusCode.ERROR)
})

test('a request that never becomes a run has a span with its status', async t => {
  const tracing = registerTracing(t)
  const { fact } = await arrange(t)
  const { origin } = await serve(t, [fact])
  t.equal((await fetch(`${origin}/cats/7`, { headers: { accept: 'text/html' } })).status, 406)
  const span = await tracing.one('GET /cats/{id}')
  t.equal(span.attributes['http.response.status_code'], 406)
})

test('a caller that closes the connection ends the span without a status', async t => {
  const tracing = registerTracing(t)
  const { upstream, fact } = await arrange(t, () => {})
  const { origin } = await serve(t, [fact])
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write('GET /cats/7 HTTP/1.1\r\nhost: a\r\n\r\n')
  await upstream.arrived('GET /facts/7')
  socket.destroy()
  const span = await tracing.one('GET /cats/{id}')
  t.equal(span.attributes['http.response.status_code'], undefined)
  t.equal(span.attributes['headwaters.outcome'], 'cancelled')
  t.equal(span.status.code, SpanStatusCode.UNSET)
  t.equal((await tracing.one('step fact')).attributes['headwaters.step.state'], 'cancelled')
})

test('a caller that closes the connection during an unsafe call leaves the span open until the call has ended', async t => {
  const tracing = registerTracing(t)
  const upstream = await httpUpstream(t)
  const { tell } = defineUpstream(
    'cats',
    { origin: upstream.origin },
    { tell: operation({ method: 'POST', path: '/tell', output: Any }) },
  )
  const telling = aggregate('tell', { url: '/tell', deadline: 20_000 })
    .required('tell', () => tell())
    .reply(Any, data => data.tell)
  const { origin, lines } = await serve(t, [telling])
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write('GET /tell HTTP/1.1\r\nhost: a\r\n\r\n')
  const told = await upstream.arrived('POST /tell')
  socket.destroy()
  await until(() => lines.some(({ msg }) => String(msg).includes('connection closed')))
  t.same(tracing.ended(), [])
  told.json(1)
  const span = await tracing.one('GET /tell')
  t.equal(span.attributes['headwaters.outcome'], 'cancelled')
  t.equal((await tracing.one('POST /tell')).attributes['http.response.status_code'], 200)
})

test('fanOut continues the trace of its option, and a local span has precedence', async t => {
  const tracing = registerTracing(t)
  const { received, fact } = await arrange(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const given = { ...parent, flags: 1, tracestate: undefined }
  await fanOut(fact, { params: { id: '1' } }, { runtime, trace: given })
  const [first] = tracing.named('aggregate fact')
  t.match(first?.parentSpanContext, { ...parent, isRemote: true })
  t.match(received[0], new RegExp(`^00-${parent.traceId}-`))
  await tracing.tracer.startActiveSpan('local', async span => {
    await fanOut(fact, { params: { id: '1' } }, { runtime, trace: given })
    span.end()
  })
  const [, second] = tracing.named('aggregate fact')
  const [local] = tracing.named('local')
  t.equal(second?.parentSpanContext?.spanId, local?.spanContext().spanId)
  t.match(received[1], new RegExp(`^00-${local?.spanContext().traceId}-`))
})
