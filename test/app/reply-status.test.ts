import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import type { ProblemBody } from '../helpers/problem.ts'
import { serveApp } from '../helpers/served-app.ts'

const Body = z.object({ id: z.string() })

test('a POST replies 201 with a location, or 200 if onReply() says so', async t => {
  const orders = aggregate('orders', { url: '/v1/orders', body: Body })
    .reply(Body, ({ body }) => body, { status: [201, 200] })
    .onReply(({ data }) => (data.id === 'old' ? { status: 200 } : { headers: { location: `/v1/orders/${data.id}` } }))
  const { get } = await serveApp(t, { aggregates: [orders] })
  const post = (id: string) =>
    get('/v1/orders', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id }),
    })
  const made = await post('a')
  t.match(made, { status: 201, body: { data: { id: 'a' }, complete: true, sources: {} } })
  t.same([made.headers.get('location'), made.headers.get('cache-control')], ['/v1/orders/a', 'no-store'])
  const old = await post('old')
  t.match(old, { status: 200, body: { data: { id: 'old' } } })
  t.equal(old.headers.get('location'), null)
})

/** Returns the bytes of the response to one request. */
async function bytesOf(port: number, method: string, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
  return (await text(socket)).toLowerCase()
}

test('a reply with the status 204 has no body, and its headers have the sources', async t => {
  const removed = aggregate('removed', { url: '/removed', method: 'DELETE' })
    .required('one', () => 1)
    .reply(z.null(), () => null, { status: 204 })
  const empty = aggregate('empty', { url: '/empty', cacheControl: 'max-age=60' })
    .required('one', () => 1)
    .reply(z.string().nullable(), () => null, { status: [200, 204] })
    .onReply(({ data }) => (data === null ? { status: 204 } : undefined))
  const { port } = await serveApp(t, { aggregates: [removed, empty] })
  for (const [method, path] of [
    ['DELETE', '/removed'],
    ['GET', '/empty'],
    ['HEAD', '/empty'],
  ] as const) {
    const bytes = await bytesOf(port, method, path)
    t.match(bytes, /^http\/1\.1 204 no content\r\n/, method)
    t.match(bytes, 'cache-control: no-store\r\n', method)
    t.match(bytes, 'headwaters-complete: ?1\r\n', method)
    t.match(bytes, /headwaters-sources: one=ok;start=/, method)
    t.notMatch(bytes, /\r\n(?:content-length|content-type|transfer-encoding|etag|vary):/, method)
    t.match(bytes, /\r\n\r\n$/, `${method}: nothing follows the headers`)
  }
})

test('a reply with another status than 200 has no etag, and HEAD has the status of GET', async t => {
  const some = aggregate('some', { url: '/some', cacheControl: 'max-age=60', query: z.object({ as: z.string() }) })
    .reply(z.string(), ({ query }) => query.as, { status: [200, 203] })
    .onReply(({ data }) => ({ status: data === 'other' ? 203 : 200 }))
  const { get } = await serveApp(t, { aggregates: [some] })
  for (const method of ['GET', 'HEAD']) {
    const other = await get('/some?as=other', { method, headers: { 'if-none-match': '*' } })
    t.same([other.status, other.headers.get('etag'), other.headers.get('cache-control')], [203, null, 'no-store'])
    const plain = await get('/some?as=plain', { method })
    t.match(plain.headers.get('etag'), /^W\//)
    t.same([plain.status, plain.headers.get('cache-control')], [200, 'max-age=60'])
    const same = await get('/some?as=plain', { method, headers: { 'if-none-match': plain.headers.get('etag') ?? '' } })
    t.equal(same.status, 304)
  }
})

test('a cache-control of onReply() replaces the declared one for a complete reply', async t => {
  const upstream = await httpUpstream(t, ({ json }) => json(1, 500))
  const up = defineUpstream(
    'up',
    { origin: upstream.origin, retry: false },
    { one: operation({ path: '/', output: z.number() }) },
  )
  const cached = aggregate('cached', {
    url: '/cached',
    cacheControl: 'max-age=60',
    query: z.object({ as: z.string() }),
  })
    .optional('part', ({ query }) => (query.as === 'partial' ? up.one() : 1), { fallback: null })
    .reply(z.string(), ({ query }) => query.as)
    .onReply(({ query }) => ({
      headers: { 'cache-control': query.as === 'never' ? 'no-store, max-age=0' : 'max-age=9' },
    }))
  const { get } = await serveApp(t, { aggregates: [cached] })
  for (const [as, cacheControl, hasTag] of [
    ['often', 'max-age=9', true],
    ['never', 'no-store, max-age=0', false],
    ['partial', 'no-store', false],
  ] as const) {
    const { status, headers } = await get(`/cached?as=${as}`)
    t.same([status, headers.get('cache-control'), headers.has('etag')], [200, cacheControl, hasTag], as)
    t.equal(headers.has('vary'), hasTag, as)
  }
  t.equal((await get('/cached?as=often', { headers: { 'if-none-match': '*' } })).status, 304)
  t.equal((await get('/cached?as=never', { headers: { 'if-none-match': '*' } })).status, 200)
})

test("a shared cache-control of onReply() is not sent for a reply that depends on the caller's credentials", async t => {
  const upstream = await httpUpstream(t, ({ json }) => json(1))
  const up = defineUpstream(
    'up',
    { origin: upstream.origin, forwardHeaders: ['authorization'] },
    { one: operation({ path: '/', output: z.number() }) },
  )
  const shared = aggregate('shared', {
    url: '/shared',
    cacheControl: 'max-age=60',
    query: z.object({ as: z.string() }),
  })
    .required('one', () => up.one())
    .reply(z.number(), ({ one }) => one)
    .onReply(({ query }) => ({ headers: { 'cache-control': query.as } }))
  const { get } = await serveApp(t, { aggregates: [shared] })
  for (const [as, cacheControl] of [
    ['public', 'no-store'],
    ['private', 'private'],
  ] as const) {
    const { headers } = await get(`/shared?as=${as}`, { headers: { authorization: 'Bearer a' } })
    t.equal(headers.get('cache-control'), cacheControl)
  }
})

test("a problem of refuse has the author's type, code, faults and headers", async t => {
  const refusing = aggregate('refusing', { url: '/refusing/{status}', params: z.object({ status: z.coerce.number() }) })
    .required('one', () => 1)
    .reply(z.null(), ({ params }) =>
      refuse(params.status, 'The shop is closed.', {
        type: 'https://shop.example/problems/closed',
        title: 'Closed',
        code: 'SHOP_CLOSED',
        errors: [{ pointer: '/body/at', reason: 'is at night' }],
        headers: { 'x-opens': '8', 'set-cookie': ['a=1', 'b=2'] },
      }),
    )
  const lines: Record<string, unknown>[] = []
  const { get } = await serveApp(t, {
    aggregates: [refusing],
    logger: {
      level: 'info',
      stream: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    },
  })
  for (const status of [409, 500, 503, 507]) {
    const { headers, body, ...got } = await get<ProblemBody>(`/refusing/${status}`)
    t.equal(got.status, status)
    t.match(body, {
      type: 'https://shop.example/problems/closed',
      title: 'Closed',
      status,
      detail: 'The shop is closed.',
      code: 'SHOP_CLOSED',
      errors: [{ pointer: '/body/at', reason: 'is at night' }],
      sources: { one: { state: 'ok' } },
    })
    t.same([headers.get('x-opens'), headers.getSetCookie()], ['8', ['a=1', 'b=2']])
    t.equal(headers.get('cache-control'), 'no-store')
    t.match(headers.get('content-type'), /^application\/problem\+json/)
    t.equal(headers.get('retry-after'), status === 503 ? '1' : null)
    t.match(lines.at(-1), { level: 30, msg: 'request refused', code: 'REFUSED', detail: 'The shop is closed.' })
  }
})
