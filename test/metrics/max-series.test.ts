import { METHODS } from 'node:http'
import type { InjectOptions } from 'fastify'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { errors, type ErrorCode } from '../../src/errors.ts'
import { aggregate, refuse, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { bulkRoutes, otherRoutes } from '../../src/http/metrics/service-routes.ts'
import * as families from '../../src/metrics/families.ts'
import { refusalCodes } from '../../src/metrics/label-values.ts'
import { bulkStatuses, maxSeries, otherStatuses } from '../../src/metrics/max-series.ts'
import { RuntimeMetrics } from '../../src/metrics/runtime-metrics.ts'
import { defineUpstream, operation, specOf, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { operationsOf } from '../../src/upstream/declared-specs.ts'
import { createRuntime, type Runtime } from '../../src/upstream/runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { countsOf, total } from '../helpers/metric-values.ts'

/** Returns the number of series of each family that are rendered, without the families of the process. */
function seriesOf(runtime: Runtime): Record<string, number> {
  const { metrics } = RuntimeMetrics.countersOf(runtime)
  return Object.fromEntries(
    metrics.collect().map(table => {
      const used = table.labels.filter((_, slot) => table.isUsed(slot)).length
      return [table.family.name, used * (table.family.type === 'histogram' ? table.width + 1 : 1)]
    }),
  )
}

function limitsOf(aggregates: readonly AnyAggregate[], upstreams: readonly Parameters<typeof specOf>[0][]) {
  const specs = upstreams.map(specOf)
  return Object.fromEntries(
    maxSeries({
      aggregates,
      upstreams: specs.map(spec => ({ spec, operations: operationsOf(spec) })),
      otherRoutes,
      bulkRoutes: aggregates.some(({ route }) => route.bulk) ? bulkRoutes : 0,
    }).map(({ family, series }) => [family.name, series]),
  )
}

test('hostile callers and upstreams never exceed the largest number of series', { timeout: 120_000 }, async t => {
  const upstream = await httpUpstream(t, ({ request, response }) => {
    const status = Number(/\/status\/(\d{3})$/.exec(request.url ?? '')?.[1] ?? 200)
    const body = request.url?.includes('broken') === true ? '{' : '1'
    response.writeHead(status, { 'content-type': 'application/json' }).end(status === 204 ? undefined : body)
  })
  const id = z.object({ id: z.string() })
  const responses = Object.fromEntries([200, 302, 404, 409, 418, 499, 503].map(status => [status, z.number()]))
  const up = defineUpstream(
    'up',
    {
      origin: upstream.origin,
      breaker: false,
      attemptTimeout: 60_000,
      hedge: { delay: 60_000 },
      retry: { maxAttempts: 2, initialDelay: 0, maxDelay: 0 },
    },
    {
      one: operation({ path: '/status/{id}', params: id, output: z.number(), nullOn: [404, 418], allowEmpty: true }),
      kept: operation({ path: '/kept/status/{id}', params: id, output: z.number(), cache: { ttl: 1000 } }),
      broken: operation({ path: '/broken/{id}', params: id, output: z.number() }),
      listed: operation({ path: '/listed/status/{id}', params: id, responses }),
    },
  )
  const status = aggregate('status', { url: '/status/{id}', params: id, deadline: 60_000 })
    .context(({ params }) => ({ id: params.id }))
    .optional('one', ({ params }) => up.one(params), { fallback: null })
    .optional('kept', ({ params }) => up.kept(params), { fallback: null })
    .each('broken', ({ params }) => [up.broken(params)], { minSuccess: 0, fallback: null })
    .pages('paged', ({ params }) => up.one(params), { next: () => up.one({ id: '200' }), onLoss: 'keep' })
    .optional('listed', ({ params }) => up.listed(params), { fallback: null })
    .reply(z.unknown(), () => 1)
  const refused = aggregate('refused', { url: '/refused/{id}', params: z.object({ id: z.coerce.number() }) })
    .required('one', ({ params }): unknown => refuse(params.id, 'No.'))
    .reply(z.unknown(), () => 1)
  const runtime = createRuntime()
  const app = buildApp([status, refused], { runtime })
  t.teardown(() => app.close())
  const limits = limitsOf([status, refused], [up])

  for (let code = 200; code < 600; code++) await app.inject(`/status/${code}`)
  for (let code = 390; code < 600; code++) await app.inject(`/refused/${code}`)
  await app.inject('/status/a')
  for (const method of METHODS)
    if (method !== 'CONNECT')
      for (const url of ['/status/200', '/nowhere', '/health/live', '/docs', '/openapi.json'])
        await app.inject({ method: method as 'GET', url, headers: { accept: 'text/plain' } })

  const before = seriesOf(runtime)
  const count = total(countsOf(runtime, families.serverDuration))
  for (let index = 0; index < 10_000; index++)
    await app.inject({
      url: index % 10 === 0 ? `/status/a${index}` : `/${index % 2 === 0 ? 'nowhere' : 'refused'}/${index}?x=${index}`,
      headers: { 'user-agent': `agent ${index}` },
    })
  t.equal(total(countsOf(runtime, families.serverDuration)), count + 10_000)
  t.same(seriesOf(runtime), before, '10,000 distinct inputs add no series')

  for (const [name, series] of Object.entries(before)) {
    t.ok(Number.isSafeInteger(limits[name]), `${name} has a limit`)
    t.ok(series <= (limits[name] as number), `${name}: ${series} of at most ${limits[name]}`)
  }
  t.equal(Object.keys(before).length, families.families.length)
})

test('every status of a request without an aggregate has a series within the limit', async t => {
  const runtime = createRuntime()
  const app = buildApp([], { runtime, metrics: { key: '0123456789abcdef' } })
  t.teardown(() => app.close())
  const { headers } = await app.inject('/docs')
  const statuses: number[] = []
  const ask = async (options: InjectOptions) => statuses.push((await app.inject(options)).statusCode)
  for (const url of ['/', '/docs', '/docs/', '/nowhere', '/metrics', '/%zz', '/health/live']) await ask({ url })
  await ask({ url: '/docs', headers: { 'if-none-match': String(headers['etag']) } })
  await ask({ method: 'OPTIONS', url: '/' })
  await ask({ method: 'POST', url: '/docs' })
  t.same(
    statuses,
    [302, 200, 308, 404, 401, 400, 200, 304, 204, 405],
    'each status that is no refusal, and some others',
  )
  for (const series of Object.keys(countsOf(runtime, families.serverDuration))) {
    const [, , , status = ''] = series.split(' ')
    t.ok(otherStatuses.has(status), series)
  }
  for (const code of refusalCodes.values)
    if (code !== 'other') t.ok(otherStatuses.has(String(errors[code as ErrorCode].status)), code)
})

test('the limits follow from the declarations', async t => {
  const plain = defineUpstream(
    'plain',
    { origin: 'http://a.invalid', retry: false, breaker: false },
    { one: operation({ path: '/one', output: z.unknown() }) },
  )
  const card = aggregate('card', { url: '/card' })
    .required('one', () => plain.one())
    .reply(z.unknown(), () => 1)
  const limits = limitsOf([card], [plain])
  t.match(limits, {
    headwaters_attempts_total: 1,
    headwaters_retries_total: 0,
    headwaters_hedges_total: 0,
    headwaters_coalesced_calls_total: 0,
    headwaters_cache_requests_total: 0,
    headwaters_breaker_state: 0,
    headwaters_wait_seconds: 17,
    headwaters_run_duration_seconds: 4 * 17,
    headwaters_step_duration_seconds: 4 * 17,
    headwaters_permits_limit: 1,
    headwaters_build_info: 1,
  })
  const rich = defineUpstream(
    'rich',
    { origin: 'http://a.invalid', hedge: true, layers: { attempt: [next => call => next(call)] } },
    {
      one: operation({ path: '/one', output: z.unknown(), cache: true }),
      two: operation({ method: 'POST', path: '/two', output: z.unknown() }),
    },
  )
  const more = limitsOf([card], [plain, rich])
  t.match(more, {
    headwaters_attempts_total: 1 + 2 * 6,
    headwaters_retries_total: 4,
    headwaters_hedges_total: 3,
    headwaters_coalesced_calls_total: 1,
    headwaters_cache_requests_total: 3,
    headwaters_breaker_state: 3,
    headwaters_wait_seconds: 3 * 17,
  })
  const perCall = (names: Record<string, number>) => names['headwaters_calls_total'] as number
  t.equal(perCall(more) - perCall(limits), 2 * (perCall(limits) + 1), 'a custom layer can end a call with other codes')
})

test('the limits of origins follow from their list, and have a bound for the addresses of a name', async t => {
  const card = aggregate('card', { url: '/card' }).reply(z.unknown(), () => 1)
  const limitsWith = (origins: NonNullable<UpstreamOptions['origins']>) =>
    limitsOf([card], [defineUpstream('up', { origins }, { one: operation({ path: '/one', output: z.unknown() }) })])
  const listed = limitsWith(['http://a.invalid', 'http://b.invalid'])
  t.match(listed, {
    headwaters_origins: 3,
    headwaters_origin_active_attempts: 2,
    headwaters_origin_latency_seconds: 2,
    headwaters_origin_attempts_total: 4,
    headwaters_origin_ejections_total: 2,
    headwaters_origin_panic_attempts_total: 1,
  })
  t.match(limitsWith(['http://a.invalid']), { headwaters_origins: 0, headwaters_origin_attempts_total: 0 })
  for (const found of [{ addresses: true }, { srv: '_http._tcp.up.invalid' }])
    t.match(limitsWith(['http://a.invalid', { origin: 'http://b.invalid', ...found }]), {
      headwaters_origin_active_attempts: 101,
      headwaters_origin_attempts_total: 202,
    })
})

test('the number of other routes is that of the service', async t => {
  const routes = new Set<string>()
  const app = buildApp([], {})
  t.teardown(() => app.close())
  app.addHook('onRoute', ({ method, url }) => {
    if (method === 'GET') routes.add(url)
  })
  await app.ready()
  t.ok(routes.size <= otherRoutes, [...routes].join(' '))
})

const numbered = aggregate('numbered', { url: '/numbered', body: z.object({ n: z.number() }), bulk: true })
  .required('n', ({ body }) => body.n)
  .reply(z.number(), ({ n }) => n)

test('the number of routes of bulk runs is that of the service, and counts only with such an aggregate', async t => {
  const routes = new Set<string>()
  const app = buildApp([numbered], { bulk: { dir: t.testdir() } })
  t.teardown(() => app.close())
  // Several methods at once are those that are refused, and they are counted without their route.
  app.addHook('onRoute', ({ method, url }) => {
    if (url.startsWith('/v1/bulk') && typeof method === 'string' && method !== 'OPTIONS') routes.add(`${method} ${url}`)
  })
  await app.ready()
  t.equal(routes.size, bulkRoutes, [...routes].join(' '))
  const requests = (each: AnyAggregate) => limitsOf([each], [])[families.serverDuration.name] as number
  const without = requests({ ...numbered, route: { ...numbered.route, bulk: false } })
  t.equal(requests(numbered) - without, bulkRoutes * bulkStatuses.size * 17)
})

test('requests for bulk runs never exceed the largest number of series', async t => {
  const runtime = createRuntime()
  const app = buildApp([numbered], { runtime, bulk: { dir: t.testdir() } })
  t.teardown(() => app.close())
  const limit = limitsOf([numbered], [])[families.serverDuration.name] as number
  const type = { 'content-type': 'application/x-ndjson' }
  const statuses = new Set<number>()
  const ask = async (options: InjectOptions) => {
    const reply = await app.inject(options)
    statuses.add(reply.statusCode)
    return reply
  }
  const lines = { method: 'POST', url: '/v1/bulk/numbered', headers: type, payload: '{}\n' } as const
  const { id } = (await ask({ ...lines, headers: { ...type, 'idempotency-key': 'a' } })).json<{ id: string }>()
  await ask({ ...lines, headers: { ...type, 'idempotency-key': 'a' }, payload: '{"body":1}\n' })
  await ask({ ...lines, headers: { 'content-type': 'text/plain' } })
  await ask({ ...lines, payload: 'x'.repeat(70_000) })
  await ask({ ...lines, payload: '' })
  const run = `/v1/bulk/runs/${id}`
  await ask({ method: 'DELETE', url: run })
  await ask({ method: 'POST', url: `${run}/cancel` })
  await ask({ url: `${run}/results`, headers: { range: 'bytes=5-' } })
  for (const method of METHODS)
    if (method !== 'CONNECT')
      for (const path of ['', '/results', '/pause', '/resume', '/cancel', '/none'])
        await ask({ method, url: `${run.slice(0, -1)}x${path}` })
  await ask({ method: 'DELETE', url: run })
  t.same(
    [...statuses].sort((one, other) => one - other),
    [200, 202, 204, 400, 404, 405, 409, 413, 415, 416, 422],
  )
  for (const series of Object.keys(countsOf(runtime, families.serverDuration)))
    t.ok(bulkStatuses.has(series.split(' ')[3] ?? ''), series)
  t.ok((seriesOf(runtime)[families.serverDuration.name] as number) <= limit)
})
