import { createServer } from 'node:http'
import { test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { httpUpstream, type Asked } from '../helpers/http-upstream.ts'
import { otlpReceiver, type ReceivedSpan } from '../helpers/otlp-receiver.ts'
import { serveHttp } from '../helpers/serve-http.ts'
import { runCommand, startService } from '../helpers/service-process.ts'

/** An aggregate whose steps need each other, with a retry, a hedge and a wait for a permit. */
const definitions = (origin: string) => `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const Any = z.unknown()
const retried = defineUpstream('retried', {
  origin: '${origin}', traceContext: true, retry: { maxAttempts: 2, initialDelay: 1, maxDelay: 1 },
}, { flaky: operation({ path: '/flaky', output: Any }) })
const hedged = defineUpstream('hedged', { origin: '${origin}', retry: false, hedge: { delay: 20, maxRatio: 1 } }, {
  slow: operation({ path: '/slow', output: Any }),
})
const narrow = defineUpstream('narrow', { origin: '${origin}', concurrency: 2, retry: false }, {
  row: operation({ path: '/rows/{id}', params: z.object({ id: z.string() }), output: Any }),
})

export const card: unknown = aggregate('card', { url: '/card', deadline: 20_000 })
  .required('flaky', () => retried.flaky())
  .required('slow', () => hedged.slow(), { needs: ['flaky'] })
  .each('rows', () => ['1', '2', '3'].map(id => narrow.row({ id })))
  .reply(Any, ({ slow }) => slow)
`

const parent = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const headers = { traceparent: `00-${parent.traceId}-${parent.spanId}-01` }

/** Fails the first request for /flaky, and lets the first request for /slow wait. */
function answers() {
  const asked = new Map<string, number>()
  return ({ request: { url = '' }, json }: Asked) => {
    const before = asked.get(url) ?? 0
    asked.set(url, before + 1)
    if (url === '/flaky' && before === 0) json('busy', 503)
    else if (url !== '/slow' || before > 0) json(url)
  }
}

const byResend = (spans: readonly ReceivedSpan[], name: string) =>
  spans
    .filter(span => span.name === name)
    .toSorted(
      (a, b) =>
        Number(a.attributes['http.request.resend_count'] ?? 0) - Number(b.attributes['http.request.resend_count'] ?? 0),
    )

test('a collector receives the span tree of an aggregate with a retry, a hedge and a wait', async t => {
  const collector = await otlpReceiver(t)
  const upstream = await httpUpstream(t, answers())
  const { path } = definitionsFolder(t, { 'card.ts': definitions(upstream.origin) })
  const service = await startService(
    t,
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_SERVICE_NAME: 'cards',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    },
    ['serve', path, '--otlp'],
  )
  const response = await fetch(`${service.origin}/card`, { headers })
  t.equal(response.status, 200)
  await response.text()
  service.stop('SIGTERM')
  t.equal((await service.ended).code, 0)

  t.same(new Set(collector.requests), new Set(['POST /v1/traces']))
  const { spans } = collector
  t.same(collector.tree(), [
    'GET /card',
    '  step flaky',
    '    GET /flaky',
    '    GET /flaky',
    '  step rows',
    '    GET /rows/{id}',
    '    GET /rows/{id}',
    '    GET /rows/{id}',
    '  step slow',
    '    GET /slow',
    '    GET /slow',
  ])
  t.same(new Set(spans.map(span => span.traceId)), new Set([parent.traceId]))
  const one = (name: string) => spans.find(span => span.name === name)
  t.equal(one('GET /card')?.parentSpanId, parent.spanId)
  t.match(one('GET /card')?.resource, { 'service.name': 'cards', 'deployment.environment.name': 'test' })
  const [failed, retried] = byResend(spans, 'GET /flaky')
  t.match(failed?.attributes, { 'http.response.status_code': 503, 'error.type': '503' })
  t.match(retried?.attributes, { 'http.response.status_code': 200, 'http.request.resend_count': 1 })
  t.same(
    one('step flaky')?.events.map(event => event.attributes['headwaters.wait.reason']),
    ['retry'],
  )
  t.same(
    one('step rows')?.events.map(event => event.attributes['headwaters.wait.reason']),
    ['permit'],
  )
  const [loser, winner] = byResend(spans, 'GET /slow')
  t.same(
    winner?.links.map(({ spanId }) => spanId),
    [loser?.spanId],
  )
  t.equal(loser?.attributes['headwaters.code'], 'CANCELLED')
})

test('every worker sends its spans, also the last ones before it exits', async t => {
  const collector = await otlpReceiver(t)
  const upstream = await httpUpstream(t, answers())
  const { path } = definitionsFolder(t, { 'card.ts': definitions(upstream.origin) })
  const service = await startService(
    t,
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.origin}/spans`, OTEL_BSP_SCHEDULE_DELAY: '600000' },
    ['serve', path, '--otlp', '--workers', '2'],
  )
  // The primary handles signals once all workers listen.
  await service.said('serving')
  await (await fetch(`${service.origin}/card`)).text()
  service.stop('SIGTERM')
  t.equal((await service.ended).code, 0)
  t.same(new Set(collector.requests), new Set(['POST /spans']))
  t.match(collector.spans.find(({ name }) => name === 'GET /card')?.resource, { 'service.name': 'headwaters' })
})

test('with --watch the spans of new definitions are sent too', async t => {
  const collector = await otlpReceiver(t)
  const upstream = await httpUpstream(t, answers())
  const { path, write } = definitionsFolder(t, { 'card.ts': definitions(upstream.origin) })
  const service = await startService(
    t,
    { OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin, OTEL_BSP_SCHEDULE_DELAY: '1' },
    ['serve', path, '--watch', '--otlp'],
  )
  write(
    'card.ts',
    definitions(upstream.origin).replace("url: '/card'", "url: '/card/{id}', params: z.object({ id: z.string() })"),
  )
  await service.said('definitions reloaded')
  await (await fetch(`${service.origin}/card/1`)).text()
  await collector.received('GET /card/{id}')
  t.notOk(collector.spans.some(({ name }) => name === 'GET /card'))
})

test('a collector that refuses the spans is in the log, and does not delay the end of the service', async t => {
  const collector = await otlpReceiver(t, 400)
  const upstream = await httpUpstream(t, answers())
  const { path } = definitionsFolder(t, { 'card.ts': definitions(upstream.origin) })
  const service = await startService(
    t,
    { OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin, OTEL_BSP_SCHEDULE_DELAY: '1' },
    ['serve', path, '--otlp'],
  )
  await (await fetch(`${service.origin}/card`)).text()
  t.match(await service.said('Node.js warning'), { err: { message: 'OpenTelemetry: Bad Request (400)' } })
  service.stop('SIGTERM')
  t.equal((await service.ended).code, 0)
})

test('the log has a warning if a collector does not answer before the service ends', async t => {
  const silent = await serveHttp(
    t,
    createServer(() => {}),
  )
  const upstream = await httpUpstream(t, answers())
  const { path } = definitionsFolder(t, { 'card.ts': definitions(upstream.origin) })
  for (const more of [[], ['--workers', '2']]) {
    const service = await startService(t, { OTEL_EXPORTER_OTLP_ENDPOINT: silent }, ['serve', path, '--otlp', ...more])
    await service.said('serving')
    await (await fetch(`${service.origin}/card`)).text()
    service.stop('SIGTERM')
    t.match(await service.said('Node.js warning'), {
      err: {
        message: 'OpenTelemetry: the last spans were not sent: the collector did not take them within 1000 ms',
      },
    })
    t.equal((await service.ended).code, 0)
  }
})

test('the sampler leaves traces out, and a disabled SDK sends none', async t => {
  const collector = await otlpReceiver(t)
  const upstream = await httpUpstream(t, answers())
  const { path } = definitionsFolder(t, { 'card.ts': definitions(upstream.origin) })
  for (const environment of [
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
    { OTEL_SDK_DISABLED: 'true' },
    { OTEL_TRACES_EXPORTER: 'none' },
  ]) {
    const service = await startService(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin, ...environment }, [
      'serve',
      path,
      '--otlp',
    ])
    t.equal((await fetch(`${service.origin}/card`)).status, 200)
    service.stop('SIGTERM')
    await service.ended
  }
  t.same(collector.requests, [])
})

test('variables that are wrong are refused, each with its fix', async t => {
  const wrong = await runCommand(t, ['serve', '--otlp'], {
    PORT: '0',
    OTEL_TRACES_SAMPLER: 'sometimes',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  })
  t.equal(wrong.code, 2)
  t.match(wrong.errors, 'OTEL_TRACES_SAMPLER: must be always_on,')
  t.match(wrong.errors, 'OTEL_EXPORTER_OTLP_PROTOCOL: must be http/json')
})

test('a process that already has a tracer provider is refused', async t => {
  const { path } = definitionsFolder(t, {
    'preload.mjs': `
import { createRequire } from 'node:module'
const { trace } = createRequire('${import.meta.filename}')('@opentelemetry/api')
trace.setGlobalTracerProvider({ getTracer: () => ({}) })
`,
  })
  const refused = await runCommand(t, ['serve', '--otlp'], { PORT: '0', NODE_OPTIONS: `--import ${path}/preload.mjs` })
  t.equal(refused.code, 2)
  t.match(refused.errors, 'this process already has a tracer provider')
})
