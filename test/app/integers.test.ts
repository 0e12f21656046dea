import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate, offload, refuse } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { farStore } from '../helpers/far-store.ts'
import type * as functions from '../helpers/offloaded.ts'
import { problemOf } from '../helpers/problem-of.ts'
import type { ProblemBody } from '../helpers/problem.ts'
import { rawUpstream, written } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'
import { until } from '../helpers/until.ts'

const id = 9_007_199_254_740_993n
const same = offload<typeof functions, 'same'>(new URL('../helpers/offloaded.ts', import.meta.url), 'same')
const said = (text: string, headers: Readonly<Record<string, string>> = {}) =>
  written(200, { 'content-type': 'application/json', ...headers }, text)

/** An upstream whose newest item has this text; every other path answers with the item that was asked for, as text. */
async function ledger(t: Test, newest: string, headers: Readonly<Record<string, string>> = {}) {
  const raw = await rawUpstream(t, (socket, { path, body, headers: sent }) => {
    if (sent.some(([name]) => name === 'if-none-match')) socket.write(written(304, { 'content-length': undefined }, ''))
    else if (path === '/newest') socket.write(said(newest, headers))
    else socket.write(said(JSON.stringify({ asked: path, body })))
  })
  return raw
}

const Asked = z.object({ asked: z.string(), body: z.string() })
const post = (body: string) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body })

/** Asks for the newest item, and then for it by its id. */
async function serve(t: Test, Id: z.ZodType<bigint | number>, newest: string, Wire: z.ZodType = Id) {
  const raw = await ledger(t, newest)
  const up = defineUpstream(
    'ledger',
    { origin: raw.origin, retry: false },
    {
      newest: operation({ path: '/newest', output: z.object({ id: Wire }) }),
      item: operation({
        path: '/items/{id}',
        params: z.object({ id: Id }),
        query: z.object({ after: Id }),
        output: Asked,
      }),
    },
  )
  const item = aggregate('item', { url: '/item' })
    .required('newest', () => up.newest())
    .required('item', ({ newest: { id } }) => up.item({ id, after: id }), { needs: ['newest'] })
    .reply(z.object({ id: Id, asked: z.string() }), ({ newest, item }) => ({
      id: newest.id as bigint,
      asked: item.asked,
    }))
  return { raw, ...(await serveApp(t, { aggregates: [item] })) }
}

test('an id of 64 bits is read, asked for and answered exactly', async t => {
  for (const [schema, text] of [
    [z.bigint(), '9007199254740993'],
    [z.coerce.bigint(), '-9007199254740993'],
    [z.uint64(), '18446744073709551615'],
    [z.bigint(), '5'],
    [z.number(), '1152921504606846976'],
    [z.number(), '9007199254740994'],
  ] as const) {
    const { get } = await serve(t, schema, `{"id":${text},"dropped":9007199254740993}`)
    const { status, text: reply } = await get('/item')
    t.equal(status, 200)
    t.match(reply, `{"data":{"id":${text},"asked":"/items/${text}?after=${text}"},"complete":true,`)
  }
})

test('under a number an id that a double cannot hold is a failure, and no other item is asked for', async t => {
  const { get, raw } = await serve(t, z.number(), '{"id":9007199254740993}')
  const { status, body } = await get<ProblemBody>('/item')
  t.equal(status, 502)
  t.match(body, {
    code: 'UPSTREAM_SCHEMA',
    detail: /one of its values is an integer that a double cannot hold exactly/,
  })
  t.same(
    raw.requests.map(({ path }) => path),
    ['/newest'],
  )
})

test('a coercion of what a step is given rounds no integer either', async t => {
  const { get, raw } = await serve(t, z.coerce.number(), '{"id":9007199254740993}', z.bigint())
  const { body } = await get<ProblemBody>('/item')
  t.match(body, { code: 'UPSTREAM_CALL_INPUT_INVALID' })
  t.same(
    raw.requests.map(({ path }) => path),
    ['/newest'],
  )
})

test('a value of an open schema reaches the reply and other upstreams unchanged', async t => {
  const text = '{"a":[9007199254740993,{"b":-18446744073709551615}],"c":1.5,"d":"9007199254740993"}'
  const raw = await ledger(t, text)
  const Any = z.unknown()
  const up = defineUpstream(
    'ledger',
    { origin: raw.origin, retry: false },
    {
      newest: operation({ path: '/newest', output: Any }),
      put: operation({ path: '/put', method: 'POST', body: Any, output: Asked }),
    },
  )
  const both = aggregate('both', { url: '/both', envelope: false, cacheControl: 'public, max-age=60' })
    .required('newest', () => up.newest())
    .required('put', ({ newest }) => up.put({ body: newest }), { needs: ['newest'] })
    .reply(z.object({ seen: Any, sent: z.string() }), ({ newest, put }) => ({ seen: newest, sent: put.body }))
  const { get } = await serveApp(t, { aggregates: [both] })
  const got = await get('/both')
  t.equal(got.text, `{"seen":${text},"sent":${JSON.stringify(text)}}`)
  t.ok(got.headers.get('etag'))
})

test('1e400 is a failure where null would stand for it', async t => {
  const raw = await ledger(t, '{"a":1e400}')
  for (const output of [
    z.unknown(),
    z.object({ a: z.any() }),
    z.object({ a: z.float64() }),
    z.record(z.string(), z.json()),
  ]) {
    const up = defineUpstream(
      'ledger',
      { origin: raw.origin, retry: false, breaker: false },
      { newest: operation({ path: '/newest', output }) },
    )
    const newest = aggregate('newest', { url: '/newest' })
      .required('newest', () => up.newest())
      .reply(z.unknown(), ({ newest }) => newest)
    const { get } = await serveApp(t, { aggregates: [newest] })
    t.match((await get('/newest')).body, {
      code: 'UPSTREAM_SCHEMA',
      detail: /one of its values is a number beyond the largest double/,
    })
  }
})

/** Sends what it is given to an upstream, and answers with it. */
async function taking(t: Test, body: z.ZodType, sent: z.ZodType = body) {
  const raw = await ledger(t, '')
  const up = defineUpstream(
    'ledger',
    { origin: raw.origin, retry: false },
    { put: operation({ path: '/put', method: 'POST', body: sent, output: Asked }) },
  )
  const put = aggregate('put', {
    url: '/put/{id}',
    params: z.object({ id: z.coerce.bigint() }),
    query: z.object({ page: z.coerce.number().optional() }),
    body,
  })
    .required('put', ({ body }) => up.put({ body }))
    .reply(z.object({ id: z.bigint(), body: z.unknown(), sent: z.string() }), ({ params, body, put }) => ({
      id: params.id,
      body,
      sent: put.body,
    }))
  return serveApp(t, { aggregates: [put] })
}

test("a caller's integers are read, sent on and answered exactly", async t => {
  const Body = z.object({ id: z.bigint(), tags: z.array(z.int64()), any: z.unknown(), count: z.number() })
  const { get } = await taking(t, Body)
  const body =
    '{"id":9007199254740993,"tags":[5,-9223372036854775808],"any":{"x":9007199254740995},"count":9007199254740994}'
  const got = await get('/put/9007199254740993', post(body))
  t.equal(got.status, 200)
  t.match(got.text, `{"data":{"id":9007199254740993,"body":${body},"sent":${JSON.stringify(body)}}`)
})

test('an integer that would be rounded is refused with its place and the reason', async t => {
  const { get } = await taking(
    t,
    z.object({ list: z.array(z.union([z.number(), z.null()])), any: z.unknown(), id: z.bigint() }).partial(),
  )
  const reasons: readonly (readonly [string, string, string])[] = [
    ['{"list":[1,9007199254740993]}', '/body/list/1', 'is an integer that a double cannot hold exactly'],
    ['{"any":{"deep":[1e400]}}', '/body/any', 'is a number beyond the largest double'],
    ['{"id":1.5}', '/body/id', 'is not an integer: write its digits without a fraction and an exponent'],
  ]
  for (const [body, pointer, reason] of reasons)
    t.match(
      await get('/put/1', post(body)),
      { status: 400, body: { code: 'INPUT_INVALID', errors: [{ pointer, reason }] } },
      body,
    )
  t.match(await get('/put/1?page=9007199254740993', post('{}')), {
    status: 400,
    body: { errors: [{ pointer: '/query/page', reason: 'is an integer that a double cannot hold exactly' }] },
  })
  t.equal(
    (await get('/put/1', post('{"other":9007199254740993,"list":[1]}'))).status,
    200,
    'what is dropped does not matter',
  )
  t.match(
    await get('/put/1', post('{"__proto__":9007199254740993}')),
    { status: 400, body: { code: 'BAD_REQUEST' } },
    'and what smuggles is refused as before',
  )
})

test('a cached answer and a shared answer keep exact integers', async t => {
  const text = '{"id":9007199254740993,"any":[9007199254740995],"small":5}'
  const Item = z.object({ id: z.bigint(), any: z.unknown(), small: z.bigint() })
  for (const control of ['max-age=60', 'no-cache']) {
    const raw = await ledger(t, text, { 'cache-control': control, etag: '"a"' })
    const up = defineUpstream(
      'ledger',
      { origin: raw.origin, retry: false },
      { newest: operation({ path: '/newest', output: Item, cache: true }) },
    )
    const newest = aggregate('newest', { url: '/newest' })
      .required('one', () => up.newest())
      .required('two', () => up.newest())
      .reply(z.tuple([Item, Item]), ({ one, two }) => [one, two] as const as never)
    const { get } = await serveApp(t, { aggregates: [newest] })
    for (let round = 0; round < 3; round++)
      t.match((await get('/newest')).text, `{"data":[${text},${text}],"complete":true`)
    t.equal(raw.requests.length, control === 'no-cache' ? 3 : 1)
    const { store, held } = farStore(60_000)
    for (let round = 0; round < 2; round++) {
      const runtime = createRuntime({ cacheStore: store })
      t.teardown(() => runtime.close())
      t.strictSame(
        (await fanOut(newest, {}, { runtime })).data,
        [1, 2].map(() => ({ id, any: [id + 2n], small: 5n })),
        'also from a store elsewhere',
      )
      await until(() => held.size !== 0)
    }
  }
})

test('a fallback, a function in a thread and a hook carry bigints', async t => {
  const raw = await rawUpstream(t, written(500, {}, ''))
  const up = defineUpstream(
    'ledger',
    { origin: raw.origin, retry: false, breaker: false },
    { newest: operation({ path: '/newest', output: z.object({ id: z.bigint() }) }) },
  )
  const newest = aggregate('newest', { url: '/newest', deadline: 20_000, body: z.object({ id: z.bigint() }) })
    .optional('newest', () => up.newest(), { fallback: { id } })
    .reply(z.object({ id: z.bigint(), again: z.unknown() }), async ({ newest, body }) => ({
      ...newest,
      again: await same(body),
    }))
    .onReply(({ data }) => ({ headers: { 'x-id': String(data.id) } }))
  const { get } = await serveApp(t, { aggregates: [newest] })
  const got = await get('/newest', post('{"id":9007199254740995}'))
  t.match(got.text, '{"data":{"id":9007199254740993,"again":{"id":9007199254740995}},"complete":false')
  t.equal(got.headers.get('x-id'), '9007199254740993')
})

test('a run without Fastify gives bigints as they are', async t => {
  const raw = await ledger(t, '{"id":9007199254740993}')
  const up = defineUpstream(
    'ledger',
    { origin: raw.origin, retry: false },
    { newest: operation({ path: '/newest', output: z.object({ id: z.bigint() }) }) },
  )
  const newest = aggregate('newest', { url: '/newest', body: z.object({ id: z.bigint() }) })
    .required('newest', ({ body }) => (body.id === id ? up.newest() : refuse(422, 'another id')))
    .reply(z.object({ id: z.bigint() }), ({ newest }) => newest)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  t.same((await fanOut(newest, { body: { id } }, { runtime })).data, { id })
  t.match(await problemOf(fanOut(newest, { body: { id: 5 } }, { runtime })), { statusCode: 422 })
})
