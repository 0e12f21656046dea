import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { openapiDocument } from '../../src/http/openapi/document.ts'
import { trustOf } from '../../src/http/request/client-address.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { wireError } from '../../src/upstream/connect/wire-errors.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'

/** Names that every object has, in the case of headers and in their own. */
const lower = ['constructor', '__proto__']
const names = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf', '__proto__', '__defineGetter__']

const operations = {
  ask: operation({ path: '/ask', output: z.unknown() }),
  tell: operation({ method: 'POST', path: '/tell', output: z.unknown(), idempotencyKey: () => 'once' }),
  shared: operation({ path: '/shared', output: z.unknown(), coalesce: true }),
}

async function arrange(t: Test, options: Partial<UpstreamOptions> = {}, runtimeOptions: RuntimeOptions = {}) {
  const raw = await rawUpstream(t, json('well'))
  const runtime = createRuntime(runtimeOptions)
  t.teardown(() => runtime.close())
  const cats = defineUpstream('cats', { origin: raw.origin, ...options }, operations)
  const one = aggregate('one', { url: '/one' })
    .required('it', () => cats.ask())
    .required('that', () => cats.tell())
    .required('both', () => cats.shared())
    .reply(z.unknown(), ({ it }) => it)
  /** The headers of these names that went out with each call. */
  const sent = () =>
    raw.requests.map(({ headers }) => headers.filter(([name]) => names.some(each => each.toLowerCase() === name)))
  return { raw, runtime, cats, one, sent }
}

test('a forwarded header with the name of a property of every object is sent only where it came', async t => {
  const { one, runtime, sent } = await arrange(t, { forwardHeaders: names })
  await fanOut(one, { headers: {} }, { runtime })
  t.same(sent(), [[], [], []])
  await fanOut(one, { headers: { Constructor: 'a', valueof: 'b' } }, { runtime })
  for (const each of sent().slice(3))
    t.same(each, [
      ['constructor', 'a'],
      ['valueof', 'b'],
    ])
})

test('over HTTP, a forwarded header with the name of a property of every object is sent only where it came', async t => {
  const { one, sent, raw } = await arrange(t, { forwardHeaders: names })
  const { get } = await serveApp(t, { aggregates: [one], overrides: { cats: { origin: raw.origin } } })
  t.equal((await get('/one')).status, 200)
  t.same(sent(), [[], [], []])
  t.equal((await get('/one', { headers: { constructor: 'a', hasownproperty: 'b' } })).status, 200)
  for (const each of sent().slice(3))
    t.same(each, [
      ['constructor', 'a'],
      ['hasownproperty', 'b'],
    ])
})

test("declared headers of these names go out, also beside a header of the call's own", async t => {
  const { one, runtime, sent } = await arrange(t, {
    headers: Object.fromEntries(lower.map(name => [name, 'declared'])),
  })
  await fanOut(one, {}, { runtime })
  for (const each of sent())
    t.same(each, [
      ['constructor', 'declared'],
      ['__proto__', 'declared'],
    ])
})

test('a layer sees and sets these names as it does others', async t => {
  const seen: unknown[] = []
  const layer: CustomLayer = next => call => {
    seen.push(Object.keys(call.inbound))
    return next(call.with({ headers: Object.fromEntries(lower.map(name => [name, 'layer'])) }))
  }
  const { one, runtime, sent } = await arrange(t, { forwardHeaders: ['constructor'], layers: { attempt: [layer] } })
  await fanOut(one, {}, { runtime })
  t.same(seen, [[], [], []])
  for (const each of sent())
    t.same(each, [
      ['constructor', 'layer'],
      ['__proto__', 'layer'],
    ])
})

test('a schema of headers finds none of these names where they did not come', async t => {
  const { runtime, cats } = await arrange(t)
  const one = aggregate('one', { url: '/one', headers: z.object({ constructor: z.string().optional() }) })
    .required('it', () => cats.ask())
    .reply(z.unknown(), ({ headers }) => ({ ...headers }))
  t.same((await fanOut(one, { headers: {} }, { runtime })).data, {})
  t.same((await fanOut(one, { headers: { constructor: 'a' } }, { runtime })).data, { constructor: 'a' })
})

test('steps, parameters and query fields may have these names', async t => {
  const { raw, runtime } = await arrange(t)
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin },
    {
      constructor: operation({
        path: '/{constructor}',
        params: z.object({ constructor: z.string() }),
        query: z.record(z.string(), z.string()),
        output: z.unknown(),
      }),
      toString: operation({ path: '/', output: z.unknown() }),
    },
  )
  const query = { constructor: 'a', ...Object.fromEntries([['toString', 'b']]) }
  const one = aggregate('one', { url: '/one' })
    .required('constructor', () => cats.constructor(query as never))
    .optional('toString', () => cats.toString(), { fallback: 'none' })
    .each('hasOwnProperty', ({ toString }) => (toString === 'well' ? [cats.toString(), cats.toString()] : []), {
      needs: ['toString'],
    })
    .reply(z.unknown(), ({ constructor, toString, hasOwnProperty }) => [constructor, toString, hasOwnProperty])
  const { data, sources } = await fanOut(one, {}, { runtime })
  t.same(data, ['well', 'well', ['well', 'well']])
  t.same(Object.keys(sources), ['constructor', 'toString', 'hasOwnProperty'])
  t.ok(raw.requests.some(({ path }) => path === '/a?constructor=a&toString=b'))
})

test('an upstream may have such a name, with what is set for it from outside and without', async t => {
  const raw = await rawUpstream(t, json('well'))
  const declared = defineUpstream('constructor', { origin: 'http://127.0.0.1:9' }, operations)
  const one = aggregate('one', { url: '/one' })
    .required('it', () => declared.ask())
    .reply(z.unknown(), ({ it }) => it)
  for (const [overrides, code] of [
    [{}, 'UPSTREAM_UNREACHABLE'],
    [{ constructor: { origin: raw.origin } }, undefined],
  ] as const) {
    const runtime = createRuntime({ overrides })
    const ended = await fanOut(one, {}, { runtime }).then(
      () => undefined,
      error => error.code,
    )
    t.equal(ended, code)
    await runtime.close()
  }
})

test("a schema may have such an id in the API's document", async t => {
  const one = aggregate('one', { url: '/one' }).reply(
    z.object({ a: z.object({ b: z.string() }).meta({ id: 'constructor' }) }),
    () => undefined as never,
  )
  const { components } = openapiDocument([one], { health: false }) as unknown as {
    components: { schemas: Record<string, unknown> }
  }
  t.match(components.schemas, { constructor: { type: 'object', properties: { b: { type: 'string' } } } })
})

test('codes of errors and names of networks are looked up among ours alone', async t => {
  for (const code of names)
    t.match(wireError(Object.assign(new Error('x'), { code }), 'cats'), { code: 'UPSTREAM_RESET' }, code)
  for (const name of names)
    t.throws(
      () => trustOf([name]),
      { name: 'TypeError', message: /^trustProxy must list addresses or networks such as .*, got '/ },
      name,
    )
  const { get } = await serveApp(t, {
    before: app =>
      app.get('/throws', () => {
        throw Object.assign(new Error('x'), { code: 'constructor' })
      }),
  })
  t.match(await get('/throws'), { status: 500, body: { code: 'INTERNAL' } })
})

test('a key of a batch with the name of a property of every object is missing, and no prototype is frozen', async t => {
  const raw = await rawUpstream(t, json({ tea: { cents: 5 } }))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const shop = defineUpstream(
    'shop',
    { origin: raw.origin },
    {
      price: operation({
        path: '/prices',
        query: z.object({ ids: z.array(z.string()) }),
        output: z.record(z.string(), z.object({ cents: z.number() })),
        cache: { ttl: 60_000 },
        keyBatch: { maxKeys: 10, call: (ids: readonly string[]) => ({ ids }), pick: (prices, id) => prices[id] },
      }),
    },
  )
  const prices = aggregate('prices', { url: '/prices', query: z.object({ ids: z.array(z.string()) }) })
    .each('prices', ({ query }) => query.ids.map(id => shop.price(id)), { minSuccess: 0, fallback: null })
    .reply(z.unknown(), ({ prices }) => prices)
  for (let times = 0; times < 2; times++) {
    const { data } = await fanOut(prices, { query: { ids: ['tea', ...names] } }, { runtime })
    t.same(data, [{ cents: 5 }, ...names.map(() => null)])
  }
  t.equal(Object.isFrozen(Object.prototype), false)
})
