import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, env, operation, type Call, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream, type RawRequest, type Script } from '../helpers/raw-upstream.ts'

const headers = z.object({ 'X-Tenant': z.string(), 'accept-language': z.string().optional() })

function declare(origin: string, options: Partial<UpstreamOptions> = {}) {
  return defineUpstream(
    'shop',
    { origin, retry: false, ...options },
    {
      price: operation({ path: '/price', headers, output: z.unknown() }),
      shared: operation({ path: '/price', headers, output: z.unknown(), coalesce: true }),
      kept: operation({ path: '/price', headers, output: z.unknown(), cache: { ttl: 60_000 } }),
      hinted: operation({ path: '/price', headers: headers.partial(), output: z.unknown() }),
      replace: operation({
        method: 'PUT',
        path: '/price',
        headers: z.object({ 'if-match': z.string() }),
        body: z.int(),
        output: z.unknown(),
      }),
    },
  )
}

async function open(
  t: Test,
  script: Script,
  options: Partial<UpstreamOptions> = {},
  runtimeOptions: RuntimeOptions = {},
) {
  const raw = await rawUpstream(t, script)
  const runtime = createRuntime(runtimeOptions)
  t.teardown(() => runtime.close())
  const ask = (call: Call<unknown>, inbound: Readonly<Record<string, string>> = {}) =>
    runtime.send(testRun({ headers: inbound }).ask(call))
  return { raw, shop: declare(raw.origin, options), runtime, ask }
}

/** The values of a header as the upstream received them. */
const received = ({ headers: lines }: RawRequest, name: string) =>
  lines.filter(([each]) => each === name).map(([, value]) => value)

const tenantOf = (request: RawRequest) => received(request, 'x-tenant')[0]

test('the headers in the input of a call are sent', async t => {
  const { raw, shop, ask } = await open(t, json('well'))
  await ask(shop.price({ headers: { 'X-Tenant': 'acme', 'accept-language': 'de' } }))
  await ask(shop.replace({ body: 1, headers: { 'if-match': '"a"' } }))
  const [get, put] = raw.requests as [RawRequest, RawRequest]
  t.same([received(get, 'x-tenant'), received(get, 'accept-language')], [['acme'], ['de']])
  t.same([received(put, 'if-match'), put.body], [['"a"'], '1'])
})

test('a header of the input replaces one of the upstream and a forwarded one', async t => {
  const { raw, shop, ask } = await open(t, json('well'), {
    headers: { 'x-tenant': 'fixed' },
    forwardHeaders: ['accept-language'],
  })
  await ask(shop.hinted({ headers: { 'X-Tenant': 'acme', 'accept-language': 'de' } }), { 'accept-language': 'fr' })
  await ask(shop.hinted(), { 'accept-language': 'fr' })
  t.same(
    raw.requests.map(request => [received(request, 'x-tenant'), received(request, 'accept-language')]),
    [
      [['acme'], ['de']],
      [['fixed'], ['fr']],
    ],
  )
})

test('a layer sees the headers of the input and may replace them', async t => {
  const seen: unknown[] = []
  const layer: CustomLayer = next => call => {
    seen.push({ ...call.headers }, call.headers['X-TENANT'])
    return next(call.with({ headers: { 'X-TENANT': 'other' } }))
  }
  const { raw, shop, ask } = await open(t, json('well'), { layers: { call: [layer] } })
  await ask(shop.price({ headers: { 'X-Tenant': 'acme' } }))
  t.same(seen, [{ 'x-tenant': 'acme' }, 'acme'])
  t.same(raw.requests.map(tenantOf), ['other'])
})

test('calls of two tenants share no answer in flight', async t => {
  const owed: (() => void)[] = []
  const { raw, shop, ask } = await open(t, (socket, request) =>
    owed.push(() => socket.write(json(tenantOf(request) ?? null))),
  )
  const tenants = ['acme', 'best', 'acme', 'best']
  const asked = tenants.map(tenant => ask(shop.shared({ headers: { 'X-Tenant': tenant } })))
  await raw.asked(2)
  for (const answer of owed) answer()
  t.same(
    (await Promise.all(asked)).map(({ value }) => value),
    tenants,
  )
  t.equal(raw.requests.length, 2)
})

test('calls of two tenants share no stored answer', async t => {
  const { raw, shop, ask } = await open(t, (socket, request) => socket.write(json(tenantOf(request) ?? null)))
  for (const [tenant, expected] of [
    ['acme', 'miss'],
    ['best', 'miss'],
    ['acme', 'hit'],
    ['best', 'hit'],
  ] as const) {
    const { value, cached } = await ask(shop.kept({ headers: { 'X-Tenant': tenant } }))
    t.same([value, cached?.cache], [tenant, expected])
  }
  t.equal(raw.requests.length, 2)
})

test('30 answers of 429 to one tenant of the input harm no other tenant', async t => {
  const { raw, shop, ask, runtime } = await open(
    t,
    (socket, request) => socket.write(tenantOf(request) === 'bad' ? json({}, 429) : json('well')),
    { retry: {}, concurrency: 'adaptive' },
  )
  for (let time = 0; time < 30; time++)
    t.match(await failure(ask(shop.price({ headers: { 'X-Tenant': 'bad' } }))), { code: 'UPSTREAM_BUSY' })
  t.equal(raw.requests.length, 30, 'none is sent again')
  t.match(runtime.stats()['shop'], { breaker: 'closed', failed: 0, ignored: 30 })
  t.equal((await ask(shop.price({ headers: { 'X-Tenant': 'good' } }))).value, 'well')
})

test('a 429 counts against the upstream if no header of the call identifies a caller', async t => {
  for (const given of [{}, { 'accept-language': 'de' }]) {
    const { shop, ask, runtime } = await open(t, json({}, 429), { breaker: { minimumCalls: 3 } })
    for (let time = 0; time < 3; time++) await failure(ask(shop.hinted({ headers: given })))
    t.match(runtime.stats()['shop'], { breaker: 'open', failed: 3 })
  }
})

test('an operation may send an authorization of its own if the upstream has no auth for that header', async t => {
  const raw = await rawUpstream(t, json('well'))
  const tokens = z.object({ authorization: z.string() })
  const { orders } = defineUpstream(
    'orders',
    { origin: raw.origin, auth: { header: 'x-api-key', secret: env('KEY') } },
    { orders: operation({ path: '/', headers: tokens, output: z.unknown() }) },
  )
  const runtime = createRuntime({ environment: { KEY: 'ours' } })
  t.teardown(() => runtime.close())
  await runtime.send(testRun().ask(orders({ headers: { authorization: 'Bearer theirs' } })))
  const [request] = raw.requests as [RawRequest]
  t.same([received(request, 'authorization'), received(request, 'x-api-key')], [['Bearer theirs'], ['ours']])
})

test('an invalid header of the input is the fault of the caller, or of the upstream that it came from', async t => {
  const { shop, runtime } = await open(t, json('a\u0000'))
  const query = z.object({ tenant: z.string() })
  const direct = aggregate('direct', { url: '/direct', query })
    .required('price', ({ query: { tenant } }) => shop.price({ headers: { 'X-Tenant': tenant } }))
    .reply(z.unknown(), () => null)
  t.match(await failure(fanOut(direct, { query: { tenant: 'a\r\nb: c' } }, { runtime })), {
    code: 'CALL_INPUT_INVALID',
    statusCode: 400,
  })
  const derived = aggregate('derived', { url: '/derived' })
    .required('tenant', () => shop.price({ headers: { 'X-Tenant': 'a' } }))
    .required('price', ({ tenant }) => shop.price({ headers: { 'X-Tenant': String(tenant) } }), { needs: ['tenant'] })
    .reply(z.unknown(), () => null)
  t.match(await failure(fanOut(derived, {}, { runtime })), { code: 'UPSTREAM_CALL_INPUT_INVALID' })
})

test('the key of an idempotent call can come from its headers', async t => {
  const raw = await rawUpstream(t, json('well'))
  const { pay } = defineUpstream(
    'pay',
    { origin: raw.origin },
    {
      pay: operation({
        method: 'POST',
        path: '/',
        headers: z.object({ 'x-order': z.string() }),
        output: z.unknown(),
        idempotencyKey: ({ headers: given }) => `order-${given['x-order']}`,
      }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  await runtime.send(testRun().ask(pay({ headers: { 'x-order': '7' } })))
  const [request] = raw.requests as [RawRequest]
  t.same([received(request, 'x-order'), received(request, 'idempotency-key')], [['7'], ['order-7']])
})
