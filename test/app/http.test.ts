import { test } from 'tap'
import { z } from 'zod'
import { meowfacts } from '../../src/clients/meowfacts.ts'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'

const Facts = z.object({ data: z.array(z.string()) })
const kept = aggregate('kept', {
  url: '/kept',
  cacheControl: 'public, max-age=60',
  headers: z.object({ 'x-tone': z.string().optional() }),
})
  .optional('meow', () => meowfacts.facts(), { fallback: { data: [] } })
  .reply(Facts, ({ meow }) => meow)
const bare = aggregate('bare', { url: '/bare', envelope: false })
  .optional('meow', () => meowfacts.facts(), { fallback: { data: [] } })
  .reply(Facts, ({ meow }) => meow)
const both = [kept, bare]
const said = json({ data: ['Cats purr.'] })

test('a method without a route is 405 with the allowed methods, whatever else is wrong', async t => {
  const { get } = await serveApp(t)
  const text = { 'content-type': 'text/plain' }
  for (const request of [
    { method: 'DELETE' },
    { method: 'PUT' },
    { method: 'POST', body: 'x', headers: text },
    { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } },
    { method: 'PROPFIND' },
  ]) {
    const got = await get<ProblemBody>('/v1/cat-facts?count=0', request)
    isProblem(t, got, 405, 'METHOD_NOT_ALLOWED')
    t.equal(got.body.detail, `This path does not support ${request.method}: use one of HEAD, GET, OPTIONS.`)
    t.equal(got.headers.get('allow'), 'HEAD, GET, OPTIONS')
  }
  const got = await get<ProblemBody>('/v1/postcards')
  isProblem(t, got, 405, 'METHOD_NOT_ALLOWED')
  t.equal(got.headers.get('allow'), 'POST, OPTIONS')
})

test('OPTIONS replies with the allowed methods and calls no upstream', async t => {
  const meow = await rawUpstream(t, said)
  const { get } = await serveApp(t, { overrides: { meowfacts: { origin: meow.origin } } })
  for (const headers of [{}, { 'content-type': 'text/plain' }]) {
    const { status, headers: replied, text } = await get('/v1/cat-facts?count=0', { method: 'OPTIONS', headers })
    t.match(
      { status, text, allow: replied.get('allow') },
      { status: 204, text: '', allow: 'HEAD, GET, OPTIONS' },
      JSON.stringify(headers),
    )
  }
  t.equal(meow.requests.length, 0)
})

test('two aggregates may share a path by their methods', async t => {
  const path = z.object({ id: z.string() })
  const read = aggregate('read', { url: '/things/{id}', params: path }).reply(
    z.object({ id: z.string() }),
    ({ params }) => params,
  )
  const write = aggregate('write', { url: '/things/{id}', params: path, method: 'PUT' }).reply(
    z.object({ id: z.string() }),
    ({ params }) => params,
  )
  const { get } = await serveApp(t, { aggregates: [read, write] })
  for (const method of ['GET', 'PUT'])
    t.match(await get('/things/a', { method }), { status: 200, body: { data: { id: 'a' } } }, method)
  t.equal((await get('/things/a', { method: 'DELETE' })).headers.get('allow'), 'HEAD, GET, PUT, OPTIONS')
})

test('a caller that does not accept JSON gets 406 before an upstream is called', async t => {
  const meow = await rawUpstream(t, said)
  const { get } = await serveApp(t, { overrides: { meowfacts: { origin: meow.origin } } })
  isProblem(t, await get<ProblemBody>('/v1/cat-facts', { headers: { accept: 'image/png' } }), 406, 'NOT_ACCEPTABLE')
  t.equal(meow.requests.length, 0)
})

test('a complete reply is cacheable, and is not sent again to a caller that has it', async t => {
  const meow = await rawUpstream(t, said)
  const { get } = await serveApp(t, { aggregates: both, overrides: { meowfacts: { origin: meow.origin } } })
  const { status, headers } = await get('/kept')
  t.equal(status, 200)
  t.equal(headers.get('cache-control'), 'public, max-age=60')
  t.equal(headers.get('vary'), 'accept, x-tone')
  const tag = headers.get('etag') ?? ''
  t.match(tag, /^W\/"[\w-]+"$/)
  for (const known of [tag, tag.slice(2), `"other", ${tag}`, '*']) {
    const again = await get<undefined>('/kept', { headers: { 'if-none-match': known } })
    t.equal(again.status, 304, known)
    t.equal(again.text, '')
    t.equal(again.headers.get('etag'), tag)
    t.equal(again.headers.get('cache-control'), 'public, max-age=60')
  }
  t.equal((await get('/kept', { headers: { 'if-none-match': '"other"' } })).status, 200)
})

test('a partial reply is not cacheable', async t => {
  const meow = await rawUpstream(t, json({}, 500))
  const { get } = await serveApp(t, { aggregates: both, overrides: { meowfacts: { origin: meow.origin } } })
  const { status, headers } = await get('/kept', { headers: { 'if-none-match': '*' } })
  t.equal(status, 200)
  t.equal(headers.get('cache-control'), 'no-store')
  t.equal(headers.get('etag'), null)
})

test('without an envelope the data stands alone, and the rest is in headers', async t => {
  let isWell = true
  const meow = await rawUpstream(t, socket => socket.write(isWell ? said : json({}, 500)))
  const { get } = await serveApp(t, { aggregates: both, overrides: { meowfacts: { origin: meow.origin } } })
  const whole = await get('/bare')
  t.same(whole.body, { data: ['Cats purr.'] })
  t.equal(whole.headers.get('headwaters-complete'), '?1')
  t.match(whole.headers.get('headwaters-sources'), /^meow=ok;start=[\d.]+;ms=[\d.]+;attempts=1;status=200$/)
  isWell = false
  const partial = await get('/bare')
  t.same(partial.body, { data: [] })
  t.equal(partial.headers.get('headwaters-complete'), '?0')
  t.match(
    partial.headers.get('headwaters-sources'),
    /^meow=fallback;start=[\d.]+;ms=[\d.]+;attempts=2;status=500;code=UPSTREAM_STATUS$/,
  )
})

test('Server-Timing has a metric for each step', async t => {
  const { get } = await serveApp(t)
  const { headers } = await get('/v1/cat-facts')
  t.match(
    headers.get('server-timing'),
    /^ninja;dur=[\d.]+;desc="ok", meow;dur=[\d.]+;desc="ok", picture;dur=[\d.]+;desc="ok"$/,
  )
})

test("every reply has a request id: the caller's if it is valid, or a new one", async t => {
  const { get } = await serveApp(t)
  for (const path of ['/v1/cat-facts', '/nowhere', '/health/live', '/v1/cat-facts?count=0']) {
    t.equal((await get(path, { headers: { 'x-request-id': 'a-1:b.c' } })).headers.get('x-request-id'), 'a-1:b.c', path)
    t.match((await get(path)).headers.get('x-request-id'), /^[0-9a-f-]{36}$/, path)
  }
  for (const id of ['two words', 'x'.repeat(129), '<b>', '"'])
    t.match(
      (await get('/health/live', { headers: { 'x-request-id': id } })).headers.get('x-request-id'),
      /^[0-9a-f-]{36}$/,
      id,
    )
  const { body } = await get<ProblemBody & { instance: string }>('/nowhere', { headers: { 'x-request-id': 'a-1' } })
  t.match(body.instance, /a-1$/)
})

test('a colon in a path is a colon', async t => {
  const batch = aggregate('batch', { url: '/v1/things:batch' }).reply(z.number(), () => 1)
  const { get } = await serveApp(t, { aggregates: [batch] })
  t.equal((await get('/v1/things:batch')).status, 200)
  isProblem(t, await get<ProblemBody>('/v1/thingsFOO'), 404, 'NOT_FOUND')
})

test('a star in a path is rejected, since a router treats it as a wildcard', async t => {
  t.throws(() => aggregate('all', { url: '/v1/all*' }), /encode it as %2A/)
})

test('routes other than aggregates reply with their allowed methods too', async t => {
  const { get } = await serveApp(t)
  for (const path of ['/health/live', '/health/ready', '/openapi.json', '/openapi.yaml', '/docs']) {
    const got = await get<ProblemBody>(path, { method: 'POST' })
    isProblem(t, got, 405, 'METHOD_NOT_ALLOWED')
    t.equal(got.headers.get('allow'), 'HEAD, GET, OPTIONS')
    t.match(await get(path, { method: 'OPTIONS' }), { status: 204 })
  }
})

test('a HEAD with a current entity tag gets 304 without a false content-length', async t => {
  const meow = await rawUpstream(t, said)
  const { get } = await serveApp(t, { aggregates: both, overrides: { meowfacts: { origin: meow.origin } } })
  for (const path of ['/kept', '/openapi.json', '/docs']) {
    const tag = (await get(path, { method: 'HEAD' })).headers.get('etag') ?? ''
    const got = await get(path, { method: 'HEAD', headers: { 'if-none-match': tag } })
    t.equal(got.status, 304, path)
    t.equal(got.headers.get('content-length'), null)
    t.equal(got.headers.get('etag'), tag)
  }
})

test('a reply to a method other than GET is not cacheable, so it is never 304', async t => {
  t.throws(
    () => aggregate('posted', { url: '/posted', body: z.object({}), cacheControl: 'public' }),
    /remove cacheControl/,
  )
})

test('one value of a list is a list of one, and one number of a list of numbers too', async t => {
  const lists = aggregate('lists', {
    url: '/lists',
    query: z.object({ tags: z.array(z.string()).optional(), ids: z.array(z.coerce.number()).default([]) }),
  }).reply(z.unknown(), ({ query }) => query)
  const { get } = await serveApp(t, { aggregates: [lists] })
  t.match((await get('/lists?tags=a&ids=1')).body, { data: { tags: ['a'], ids: [1] } })
  t.match((await get('/lists?tags=a&tags=b')).body, { data: { tags: ['a', 'b'], ids: [] } })
  isProblem(t, await get<ProblemBody>('/lists?ids='), 400, 'INPUT_INVALID')
})

test('a refusal can have a retry-after', async t => {
  const busy = aggregate('busy', { url: '/busy' }).reply(z.unknown(), () =>
    refuse(429, 'One at a time.', { retryAfterSeconds: 7 }),
  )
  const { get } = await serveApp(t, { aggregates: [busy] })
  const got = await get<ProblemBody>('/busy')
  isProblem(t, got, 429, 'REFUSED')
  t.equal(got.headers.get('retry-after'), '7')
})

test('at most a hundred faults are listed', async t => {
  const many = aggregate('many', { url: '/many', body: z.array(z.string().min(1)) }).reply(z.unknown(), () => 1)
  const { get } = await serveApp(t, { aggregates: [many] })
  const got = await get<ProblemBody>('/many', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(Array.from({ length: 5000 }, () => '')),
  })
  isProblem(t, got, 400, 'INPUT_INVALID')
  t.equal(got.body.errors?.length, 100)
})

test('a missing field and a value that is not a number are faults', async t => {
  const { get } = await serveApp(t)
  t.match((await get<ProblemBody>('/v1/cat-facts?count=many')).body.errors, [
    { pointer: '/query/count', reason: 'must be a number' },
  ])
  t.match(
    (
      await get<ProblemBody>('/v1/postcards', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"breeds":["abys"]}',
      })
    ).body.errors,
    [{ pointer: '/body/greeting', reason: 'is missing' }],
  )
})

test('a reply before routing has a request id too', async t => {
  const { get } = await serveApp(t)
  const got = await get<ProblemBody & { instance: string }>('/%zz')
  isProblem(t, got, 400, 'BAD_REQUEST')
  t.equal(got.body.instance, `urn:headwaters:request:${got.headers.get('x-request-id')}`)
})

test("a path parameter in a router's syntax is rejected, and the message has the right syntax", async t => {
  t.throws(() => aggregate('breeds', { url: '/v1/breeds/:breed' }), /write \{breed\} for a parameter/)
})

test('the log says why an upstream failed, whether the reply failed with it or not', async t => {
  const lines: string[] = []
  const logger = {
    level: 'info',
    stream: {
      write: (line: string) => {
        lines.push(line)
      },
    },
  }
  const wrong = await rawUpstream(t, json({ data: 'seven' }))
  const needed = aggregate('needed', { url: '/needed' })
    .required('meow', () => meowfacts.facts())
    .reply(z.unknown(), () => 1)
  const { get } = await serveApp(t, {
    aggregates: [kept, needed],
    overrides: { meowfacts: { origin: wrong.origin } },
    logger,
  })
  const said = (message: string) =>
    lines.map(line => JSON.parse(line) as { msg: string }).find(({ msg }) => msg === message)

  t.equal((await get('/kept')).status, 200)
  t.match(said('reply is partial'), {
    aggregate: 'kept',
    sources: { meow: { code: 'UPSTREAM_SCHEMA', why: /^data: .*expected array/ } },
  })
  const failed = await get('/needed')
  t.match(said('request failed'), { code: 'UPSTREAM_SCHEMA', why: /^data: .*expected array/ })
  t.notMatch(failed.text, 'expected array', 'and the caller hears nothing of it')

  const { get: reach } = await serveApp(t, {
    aggregates: [needed],
    overrides: { meowfacts: { origin: 'http://127.0.0.1:1' } },
    logger,
  })
  lines.length = 0
  await reach('/needed')
  t.match(said('request failed'), { code: 'UPSTREAM_UNREACHABLE', why: /ECONNREFUSED/ })
})

test('refusals by the service do not flood the log: the first of each code have a line, and one line counts the others', async t => {
  const lines: string[] = []
  const logger = {
    level: 'debug',
    stream: {
      write: (line: string) => {
        lines.push(line)
      },
    },
  }
  const full = defineUpstream(
    'full',
    { origin: 'http://127.0.0.1:1', concurrency: 1, maxQueue: 0, retry: false },
    { ask: operation({ path: '/', output: z.unknown() }) },
  )
  const asked = aggregate('asked', { url: '/asked', deadline: 1 })
    .required('it', () => full.ask())
    .reply(z.unknown(), () => 1)
  const { app, get } = await serveApp(t, {
    aggregates: [asked],
    logger,
    overrides: { full: { origin: (await rawUpstream(t, () => {})).origin } },
  })
  const replies = await Promise.all(Array.from({ length: 30 }, () => get<ProblemBody>('/asked')))
  const refused = replies.filter(({ body }) => body.code === 'BULKHEAD_FULL').length
  t.ok(refused > 10)
  await app.close()
  const all = lines.map(line => JSON.parse(line) as { msg: string; code?: string; level: number; refused?: object })
  const said = all.filter(({ code }) => code === 'BULKHEAD_FULL')
  t.ok(said.every(({ msg }) => msg === 'request refused'))
  t.same(
    [said.filter(({ level }) => level === 30).length, said.filter(({ level }) => level === 20).length],
    [10, refused - 10],
  )
  t.match(
    all.find(({ msg }) => msg === 'more requests refused'),
    { refused: { BULKHEAD_FULL: refused - 10 } },
  )
})
