import { test, type Test } from 'tap'
import { z } from 'zod'
import type { Call } from '../../../src/upstream/call/call.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { httpUpstream } from '../../helpers/http-upstream.ts'

interface Key {
  readonly id: string
  readonly tenant?: string
}

/** The value of each key is the method, the headers and the body of its request. */
const Seen = z.object({ method: z.string(), tenant: z.string(), keys: z.string(), type: z.string(), body: z.string() })
const headers = z.object({ 'x-tenant': z.string().optional(), 'x-keys': z.number().optional() })
const bodied = { output: Seen, path: '/items', safe: true, method: 'POST' } as const
const pick = (seen: z.infer<typeof Seen>) => seen

async function arrange(t: Test, options: Partial<UpstreamOptions> = {}) {
  const { origin, log } = await httpUpstream(t, ({ request, json }) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', headers: sent } = request
      json({
        method,
        tenant: String(sent['x-tenant']),
        keys: String(sent['x-keys']),
        type: String(sent['content-type']),
        body: Buffer.concat(chunks).toString(),
      })
    })
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const byTenant = {
    path: '/items',
    query: z.object({ ids: z.array(z.string()) }),
    headers,
    output: Seen,
    keyBatch: {
      maxKeys: 50,
      call: (keys: readonly Key[]) => ({
        ids: keys.map(({ id }) => id),
        headers: { 'x-tenant': keys[0]?.tenant },
      }),
      pick,
    },
  }
  const shop = defineUpstream(
    'shop',
    { origin, retry: false, ...options },
    {
      item: operation(byTenant),
      kept: operation({ ...byTenant, cache: { ttl: 60_000 } }),
      counted: operation({
        ...byTenant,
        keyBatch: {
          maxKeys: 50,
          call: (keys: readonly Key[]) => ({
            ids: keys.map(({ id }) => id),
            headers: { 'x-tenant': 'own', 'x-keys': keys.length > 1 ? keys.length : undefined },
          }),
          pick,
        },
      }),
      query: operation({
        path: '/items',
        method: 'QUERY',
        body: z.array(z.string()),
        output: Seen,
        keyBatch: { maxKeys: 50, call: (body: readonly string[]) => ({ body }), pick },
      }),
      json: operation({
        ...bodied,
        body: z.array(z.string()),
        keyBatch: { maxKeys: 50, call: (body: readonly string[]) => ({ body }), pick },
      }),
      form: operation({
        ...bodied,
        bodyType: 'form',
        body: z.object({ id: z.array(z.string()) }),
        keyBatch: { maxKeys: 50, call: (id: readonly string[]) => ({ body: { id } }), pick },
      }),
      text: operation({
        ...bodied,
        bodyType: 'text',
        body: z.string(),
        keyBatch: { maxKeys: 50, call: (ids: readonly string[]) => ({ body: ids.join('\n') }), pick },
      }),
    },
  )
  const run = testRun()
  return {
    shop,
    log,
    ask: <T>(calls: readonly Call<T>[]) =>
      Promise.all(calls.map(async call => (await runtime.send(run.ask(call))).value)),
  }
}

test('calls of keys with other headers in their input are sent apart, each request with its own headers', async t => {
  const { shop, log, ask } = await arrange(t)
  const tenants = await ask(
    [{ id: 'a', tenant: 'x' }, { id: 'b', tenant: 'y' }, { id: 'c', tenant: 'x' }, { id: 'd' }].map(key =>
      shop.item(key),
    ),
  )
  t.same(
    tenants.map(({ tenant }) => tenant),
    ['x', 'y', 'x', 'undefined'],
  )
  t.same([...log].sort(), ['GET /items?ids=a&ids=c', 'GET /items?ids=b', 'GET /items?ids=d'])
})

test('the stored value of a key belongs to the headers in the input of its call', async t => {
  const { shop, log, ask } = await arrange(t)
  for (const tenant of ['x', 'y', 'x'])
    t.match(await ask(['a', 'b'].map(id => shop.kept({ id, tenant }))), [{ tenant }, { tenant }])
  t.equal(log.length, 2)
})

test('a request for several keys has the headers that call returns for these keys', async t => {
  const { shop, ask } = await arrange(t)
  t.match(await ask(['a', 'b', 'c'].map(id => shop.counted({ id }))), [{ keys: '3' }, { keys: '3' }, { keys: '3' }])
  t.match(await ask([shop.counted({ id: 'a' })]), [{ keys: 'undefined' }])
})

test('the headers of a layer override those that call returns for several keys', async t => {
  const { shop, ask } = await arrange(t, {
    layers: { call: [next => call => next(call.with({ headers: { 'x-tenant': 'layer', 'x-added': '1' } }))] },
  })
  t.match(await ask(['a', 'b'].map(id => shop.counted({ id }))), [
    { keys: '2', tenant: 'layer' },
    { keys: '2', tenant: 'layer' },
  ])
})

test('the body of a batch of a QUERY or of a safe POST has all keys', async t => {
  const { shop, log, ask } = await arrange(t)
  const ids = ['a', 'b', 'a']
  for (const [operate, method, type, body] of [
    [shop.query, 'QUERY', 'application/json', '["a","b"]'],
    [shop.json, 'POST', 'application/json', '["a","b"]'],
    [shop.form, 'POST', 'application/x-www-form-urlencoded', 'id=a&id=b'],
    [shop.text, 'POST', 'text/plain;charset=utf-8', 'a\nb'],
  ] as const) {
    const seen = await ask(ids.map(id => operate(id)))
    t.match(
      seen,
      ids.map(() => ({ method, type, body })),
    )
  }
  t.equal(log.length, 4)
})
