import { EventEmitter } from 'node:events'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import type { MetricsSource } from '../../src/metrics/source.ts'
import { listening } from '../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { untilEvent } from '../helpers/until.ts'

const apiKey = 'api-key-0123456789'
const adminKey = 'admin-key-0123456789'
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
const type = 'text/plain; version=0.0.4; charset=utf-8'
const metricsSource: MetricsSource = {
  render: async accept => ({ contentType: type, body: `# accept: ${accept}\n` }),
}

const one = aggregate('one', { url: '/one' }).reply(z.number(), () => 1)

interface LogLine {
  readonly level: number
  readonly msg: string
  readonly req?: { readonly url: string }
}

/** Serves an app with one aggregate, and collects its log. */
async function arrange(t: Test, options: AppOptions, level = 'info') {
  const lines: string[] = []
  const written = new EventEmitter()
  const write = (line: string) => {
    lines.push(line)
    written.emit('line')
  }
  const app = buildApp([one], { metricsSource, logger: { level, stream: { write } }, ...options })
  return { app, lines, written, ask: await listening(t, app) }
}

for (const [title, options, without, withApiKey, withAdminKey] of [
  ['an app without the option metrics has no metrics route', {}, 404, 404, 404],
  ['an app with metrics: false has no metrics route', { metrics: false }, 404, 404, 404],
  ['an app with metrics: true serves the metrics without a key', { metrics: true }, 200, 200, 200],
  ['an app with a metrics key serves the metrics with this key only', { metrics: { key: adminKey } }, 401, 401, 200],
] as const) {
  test(title, async t => {
    const { ask } = await arrange(t, { ...options, keys: [apiKey] })
    t.equal((await ask('/metrics')).status, without)
    t.equal((await ask('/metrics', { headers: bearer(apiKey) })).status, withApiKey)
    t.equal((await ask('/metrics', { headers: bearer(adminKey) })).status, withAdminKey)
    t.equal((await ask('/one', { headers: bearer(apiKey) })).status, 200)
    t.equal((await ask('/one', { headers: bearer(adminKey) })).status, 401, 'the key of the metrics opens no aggregate')
  })
}

test('the metrics are sent with the content type of the source, and are not stored', async t => {
  const { ask } = await arrange(t, { metrics: true })
  const { status, headers, text } = await ask('/metrics?name=x', {
    headers: { accept: 'application/openmetrics-text' },
  })
  t.equal(status, 200)
  t.equal(headers.get('content-type'), type)
  t.equal(headers.get('cache-control'), 'no-store')
  t.equal(headers.get('x-content-type-options'), 'nosniff')
  t.equal(text, '# accept: application/openmetrics-text\n')
})

test('a request without the metrics key is refused as a request without an API key is', async t => {
  const { ask } = await arrange(t, { metrics: { key: adminKey } })
  const without = await ask<ProblemBody>('/metrics')
  isProblem(t, without, 401, 'UNAUTHENTICATED')
  t.equal(without.headers.get('www-authenticate'), 'Bearer')
  const wrong = await ask<ProblemBody>('/metrics', { headers: bearer(`${adminKey}x`) })
  isProblem(t, wrong, 401, 'UNAUTHENTICATED')
  t.equal(wrong.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  isProblem(t, await ask('/metrics', { method: 'POST' }), 401, 'UNAUTHENTICATED')
})

test('the metrics can be read with GET and HEAD only', async t => {
  const { ask } = await arrange(t, { metrics: true })
  const head = await ask('/metrics', { method: 'HEAD' })
  t.equal(head.status, 200)
  t.equal(head.text, '')
  const options = await ask('/metrics', { method: 'OPTIONS' })
  t.equal(options.status, 204)
  t.equal(options.headers.get('allow'), 'HEAD, GET, OPTIONS')
  isProblem(t, await ask('/metrics', { method: 'POST', body: 'x' }), 405, 'METHOD_NOT_ALLOWED')
  isProblem(t, await ask('/metrics/', {}), 404, 'NOT_FOUND')
})

test('a scrape does not count in the rate limit', async t => {
  const { ask } = await arrange(t, { metrics: true, rateLimit: 2 })
  for (let times = 0; times < 5; times++) t.equal((await ask('/metrics')).status, 200)
  t.equal((await ask('/one')).status, 200)
  t.equal((await ask('/one')).status, 200)
  t.equal((await ask('/one')).status, 429)
  t.equal((await ask('/metrics')).status, 200, 'a client that exceeds the limit can scrape')
})

test('a scrape is answered while runs are refused', async t => {
  const { promise, resolve } = Promise.withResolvers<number>()
  const started = new EventEmitter()
  let runs = 0
  const hung = aggregate('hung', { url: '/hung', deadline: 60_000 })
    .required('it', () => {
      runs++
      started.emit('run')
      return promise
    })
    .reply(z.number(), ({ it }) => it)
  const ask = await listening(t, buildApp([hung], { metricsSource, metrics: true, pressure: { runs: 1 } }))
  const running = ask('/hung')
  await untilEvent(started, 'run', () => runs === 1)
  isProblem(t, await ask('/hung'), 503, 'OVERLOADED')
  t.equal((await ask('/metrics')).status, 200)
  resolve(1)
  t.equal((await running).status, 200)
})

test('metrics that cannot be rendered are a problem that shows no reason', async t => {
  const failing: MetricsSource = { render: () => Promise.reject(new Error('SECRET-9f2d')) }
  const { ask, lines } = await arrange(t, { metrics: true, metricsSource: failing })
  const failed = await ask<ProblemBody>('/metrics')
  isProblem(t, failed, 500, 'INTERNAL')
  t.notMatch(failed.text, 'SECRET-9f2d')
  t.match(lines.join(''), 'SECRET-9f2d')
})

test('a scrape has a line in the log at the level debug only, and no line has the key', async t => {
  const { ask, lines, written } = await arrange(t, { metrics: { key: adminKey } }, 'debug')
  await ask('/metrics', { headers: bearer(adminKey) })
  await ask('/metrics', { headers: bearer(`${adminKey}-wrong`) })
  const parsed = () => lines.map(line => JSON.parse(line) as LogLine)
  await untilEvent(written, 'line', () => parsed().some(({ msg }) => msg === 'request refused'))
  t.match(
    parsed().filter(({ msg }) => msg === 'request completed'),
    [{ level: 20, req: { url: '/metrics' } }],
  )
  t.notMatch(lines.join(''), adminKey)
})

test('an aggregate with the path of the metrics is refused if the app serves them', async t => {
  for (const [url, metrics] of [
    ['/metrics', true],
    ['/metrics', { key: adminKey }],
    ['/%6detrics', true],
  ] as const) {
    for (const method of ['GET', 'POST'] as const) {
      const taken = aggregate('taken', { url, method }).reply(z.number(), () => 1)
      const app = buildApp([one, taken], { metricsSource, metrics })
      t.teardown(() => app.close())
      await t.rejects(
        async () => app.ready(),
        {
          name: 'TypeError',
          message: `app: the url of the aggregate 'taken' is ${url}, where the app serves its metrics`,
        },
        `${method} ${url}`,
      )
    }
  }
})

test('an aggregate has the path of the metrics if the app does not serve them', async t => {
  const taken = aggregate('taken', { url: '/metrics' }).reply(z.number(), () => 2)
  const ask = await listening(t, buildApp([taken], { metricsSource }))
  t.match(await ask('/metrics'), { status: 200, body: { data: 2 } })
})

test('the metrics route precedes an aggregate whose template matches its path', async t => {
  const named = aggregate('named', { url: '/{name}', params: z.object({ name: z.string() }) }).reply(
    z.string(),
    ({ params }) => params.name,
  )
  const ask = await listening(t, buildApp([named], { metricsSource, metrics: { key: adminKey } }))
  t.equal((await ask('/metrics')).status, 401)
  t.match(await ask('/other'), { status: 200, body: { data: 'other' } })
})

test('the API document does not have the metrics', async t => {
  const { ask } = await arrange(t, { metrics: true })
  const { body } = await ask<{ readonly paths: object }>('/openapi.json')
  t.same(
    Object.keys(body.paths).filter(path => path.startsWith('/metrics')),
    [],
  )
})

test('a wrong option metrics is refused, and the message shows no key', async t => {
  for (const [metrics, message] of [
    ['yes', "app: metrics must be an object such as true, or { key: '…' }, got a string"],
    [null, "app: metrics must be an object such as true, or { key: '…' }, got null"],
    [{ keys: adminKey }, "app: unknown option 'metrics.keys': use key"],
    [{}, "app: metrics.key is missing: it must be a string such as 'a secret of at least 16 characters'"],
    [{ key: 7 }, "app: metrics.key must be a string such as 'a secret of at least 16 characters', got a number"],
    [{ key: 'short' }, 'app: metrics.key has fewer than 16 characters: use 16 or more'],
    [{ key: 'sixteen or more characters' }, 'app: metrics.key has a character that a bearer token cannot contain'],
    [{ key: apiKey }, 'app: metrics.key is also in keys, and callers must not have it: use another key'],
  ] as const)
    t.throws(() => buildApp([one], { metrics: metrics as never, keys: [apiKey] }), { name: 'TypeError', message })
})
