import { get as httpGet, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { echoUpstream } from '../helpers/echo-upstream.ts'
import { listening } from '../helpers/listening.ts'

const text = z.string().optional()
const Tenant = z.object({ 'x-tenant': text })
const Any = z.unknown()

/** Serves aggregates as a plugin, and tells what was logged. */
async function arrange(t: Test, aggregates: readonly AnyAggregate[]) {
  const lines: { level: number; msg: string; aggregate?: string; header?: string }[] = []
  const app = fastify({
    logger: {
      level: 'warn',
      stream: {
        write: (line: string) => {
          lines.push(JSON.parse(line) as (typeof lines)[number])
        },
      },
    },
  })
  await app.register(headwaters, { aggregates })
  return { ask: await listening(t, app), lines }
}

/** An aggregate whose reply may be kept. */
function kept(name: string, headers: z.ZodType | undefined, cacheControl = 'public, max-age=60') {
  return aggregate(name, { url: `/${name}`, headers, cacheControl }).reply(Any, ({ headers: seen }) => seen)
}

/** Declares an upstream that tells with what headers it was called. */
async function echo(t: Test, options: Partial<UpstreamOptions> = {}, name = 'echo') {
  const { origin } = await echoUpstream(t)
  return defineUpstream(
    name,
    { origin, ...options },
    {
      ask: operation({ path: '/', output: Any }),
      lost: operation({ path: '/lost', output: z.number() }),
      kept: operation({ path: '/kept', output: Any, cache: { ttl: 60_000 } }),
    },
  )
}

test('vary names the headers of a schema through every wrapper', async t => {
  const schemas: Readonly<Record<string, z.ZodType>> = {
    plain: Tenant,
    strict: z.strictObject({ 'x-tenant': text }),
    transform: Tenant.transform(({ 'x-tenant': tenant }) => ({ tenant })),
    pipe: Tenant.pipe(z.object({ 'x-tenant': text })),
    codec: z.codec(Tenant, z.object({ tenant: text }), {
      decode: ({ 'x-tenant': tenant }) => ({ tenant }),
      encode: ({ tenant }) => ({ 'x-tenant': tenant }),
    }),
    optional: Tenant.optional(),
    nullable: Tenant.nullable(),
    nonoptional: Tenant.optional().nonoptional(),
    default: Tenant.default({}),
    prefault: Tenant.prefault({}),
    catch: Tenant.catch({}),
    readonly: Tenant.readonly(),
    brand: Tenant.brand<'headers'>(),
    refine: Tenant.refine(() => true),
    lazy: z.lazy(() => Tenant),
    intersection: z.intersection(Tenant, z.object({})),
    union: z.union([z.object({ 'x-other': z.string() }), Tenant]),
    discriminated: z.discriminatedUnion('x-tenant', [
      z.object({ 'x-tenant': z.literal('a') }),
      z.object({ 'x-tenant': z.literal('b') }),
    ]),
    preprocess: z.preprocess(headers => headers, Tenant),
    record: z.partialRecord(z.enum(['x-tenant']), z.string()),
    nested: z
      .union([
        z.intersection(
          Tenant.default({})
            .readonly()
            .transform(seen => seen),
          z.object({}),
        ),
        z.never(),
      ])
      .optional()
      .readonly(),
  }
  const { ask } = await arrange(
    t,
    Object.entries(schemas).map(([name, schema]) => kept(name, schema)),
  )
  for (const name of Object.keys(schemas)) {
    for (const headers of name === 'discriminated' ? [{ 'x-tenant': 'a' }] : [{ 'x-tenant': 'a' }, {}]) {
      const got = await ask(`/${name}`, { headers })
      t.equal(got.status, 200, name)
      t.equal(got.headers.get('cache-control'), 'public, max-age=60', name)
      t.equal(got.headers.get('vary'), name === 'union' ? 'accept, x-other, x-tenant' : 'accept, x-tenant', name)
    }
  }
})

test('a function in front of a schema is asked what it reads, in whatever case', async t => {
  const read = kept(
    'read',
    z.preprocess(
      given => ({ tenant: (given as Record<string, unknown>)['X-Tenant'], has: 'X-Also' in (given as object) }),
      z.object({ tenant: text, has: z.boolean() }),
    ),
  )
  const { ask } = await arrange(t, [read])
  const got = await ask('/read', { headers: { 'x-tenant': 'a' } })
  t.match(got.body, { data: { tenant: 'a', has: false } })
  t.equal(got.headers.get('vary'), 'accept, tenant, has, x-tenant, x-also')
})

test('a schema that takes every header makes the reply no-store, and the log says why, once', async t => {
  const schemas: Readonly<Record<string, z.ZodType>> = {
    loose: z.looseObject({}),
    catchall: z.object({}).catchall(z.string()),
    record: z.record(z.string(), z.unknown()),
    unknown: Any,
    any: z.any(),
    custom: z.custom(),
    intersection: z.intersection(Tenant, z.looseObject({})),
    spread: z.preprocess(given => ({ ...(given as object) }), z.looseObject({})),
    frozen: Any.readonly(),
    deeper: z.preprocess(given => given, z.any().optional().readonly()),
    'as-it-came': z.unknown().refine(given => typeof given === 'object'),
  }
  const { ask, lines } = await arrange(
    t,
    Object.entries(schemas).map(([name, schema]) => kept(name, schema)),
  )
  for (const name of Object.keys(schemas)) {
    for (let times = 0; times < 2; times++) {
      const { body, headers } = await ask(`/${name}`, { headers: { 'x-tenant': 'a' } })
      t.match(body, { data: { 'x-tenant': 'a' } }, name)
      t.same([headers.get('cache-control'), headers.get('etag'), headers.get('vary')], ['no-store', null, null], name)
    }
  }
  t.same(
    lines.map(line => line.aggregate),
    Object.keys(schemas),
  )
  t.match(
    lines[0]?.msg,
    "aggregate 'loose': a reply is sent with no-store in place of the cacheControl 'public, max-age=60', because a " +
      'layer or the headers schema reads all headers of the request: read headers by their names',
  )
})

test('vary names the headers that the called upstreams forward, from whichever step and however the call ended', async t => {
  const first = await echo(t, { forwardHeaders: ['X-First'] })
  const second = await echo(t, { forwardHeaders: ['x-second', 'x-first'], retry: false }, 'second')
  const steps = aggregate('steps', { url: '/steps', query: z.object({ both: text }), cacheControl: 'max-age=60' })
    .required('one', () => first.ask())
    .each('more', ({ query }) => (query.both === undefined ? [] : [second.ask()]))
    .reply(Any, ({ one }) => one)
  const before = aggregate('before', { url: '/before', cacheControl: 'max-age=60' })
    .context(({ ask }) => ask(first.ask()))
    .reply(Any, ({ context }) => context)
  const failed = aggregate('failed', { url: '/failed', cacheControl: 'max-age=60' })
    .context(async ({ ask }) => ask(second.lost()).catch(() => 'lost'))
    .reply(Any, ({ context }) => context)
  const cached = aggregate('cached', { url: '/cached', cacheControl: 'max-age=60' })
    .required('it', () => first.kept())
    .reply(Any, ({ it }) => it)
  const none = aggregate('none', { url: '/none', cacheControl: 'max-age=60' }).reply(Any, () => 1)
  const { ask } = await arrange(t, [steps, before, failed, cached, none])
  const vary = async (path: string) => (await ask(path, { headers: { 'x-first': 'a' } })).headers.get('vary')
  t.equal(await vary('/steps'), 'accept, x-first')
  t.equal(await vary('/steps?both=1'), 'accept, x-first, x-second')
  t.equal(await vary('/steps'), 'accept, x-first', 'it is decided for each run')
  t.equal(await vary('/before'), 'accept, x-first')
  t.equal(await vary('/failed'), 'accept, x-second, x-first')
  t.equal(await vary('/cached'), 'accept, x-first')
  t.equal(await vary('/cached'), 'accept, x-first', 'from the cache')
  t.equal(await vary('/none'), 'accept')
})

test('vary names what a layer at a call reads, and a layer that lists the headers makes the reply no-store', async t => {
  const layers: Readonly<
    Record<
      string,
      readonly [vary: string | null, layer: (inbound: Readonly<Record<string, string | undefined>>) => unknown]
    >
  > = {
    get: ['accept, x-user', inbound => inbound['X-User']],
    in: ['accept, x-user', inbound => 'x-user' in inbound],
    own: ['accept, x-user', inbound => Object.hasOwn(inbound, 'X-USER')],
    method: ['accept, x-user', inbound => inbound.hasOwnProperty('x-user')],
    two: ['accept, x-user, x-other', inbound => [inbound['x-user'], inbound['x-other']]],
    none: ['accept', () => 1],
    odd: ['accept', inbound => [inbound['x\r\nset-cookie: a'], inbound[''], Reflect.get(inbound, Symbol.iterator)]],
    keys: [null, inbound => Object.keys(inbound)],
    spread: [null, inbound => ({ ...inbound })],
    json: [null, inbound => JSON.stringify(inbound)],
    forIn: [
      null,
      inbound => {
        for (const name in inbound) return name
      },
    ],
  }
  const { origin } = await echoUpstream(t)
  const aggregates = Object.entries(layers).map(([name, [, look]]) => {
    const layer: CustomLayer = next => call => {
      look(call.inbound)
      return next(call)
    }
    const upstream = defineUpstream(
      `echo-${name.toLowerCase()}`,
      { origin, layers: { call: [layer] } },
      { ask: operation({ path: '/', output: Any }) },
    )
    return aggregate(`reads-${name.toLowerCase()}`, { url: `/${name}`, cacheControl: 'max-age=60' })
      .required('it', () => upstream.ask())
      .reply(Any, ({ it }) => it)
  })
  const { ask } = await arrange(t, aggregates)
  for (const [name, [vary]] of Object.entries(layers)) {
    const { headers } = await ask(`/${name}`, { headers: { 'x-user': 'ada' } })
    t.same(
      [headers.get('vary'), headers.get('cache-control')],
      vary === null ? [null, 'no-store'] : [vary, 'max-age=60'],
      name,
    )
  }
})

test('a layer at an attempt sees forwarded headers alone, and they are named whether it reads them or not', async t => {
  const upstream = await echo(t, {
    forwardHeaders: ['x-user'],
    layers: {
      attempt: [next => call => next(call.with({ headers: { 'x-copy': Object.keys(call.inbound).join() || 'none' } }))],
    },
  })
  const { ask } = await arrange(t, [
    aggregate('one', { url: '/one', cacheControl: 'max-age=60' })
      .required('it', () => upstream.ask())
      .reply(Any, ({ it }) => it),
  ])
  const { headers, body } = await ask('/one', { headers: { 'x-user': 'ada', cookie: 'a=1' } })
  t.match(body, { data: { 'x-user': 'ada', 'x-copy': 'x-user' } })
  t.equal(headers.get('vary'), 'accept, x-user')
})

test('a reply made with a forwarded credential is not for a shared cache, and the log says how to mend it, once', async t => {
  for (const header of ['authorization', 'cookie']) {
    const upstream = await echo(t, { forwardHeaders: [header, 'x-first'] })
    const make = (name: string, cacheControl: string) =>
      aggregate(name, { url: `/${name}`, cacheControl })
        .required('it', () => upstream.ask())
        .reply(Any, ({ it }) => it)
    const { ask, lines } = await arrange(t, [
      make('public', 'public, max-age=60'),
      make('plain', 'max-age=60'),
      make('field', 'private="x", max-age=60'),
      make('private', 'Private, max-age=60'),
      make('revalidated', 'no-cache'),
    ])
    for (const path of ['/public', '/plain', '/field', '/public']) {
      const { headers, body } = await ask(path, { headers: { [header]: 'mine' } })
      t.match(body, { data: { [header]: 'mine' }, complete: true })
      t.same([headers.get('cache-control'), headers.get('etag')], ['no-store', null], path)
    }
    for (const path of ['/private', '/revalidated']) {
      const { headers } = await ask(path, { headers: { [header]: 'mine' } })
      t.equal(headers.get('vary'), `accept, ${header}, x-first`)
      t.ok(headers.get('etag'), path)
    }
    const { headers } = await ask('/public')
    t.same(
      [headers.get('cache-control'), headers.get('vary')],
      ['public, max-age=60', `accept, ${header}, x-first`],
      'without a credential it is for everybody who has none',
    )
    t.same(
      lines.map(line => [line.aggregate, line.header]),
      [
        ['public', header],
        ['plain', header],
        ['field', header],
      ],
    )
    t.equal(
      lines[0]?.msg,
      `aggregate 'public': a reply that depends on the header '${header}' (the upstream 'echo' forwards it) ` +
        `is sent with no-store, because the cacheControl 'public, max-age=60' lets a shared cache give it to ` +
        `other callers: add private, for example 'private, max-age=60'`,
    )
  }
})

test('a reply that a layer or an open schema made with a credential is not for a shared cache either, and the log says so', async t => {
  const upstream = await echo(t, {
    layers: {
      call: [
        next => call =>
          next(
            call.inbound['Cookie'] === undefined ? call : call.with({ headers: { 'x-user': call.inbound['Cookie'] } }),
          ),
      ],
    },
  })
  const layer = aggregate('layer', { url: '/layer', cacheControl: 'public' })
    .required('it', () => upstream.ask())
    .reply(Any, ({ it }) => it)
  const schema = kept(
    'schema',
    z.preprocess(given => (given as Record<string, unknown>)['cookie'], text),
    'public',
  )
  const { ask, lines } = await arrange(t, [layer, schema])
  for (const path of ['/layer', '/schema']) {
    t.equal((await ask(path, { headers: { cookie: 'mine' } })).headers.get('cache-control'), 'no-store', path)
    const { headers } = await ask(path)
    t.same([headers.get('cache-control'), headers.get('vary')], ['public', 'accept, cookie'], path)
  }
  t.match(
    lines.map(line => line.msg),
    [/'cookie' \(a layer or the headers schema reads it\)/, /'cookie' \(a layer or the headers schema reads it\)/],
  )
})

test('a partial reply and a problem are no-store, whatever was read', async t => {
  const upstream = await echo(t, { forwardHeaders: ['x-first'], retry: false })
  const partial = aggregate('partial', { url: '/partial', cacheControl: 'max-age=60' })
    .optional('it', () => upstream.lost(), { fallback: null })
    .reply(Any, ({ it }) => it)
  const failed = aggregate('failed', { url: '/failed', cacheControl: 'max-age=60' })
    .required('it', () => upstream.lost())
    .reply(Any, ({ it }) => it)
  const late = aggregate('late', { url: '/late', cacheControl: 'max-age=60' })
    .optional('it', () => new Promise(() => {}), { fallback: null })
    .reply(Any, ({ it }) => it)
  const { ask } = await arrange(t, [partial, failed, late])
  for (const [path, status] of [
    ['/partial', 200],
    ['/failed', 502],
    ['/late', 200],
  ] as const) {
    const got = await ask(path, { headers: { 'x-request-timeout-ms': '300' } })
    t.same([got.status, got.headers.get('cache-control'), got.headers.get('vary')], [status, 'no-store', null], path)
  }
})

/** Asks with a method and headers that `fetch` does not let through as they are. */
async function answerOf(
  port: number,
  path: string,
  method: string,
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  const [answer] = (await once(
    httpGet({ host: '127.0.0.1', port, path, method, headers, agent: false }),
    'response',
  )) as [IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  return answer
}

test('GET and HEAD say the same vary, with a body or as 304, beside that of CORS and of keys', async t => {
  const upstream = await echo(t, { forwardHeaders: ['x-first', 'origin', 'authorization'] })
  const one = aggregate('one', { url: '/one', cacheControl: 'public, max-age=60', headers: Tenant })
    .required('it', () => upstream.ask())
    .reply(Any, ({ it }) => it)
  const options: readonly (readonly [AppOptions, string])[] = [
    [{}, 'accept, x-tenant, x-first, origin, authorization'],
    [{ corsOrigins: ['https://app.example'] }, 'Origin, accept, x-tenant, x-first, authorization'],
    [{ keys: ['first-key-0123456789'] }, 'authorization, accept, x-tenant, x-first, origin'],
    [
      { corsOrigins: ['https://app.example'], keys: ['first-key-0123456789'] },
      'Origin, authorization, accept, x-tenant, x-first',
    ],
  ]
  for (const [given, vary] of options) {
    const app = buildApp([one], given)
    t.teardown(() => app.close())
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as { port: number }
    const headers = given.keys === undefined ? {} : { authorization: `Bearer ${given.keys[0]}` }
    const {
      headers: { etag = '' },
    } = await answerOf(port, '/one', 'GET', headers)
    t.match(etag, /^W\//)
    for (const method of ['GET', 'HEAD']) {
      for (const condition of [{}, { 'if-none-match': etag }]) {
        const answer = await answerOf(port, '/one', method, { ...headers, ...condition })
        t.same(
          [answer.statusCode, answer.headers.vary, answer.headers['cache-control']],
          ['if-none-match' in condition ? 304 : 200, vary, 'public, max-age=60'],
          `${method} ${JSON.stringify([given, condition])}`,
        )
      }
    }
  }
})

test('a vary of the app around is kept, and * stands alone', async t => {
  for (const [theirs, vary] of [
    ['X-Own', 'X-Own, accept, x-tenant'],
    ['x-own, Accept', 'x-own, Accept, x-tenant'],
    ['*', '*'],
    [['a', 'b'], 'a, b, accept, x-tenant'],
  ] as const) {
    const app = fastify()
    app.addHook('onRequest', async (_request, reply) => {
      void reply.header('vary', theirs)
    })
    await app.register(headwaters, { aggregates: [kept('one', Tenant)] })
    const ask = await listening(t, app)
    t.equal((await ask('/one')).headers.get('vary'), vary)
  }
})

test('headers that a schema puts within a value are read before the reply is written', async t => {
  const { ask } = await arrange(t, [
    kept(
      'within',
      z.preprocess(all => ({ all }), z.object({ all: z.any() })),
    ),
  ])
  const { headers, body } = await ask('/within', { headers: { authorization: 'secret' } })
  t.equal(headers.get('cache-control'), 'no-store')
  t.match(body, { data: { all: { authorization: 'secret' } } })
})

test('headers that a layer puts within a value count, although they are read when the reply is written', async t => {
  const show: CustomLayer = next => async call => {
    const answer = await next(call)
    return {
      ...answer,
      value: { tenant: { toJSON: () => call.inbound['x-tenant'] }, ...(answer.value as object) } as never,
    }
  }
  const upstream = await echo(t, { layers: { call: [show] } })
  const one = aggregate('one', { url: '/one', cacheControl: 'public, max-age=60' })
    .required('asked', () => upstream.ask())
    .reply(Any, ({ asked }) => asked)
  const { ask } = await arrange(t, [one])
  const { headers, body } = await ask('/one', { headers: { 'x-tenant': 'a' } })
  t.match(body, { data: { tenant: 'a' } })
  t.equal(headers.get('vary'), 'accept, x-tenant')
})
