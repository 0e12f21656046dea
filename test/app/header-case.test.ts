import { test } from 'tap'
import { z } from 'zod'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { readInput } from '../../src/commands/run/read-input.ts'
import { lowerCased } from '../../src/core/end-to-end.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { runAggregate, scriptedUpstream } from '../../src/testing/index.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { echoUpstream } from '../helpers/echo-upstream.ts'
import type { ProblemBody } from '../helpers/problem.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'

const Any = z.unknown()

test('a header schema accepts a header in any case', async t => {
  const Tenant = z.object({ 'X-Tenant': z.string(), 'X-Count': z.coerce.number().optional() })
  const schemas: Readonly<Record<string, z.ZodType>> = {
    plain: Tenant,
    strict: z.strictObject(Tenant.shape),
    loose: z.looseObject(Tenant.shape),
    readonly: Tenant.readonly(),
    pipe: Tenant.pipe(z.any()),
    lazy: z.lazy(() => Tenant),
    union: z.union([z.object({ 'X-Never': z.string() }), Tenant]),
    intersection: z.intersection(z.object({ 'X-Tenant': z.string() }), Tenant),
    preprocess: z.preprocess(given => given, Tenant),
    spread: z.preprocess(given => ({ ...(given as object), 'X-More': 1 }), Tenant),
    transform: Tenant.transform(seen => ({ ...seen })),
    record: z.partialRecord(z.enum(['X-Tenant', 'X-Count']), z.coerce.string()),
  }
  const aggregates = Object.entries(schemas).map(
    ([name, schema]) =>
      aggregate(name, { url: `/${name}`, headers: schema }).reply(Any, ({ headers }) => headers) as AnyAggregate,
  )
  const { get } = await serveApp(t, { aggregates })
  for (const name of Object.keys(schemas)) {
    for (const spelling of ['x-tenant', 'X-Tenant', 'X-TENANT']) {
      const { status, body } = await get<{ data: Record<string, unknown> }>(`/${name}`, {
        headers: { [spelling]: 'a', 'x-count': '7' },
      })
      t.equal(status, 200, name)
      t.match(body.data, { 'X-Tenant': 'a', 'X-Count': name === 'record' ? '7' : 7 }, `${name} ${spelling}`)
    }
  }
  const missing = await get<ProblemBody>('/plain')
  t.match(missing, { status: 400, body: { errors: [{ pointer: '/headers/X-Tenant' }] } })
  const { body: document } = await get<{ paths: Record<string, { get: { parameters: { name?: string }[] } }> }>(
    '/openapi.json',
  )
  for (const name of ['plain', 'union', 'record', 'intersection', 'preprocess']) {
    const named = document.paths[`/${name}`]?.get.parameters
      .map(each => each.name)
      .filter(each => each !== undefined && each !== 'X-Never')
    t.same(named, ['X-Tenant', 'X-Count'], `${name} is documented as it is written`)
  }
})

test("a schema of response headers has its author's spelling, and the upstream may write another", async t => {
  const Total = z.object({
    'X-Total-Count': z.coerce.number(),
    Link: z.union([z.string(), z.array(z.string())]).optional(),
  })
  const schemas: readonly z.ZodType[] = [
    Total,
    z.looseObject(Total.shape),
    z.strictObject(Total.shape),
    Total.transform(seen => seen),
    z.preprocess(given => given, Total),
    z.union([z.object({ 'X-Never': z.string() }), Total]),
  ]
  const raw = await rawUpstream(t, json([], 200, { 'x-TOTAL-count': '7', link: '<a>' }))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  for (const [index, schema] of schemas.entries()) {
    for (const cache of [false, { ttl: 60_000 }]) {
      const cats = defineUpstream(
        `cats-${index}`,
        { origin: raw.origin },
        { page: operation({ path: '/', output: Any, responseHeaders: schema, cache }) },
      )
      const page = aggregate('page', { url: '/page' })
        .required('it', () => cats.page())
        .reply(Any, ({ it }) => it)
      for (let times = 0; times < 2; times++)
        t.match(
          (await fanOut(page, {}, { runtime })).data,
          { headers: { 'X-Total-Count': 7, Link: '<a>' } },
          `${index}`,
        )
    }
  }
  const every = defineUpstream(
    'every',
    { origin: raw.origin },
    { page: operation({ path: '/', output: Any, responseHeaders: z.record(z.string(), z.unknown()) }) },
  )
  const all = aggregate('all', { url: '/all' })
    .required('it', () => every.page())
    .reply(Any, ({ it }) => it.headers)
  t.match((await fanOut(all, {}, { runtime })).data, {
    'x-total-count': '7',
    link: '<a>',
    'content-type': 'application/json',
  })
})

test('a repeated response header is a list, and a cookie is dropped whatever its case', async t => {
  const raw = await rawUpstream(t, socket =>
    socket.write(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nX-Tag: a\r\nx-tag: b\r\n' +
        'Set-Cookie: s=1\r\nSET-COOKIE: t=2\r\ncontent-length: 2\r\n\r\n[]',
    ),
  )
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin },
    {
      tags: operation({ path: '/', output: Any, responseHeaders: z.object({ 'X-Tag': z.array(z.string()) }) }),
      every: operation({ path: '/', output: Any, responseHeaders: z.looseObject({ 'X-Tag': z.unknown() }) }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const both = aggregate('both', { url: '/both' })
    .required('tags', () => cats.tags())
    .required('every', () => cats.every())
    .reply(Any, ({ tags, every }) => [tags.headers, every.headers])
  const { data } = await fanOut(both, {}, { runtime })
  t.same(data, [
    { 'X-Tag': ['a', 'b'] },
    { 'X-Tag': ['a', 'b'], 'content-type': 'application/json', 'content-length': '2' },
  ])
  const wrapped: readonly z.ZodType[] = [
    z.object({ 'Set-Cookie': Any }),
    z.object({ 'set-cookie': Any }).readonly(),
    z.union([z.object({ 'SET-COOKIE': Any }), z.object({})]),
    z.looseObject({ 'Set-cookie': Any }).optional(),
    z.partialRecord(z.enum(['Set-Cookie']), Any),
  ]
  for (const withHeaders of wrapped) {
    t.throws(
      () =>
        defineUpstream(
          'cats',
          { origin: raw.origin },
          { ask: operation({ path: '/', output: Any, responseHeaders: withHeaders }) },
        ),
      { name: 'TypeError', message: /^cats\.ask: cookies are not part of a response value/ },
    )
  }
})

test("a name in an upstream's declaration has no case, and stands once", async t => {
  const { origin } = await echoUpstream(t)
  const echo = defineUpstream(
    'echo',
    {
      origin,
      forwardHeaders: ['X-Tenant', 'x-tenant', 'X-Fixed'],
      headers: { 'x-FIXED': 'ours', 'X-Client': 'us' },
      layers: {
        call: [
          next => call => {
            t.equal(call.inbound['X-TENANT'], 'a')
            const more = call.with({ headers: { 'X-Client': 'layer' } })
            t.equal(more.headers['X-CLIENT'], 'layer')
            t.same(more.headers, { 'x-client': 'layer' })
            t.same(call.headers, {})
            t.throws(() => call.with({ headers: { 'X-More': '1', 'x-more': '2' } }), {
              name: 'TypeError',
              message: "echo.ask: a layer sets the header 'x-more' in two spellings: keep one",
            })
            return next(more.with({ headers: { ...more.headers, 'X-More': '1' } }))
          },
        ],
      },
    },
    { ask: operation({ path: '/', output: Any }) },
  )
  const one = aggregate('one', { url: '/one' })
    .required('it', () => echo.ask())
    .reply(Any, ({ it }) => it)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { data } = await fanOut(one, { headers: { 'x-Tenant': 'a', 'X-FIXED': 'theirs' } }, { runtime })
  t.same(data, { 'x-tenant': 'a', 'x-fixed': 'theirs', 'x-client': 'layer', 'x-more': '1' })
  t.throws(() => defineUpstream('echo', { origin, headers: { 'X-A': '1', 'x-a': '2' } }, {}), {
    name: 'TypeError',
    message:
      "upstream 'echo': 'X-A' and 'x-a' are the same header, because header names are case-insensitive: keep one",
  })
  t.throws(() => aggregate('one', { url: '/one', headers: z.object({ 'X-A': Any, 'x-a': Any }) }), {
    name: 'TypeError',
    message:
      "aggregate 'one', headers: 'X-A' and 'x-a' are the same header, because header names are case-insensitive: keep one spelling",
  })
})

test('headers that code gives have no case: for fanOut, the testing kit and the command', async t => {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  const cats = defineUpstream(
    'cats',
    { origin: 'http://cats.test', forwardHeaders: ['x-tenant'] },
    { ask: operation({ path: '/', output: Any }) },
  )
  const one = aggregate('one', { url: '/one', headers: z.object({ 'X-Tenant': z.string() }) })
    .required('it', () => cats.ask())
    .reply(Any, ({ headers }) => headers)
  upstream.always('*', 1)
  const given = readInput(one, { fields: {}, body: undefined, headers: ['X-TENANT: a'], folder: '' }).headers ?? {}
  for (const headers of [given, { 'X-Tenant': 'a' }, { 'x-tenant': 'a' }, Object.freeze({ 'X-TENANT': 'a' })]) {
    t.same((await runAggregate(one, { headers }, { upstreams: { cats: upstream } })).data, { 'X-Tenant': 'a' })
  }
  t.same(
    (
      await runAggregate(
        one,
        { headers: { 'X-Tenant': 'a', 'x-tenant': ['b', 'c'], 'X-TENANT': undefined, other: undefined } },
        { upstreams: { cats: upstream } },
      )
    ).data,
    { 'X-Tenant': 'a, b, c' },
    'two spellings are the same header',
  )
  t.same(
    lowerCased({ Cookie: 'a=1', cookie: 'b=2' }),
    { cookie: 'a=1; b=2' },
    'cookies are put together in their own way',
  )
  t.same(
    upstream.calls.map(call => call.headers['x-tenant']),
    ['a', 'a', 'a', 'a', 'a, b, c'],
  )
})
