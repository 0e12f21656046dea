import { test, type Test } from 'tap'
import { z } from 'zod'
import type { Call } from '../../src/upstream/call/call.ts'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { createMemoryStore } from '../../src/upstream/policies/cache/memory-store.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { testRun } from '../helpers/call.ts'
import { json, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

const id = z.object({ id: z.string() })

function declare(origin: string, options: Partial<UpstreamOptions> = {}) {
  return defineUpstream(
    'cats',
    { origin, retry: false, ...options },
    {
      cat: operation({ path: '/cats/{id}', params: id, output: z.unknown(), cache: true }),
      find: operation({ path: '/find', query: z.object({ q: z.string() }), output: z.unknown() }),
      put: operation({ method: 'PUT', path: '/cats/{id}', params: id, output: z.unknown() }),
    },
  )
}

function open(t: Test, options: RuntimeOptions = {}) {
  const runtime = createRuntime(options)
  t.teardown(() => runtime.close())
  const ask = (call: Call<unknown>) => runtime.send(testRun().ask(call))
  return { ask, cacheOf: async (call: Call<unknown>) => (await ask(call)).cached?.cache }
}

/** Answers reads with an answer to keep, and writes with the `Location` that `locationOf` returns. */
const answering =
  (locationOf = () => '/'): Script =>
  (socket, { method, index }) =>
    socket.write(
      method === 'GET'
        ? json(index, 200, { 'cache-control': 'max-age=3600' })
        : json({}, 201, { location: locationOf() }),
    )

test('a call is sent below the declared base path', async t => {
  for (const path of ['/v1', '/v1/', '/v1///']) {
    const raw = await rawUpstream(t, answering())
    const cats = declare(raw.origin + path)
    const { ask } = open(t)
    await ask(cats.cat({ id: 'tom' }))
    await ask(cats.find({ q: 'a b' }))
    t.same(
      raw.requests.map(request => request.path),
      ['/v1/cats/tom', '/v1/find?q=a%20b'],
      path,
    )
  }
})

test('a credential in the query is added below the declared base path', async t => {
  const raw = await rawUpstream(t, answering())
  const { ask } = open(t, { environment: { KEY: 'abc' } })
  await ask(declare(`${raw.origin}/v1`, { auth: { query: 'key', secret: env('KEY') } }).find({ q: 'a' }))
  t.equal(raw.requests[0]?.path, '/v1/find?q=a&key=abc')
})

test('an override replaces the declared origin and its base path', async t => {
  for (const [path, expected] of [
    ['', '/cats/tom'],
    ['/v2', '/v2/cats/tom'],
  ] as const) {
    const raw = await rawUpstream(t, answering())
    const { ask } = open(t, { overrides: { cats: { origin: raw.origin + path } } })
    await ask(declare('https://cats.example/v1').cat({ id: 'tom' }))
    t.equal(raw.requests[0]?.path, expected)
  }
})

test('a layer gets the declared base path as its prefix, also to sign', async t => {
  const raw = await rawUpstream(t, answering())
  const seen: string[] = []
  const signed: CustomLayer = (next, { origin, prefix }) => {
    t.equal(origin, raw.origin)
    return call => {
      seen.push(prefix + call.path)
      return next(call)
    }
  }
  const { ask } = open(t)
  await ask(declare(`${raw.origin}/v1/`, { layers: { call: [signed], attempt: [signed] } }).cat({ id: 'tom' }))
  t.same(seen, [raw.requests[0]?.path, raw.requests[0]?.path])
})

test('an unsafe call below a declared base path invalidates its URI and the one of its Location', async t => {
  for (const [location, expected] of [
    ['/v1/cats/jerry', 'miss'],
    ['jerry', 'miss'],
    ['ORIGIN/v1/cats/jerry', 'miss'],
    ['/cats/jerry', 'hit'],
    ['/v10/cats/jerry', 'hit'],
  ] as const) {
    let named = ''
    const raw = await rawUpstream(
      t,
      answering(() => named),
    )
    named = location.replace('ORIGIN', raw.origin)
    const cats = declare(`${raw.origin}/v1/`)
    const { ask, cacheOf } = open(t)
    const [tom, jerry] = [cats.cat({ id: 'tom' }), cats.cat({ id: 'jerry' })]
    for (const call of [tom, jerry]) await ask(call)
    for (const call of [tom, jerry]) t.equal(await cacheOf(call), 'hit')
    await ask(cats.put({ id: 'tom' }))
    t.equal(await cacheOf(tom), 'miss')
    t.equal(await cacheOf(jerry), expected, location)
  }
})

test('declarations with different base paths share no answers in one store, and invalidate only their own', async t => {
  const raw = await rawUpstream(t, answering())
  const { ask, cacheOf } = open(t, { cacheStore: createMemoryStore() })
  const [one, two] = [declare(`${raw.origin}/v1`), declare(`${raw.origin}/v2`)]
  const [first, second] = [one.cat({ id: 'tom' }), two.cat({ id: 'tom' })]
  for (const call of [first, second]) t.equal(await cacheOf(call), 'miss')
  await ask(one.put({ id: 'tom' }))
  t.equal(await cacheOf(second), 'hit')
  t.equal(await cacheOf(first), 'miss')
})
