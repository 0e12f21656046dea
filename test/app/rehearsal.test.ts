import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { openStream } from '../../src/client/index.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'

const Text = z.string().nullable()

async function open(t: Test, options: AppOptions = {}) {
  const upstream = await httpUpstream(t, ({ request, json }) => json(request.url))
  const cats = defineUpstream(
    'cats',
    { origin: upstream.origin, forwardHeaders: ['accept-language'] },
    { ask: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.string() }) },
  )
  const declare = (name: string, envelope: boolean) =>
    aggregate(name, { url: `/${name}`, envelope, cacheControl: 'public, max-age=60' })
      .required('meow', () => cats.ask({ id: 'meow' }))
      .optional('Ninja', () => cats.ask({ id: 'ninja' }), { fallback: null })
      .reply(z.object({ meow: Text, ninja: Text }), ({ meow, Ninja: ninja }) => ({ meow, ninja }))
  const own = aggregate('own', { url: '/own', headers: z.record(z.string(), z.string()) })
    .required('meow', () => cats.ask({ id: 'meow' }))
    .reply(z.array(z.string()), ({ headers }) => Object.keys(headers))
  const aggregates = [declare('boxed', true), declare('bare', false), own]
  const app = buildApp(aggregates, { rehearsal: true, ...options })
  t.teardown(() => app.close())
  const get = async (url: string, fault?: string) => {
    const headers = fault === undefined ? {} : { 'x-headwaters-fault': fault }
    const { statusCode, headers: got, body } = await app.inject({ url, headers })
    return { status: statusCode, headers: got, body: body === '' ? undefined : (JSON.parse(body) as unknown) }
  }
  return { upstream, aggregates, app, get }
}

test('a request with faults has them in its sources, and a reply that is not stored', async t => {
  const { get, upstream } = await open(t)
  const { headers, body } = await get('/boxed', 'meow=delay:30, Ninja=fail:503')
  t.match(body, {
    data: { meow: '/meow', ninja: null },
    complete: false,
    sources: {
      meow: { state: 'ok', attempts: 1, status: 200, fault: 'delay:30' },
      Ninja: { state: 'fallback', attempts: 0, status: 503, code: 'UPSTREAM_BUSY', fault: 'fail:503' },
    },
  })
  t.equal(headers['cache-control'], 'no-store')
  t.same(upstream.log, ['GET /meow'])
})

test('a complete reply with a fault is not stored, has no entity tag and is never 304', async t => {
  const { get, app } = await open(t)
  const plain = await get('/boxed')
  t.match(plain, { status: 200, headers: { 'cache-control': 'public, max-age=60', etag: /^W/ } })
  const { status, headers, body } = await get('/boxed', 'meow=delay:1')
  t.match(body, { complete: true })
  t.match(
    { status, cacheControl: headers['cache-control'], etag: headers.etag },
    { status: 200, cacheControl: 'no-store', etag: undefined },
  )
  const conditional = await app.inject({
    url: '/boxed',
    headers: { 'x-headwaters-fault': 'meow=delay:1', 'if-none-match': String(plain.headers.etag) },
  })
  t.equal(conditional.statusCode, 200)
})

test('a cache-control of onReply() does not make a reply with a fault storable', async t => {
  const described = aggregate('stored', { url: '/stored', method: 'POST' })
    .optional('meow', () => 1, { fallback: null })
    .reply(z.unknown(), () => 1)
    .onReply(() => ({ headers: { 'cache-control': 'private, max-age=600' } }))
  const app = buildApp([described], { rehearsal: true })
  t.teardown(() => app.close())
  const post = { method: 'POST', url: '/stored' } as const
  t.equal((await app.inject(post)).headers['cache-control'], 'private, max-age=600')
  const { headers } = await app.inject({ ...post, headers: { 'x-headwaters-fault': 'meow=drop' } })
  t.equal(headers['cache-control'], 'no-store')
})

test('the headers of a reply without the envelope have the faults', async t => {
  const { get } = await open(t)
  const { headers } = await get('/bare', 'meow=delay:1,Ninja=drop')
  t.match(
    headers['headwaters-sources'],
    /^meow=ok;.*;status=200;fault=delay:1, ninja=fallback;.*;code=UPSTREAM_RESET;fault=drop$/,
  )
})

test('callers that see states see the faults, and callers that see nothing do not', async t => {
  const states = await open(t, { sources: 'states' })
  t.match((await states.get('/boxed', 'Ninja=drop')).body, {
    sources: { meow: { state: 'ok' }, Ninja: { state: 'fallback', fault: 'drop' } },
  })
  t.equal((await states.get('/bare', 'Ninja=drop')).headers['headwaters-sources'], 'meow=ok, ninja=fallback;fault=drop')
  t.match((await states.get('/boxed', 'meow=fail:500')).body, {
    sources: { meow: { state: 'failed', fault: 'fail:500' } },
  })
  const none = await open(t, { sources: 'none' })
  t.same((await none.get('/boxed', 'Ninja=drop')).body, { data: { meow: '/meow', ninja: null }, complete: false })
})

test('a wrong list of faults is a 400 with a reason for each fault', async t => {
  const { get, upstream } = await open(t)
  const { status, body } = await get('/boxed', 'mew=drop,Ninja=slow')
  const pointer = '/headers/x-headwaters-fault'
  t.equal(status, 400)
  t.match(body, {
    code: 'INPUT_INVALID',
    errors: [
      { pointer, reason: "must name a step, got 'mew': did you mean 'meow'?" },
      { pointer, reason: /^must have a fault of 'Ninja' that is delay:MS/ },
    ],
  })
  t.equal((await get('/boxed', 'x'.repeat(2000))).status, 400)
  t.same(upstream.log, [])
})

test('without the option the header changes nothing, even if it is wrong', async t => {
  const { get } = await open(t, { rehearsal: false })
  for (const fault of ['Ninja=drop', 'mew=slow', 'x'.repeat(2000)]) {
    const { status, headers, body } = await get('/boxed', fault)
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'public, max-age=60')
    t.match(body, { complete: true, sources: { Ninja: { state: 'ok', fault: undefined } } })
  }
})

test('buildApp and the plugin rehearse only with the option, which is a boolean', async t => {
  t.throws(() => buildApp([], { rehearsal: 'yes' as never }), {
    message: 'app: rehearsal must be true or false, got a string',
  })
  const { aggregates } = await open(t)
  for (const rehearsal of [undefined, false, true]) {
    const app = fastify()
    t.teardown(() => app.close())
    await app.register(headwaters, { aggregates, ...(rehearsal !== undefined && { rehearsal }) })
    const { sources } = (await app.inject({ url: '/boxed', headers: { 'x-headwaters-fault': 'Ninja=drop' } })).json<{
      sources: { Ninja: { fault?: string } }
    }>()
    t.equal(sources.Ninja.fault, rehearsal === true ? 'drop' : undefined)
  }
  const app = fastify()
  t.teardown(() => app.close())
  await t.rejects(async () => app.register(headwaters, { aggregates: [], rehearsal: 1 as never }), /rehearsal must be/)
})

test('steps and upstreams do not see the header of a rehearsal', async t => {
  const { get } = await open(t)
  const names = async (fault?: string) => ((await get('/own', fault)).body as { data: string[] }).data
  t.same(await names('meow=delay:1'), await names())
  t.throws(
    () => defineUpstream('bad', { origin: 'http://bad.test', forwardHeaders: ['X-Headwaters-Fault'] }, {}),
    /'X-Headwaters-Fault'.*asks for rehearsed faults/,
  )
})

test('a stream of a run with faults has them in its sources and in its reply', async t => {
  const { app } = await open(t)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const events = []
  for await (const event of openStream(`${origin}/boxed`, { headers: { 'x-headwaters-fault': 'Ninja=drop' } }))
    events.push(event)
  t.match(
    events.find(event => event.event === 'source' && event.name === 'Ninja'),
    { outcome: { state: 'fallback', code: 'UPSTREAM_RESET', fault: 'drop' } },
  )
  t.match(events.at(-1), {
    event: 'reply',
    headers: { 'cache-control': 'no-store' },
    body: { complete: false, sources: { Ninja: { fault: 'drop' } } },
  })
})

test('a source of a stream has its fault with states too', async t => {
  const { app } = await open(t, { sources: 'states' })
  const { body } = await app.inject({
    url: '/boxed',
    headers: { accept: 'application/x-ndjson', 'x-headwaters-fault': 'Ninja=drop' },
  })
  const events = body
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { readonly name?: string })
  t.match(
    events.find(({ name }) => name === 'Ninja'),
    { outcome: { state: 'fallback', fault: 'drop' } },
  )
})

test('the log line of a run has its faults, and an app that listens warns that faults are possible', async t => {
  const lines: { readonly msg?: string; readonly sources?: object }[] = []
  const logger = { level: 'info', stream: { write: (line: string) => void lines.push(JSON.parse(line) as object) } }
  const { app, get } = await open(t, { logger })
  await get('/boxed', 'meow=delay:1')
  t.match(
    lines.find(({ sources }) => sources !== undefined),
    { sources: { meow: { state: 'ok', fault: 'delay:1' } } },
  )
  lines.length = 0
  await get('/boxed', 'Ninja=fail:500')
  t.match(
    lines.find(({ sources }) => sources !== undefined),
    {
      sources: { Ninja: { state: 'fallback', code: 'UPSTREAM_STATUS', fault: 'fail:500' } },
    },
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.match(
    lines.filter(({ msg }) => msg?.startsWith('fault rehearsal')),
    [{ level: 40, msg: 'fault rehearsal is on; a caller can add faults with x-headwaters-fault' }],
  )
})

test('a page of another origin may send the header of a rehearsal', async t => {
  const { app } = await open(t, { corsOrigins: ['http://shop.test'] })
  const { statusCode, headers } = await app.inject({
    method: 'OPTIONS',
    url: '/boxed',
    headers: {
      origin: 'http://shop.test',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'x-headwaters-fault',
    },
  })
  t.equal(statusCode, 204)
  t.match(headers['access-control-allow-headers'], /x-headwaters-fault/)
})

test('a problem of a rehearsed failure is not stored and has the fault', async t => {
  const { get } = await open(t)
  const { status, headers, body } = await get('/boxed', 'meow=fail:503')
  t.equal(status, 503)
  t.equal(headers['cache-control'], 'no-store')
  t.match(body, { code: 'UPSTREAM_BUSY', sources: { meow: { state: 'failed', fault: 'fail:503' } } })
})
