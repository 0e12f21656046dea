import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation, specOf, type Call, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { testRun, type TestRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream, type RawUpstream, type Script } from '../helpers/raw-upstream.ts'

const body = z.object({ q: z.string() })

function declare(origin: string, options: Partial<UpstreamOptions> = {}) {
  const search = { path: '/search', body, output: z.unknown() } as const
  return defineUpstream(
    'shop',
    { origin, retry: false, breaker: false, ...options },
    {
      search: operation({ ...search, method: 'POST', safe: true }),
      shared: operation({ ...search, method: 'POST', safe: true, coalesce: true }),
      kept: operation({ ...search, method: 'POST', safe: true, cache: true }),
      query: operation({ ...search, method: 'QUERY' }),
      keptQuery: operation({ ...search, method: 'QUERY', cache: true }),
      replace: operation({ ...search, method: 'PUT' }),
    },
  )
}

async function open(
  t: Test,
  script: Script,
  options: Partial<UpstreamOptions> = {},
  runtimeOptions: RuntimeOptions = {},
): Promise<{
  readonly raw: RawUpstream
  readonly shop: ReturnType<typeof declare>
  readonly ask: <T>(call: Call<T>, run?: TestRun) => ReturnType<ReturnType<typeof createRuntime>['send']>
}> {
  const raw = await rawUpstream(t, script)
  const runtime = createRuntime(runtimeOptions)
  t.teardown(() => runtime.close())
  return { raw, shop: declare(raw.origin, options), ask: (call, run = testRun()) => runtime.send(run.ask(call)) }
}

/** Both kinds of calls that only read and have a body. */
const kinds = ['search', 'query'] as const

test('a QUERY and a safe POST are sent with their body, its type and its length', async t => {
  for (const kind of kinds) {
    const { raw, shop, ask } = await open(t, json('found'))
    t.equal((await ask(shop[kind]({ body: { q: 'tea' } }))).value, 'found')
    t.match(raw.requests, [{ method: kind === 'query' ? 'QUERY' : 'POST', path: '/search', body: '{"q":"tea"}' }])
    t.match(Object.fromEntries(raw.requests[0]?.headers ?? []), {
      'content-type': 'application/json',
      'content-length': '11',
    })
  }
})

test('an upstream changes nothing if each POST is safe, so nothing is invalidated', t => {
  const { search, query } = declare('http://127.0.0.1:9')
  t.equal(search({ body: { q: '' } }).spec.safe, true)
  t.match(query({ body: { q: '' } }).spec, { safe: true, idempotent: true })
  const reading = operation({ method: 'POST', safe: true, path: '/', output: z.unknown() })
  t.equal(specOf(defineUpstream('shop', { origin: 'http://127.0.0.1:9' }, { reading })).changes, false)
  const writing = operation({ method: 'POST', safe: false, path: '/', output: z.unknown() })
  t.equal(specOf(defineUpstream('shop', { origin: 'http://127.0.0.1:9' }, { writing })).changes, true)
  t.end()
})

test('a safe call with a body is retried after a failure and after a lost connection', async t => {
  for (const kind of kinds) {
    const { raw, shop, ask } = await open(
      t,
      (socket, { index }) => {
        if (index === 0) socket.write(json({}, 503))
        else if (index === 1) socket.resetAndDestroy()
        else socket.write(json('third'))
      },
      { retry: { maxAttempts: 3, initialDelay: 0 } },
    )
    t.equal((await ask(shop[kind]({ body: { q: 'tea' } }))).value, 'third')
    t.same(
      raw.requests.map(request => request.body),
      Array.from({ length: 3 }, () => '{"q":"tea"}'),
    )
  }
})

test('a safe call with a body that loses its connection is reset: its outcome is not in question', async t => {
  for (const kind of kinds) {
    const { shop, ask } = await open(t, socket => socket.resetAndDestroy())
    t.match(await failure(ask(shop[kind]({ body: { q: 'tea' } }))), { code: 'UPSTREAM_RESET' })
  }
})

test('a safe call with a body is hedged', async t => {
  for (const kind of kinds) {
    const { raw, shop, ask } = await open(t, (socket, { index }) => index > 0 && socket.write(json('second')), {
      hedge: { delay: 5, maxRatio: 1 },
    })
    t.equal((await ask(shop[kind]({ body: { q: 'tea' } }))).value, 'second')
    t.equal(raw.requests[1]?.body, '{"q":"tea"}')
  }
})

test('a safe call with a body ends at the limit of its attempt, and its connection closes', async t => {
  for (const kind of kinds) {
    const { raw, shop, ask } = await open(t, () => {}, { attemptTimeout: 20 })
    t.match(await failure(ask(shop[kind]({ body: { q: 'tea' } }))), { code: 'UPSTREAM_TIMEOUT' })
    await raw.deserted()
  }
})

test('a run that fails aborts its safe POST, and does not wait for it', async t => {
  const { raw, shop } = await open(t, (socket, { path }) => path === '/fail' && socket.write(json({}, 404)))
  const failing = operation({ path: '/fail', output: z.unknown() })
  const broken = defineUpstream('broken', { origin: raw.origin, retry: false }, { failing })
  const both = aggregate('both', { url: '/both', deadline: 60_000 })
    .required('search', () => shop.search({ body: { q: 'tea' } }))
    .required('broken', () => broken.failing())
    .reply(z.unknown(), () => null)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  t.match(await failure(fanOut(both, {}, { runtime })), { code: 'UPSTREAM_STATUS' })
  await raw.holds(1)
})

test('equal safe calls in flight share one answer, and another body is another call', async t => {
  const held: (() => void)[] = []
  const { raw, shop, ask } = await open(t, (socket, { body: sent }) =>
    held.push(() => socket.write(json(JSON.parse(sent)))),
  )
  const long = 'a'.repeat(1000)
  const questions = ['tea', 'tea', 'milk', long, long, `${long}b`]
  const asked = questions.map(q => ask(shop.shared({ body: { q } })))
  await raw.asked(4)
  for (const answer of held) answer()
  t.same(
    (await Promise.all(asked)).map(({ value }) => value),
    questions.map(q => ({ q })),
  )
  t.equal(raw.requests.length, 4)
})

test('a stored answer is given to calls with the same body only', async t => {
  for (const kind of ['kept', 'keptQuery'] as const) {
    const { raw, shop, ask } = await open(t, (socket, request) =>
      socket.write(json(JSON.parse(request.body), 200, { 'cache-control': 'max-age=60' })),
    )
    const long = 'a'.repeat(1000)
    for (const [q, expected] of [
      ['tea', 'miss'],
      ['tea', 'hit'],
      ['milk', 'miss'],
      [long, 'miss'],
      [`${long}b`, 'miss'],
      [long, 'hit'],
    ] as const) {
      const { value, cached } = await ask(shop[kind]({ body: { q } }))
      t.same(value, { q })
      t.equal(cached?.cache, expected, `${kind}, ${q.length} characters`)
    }
    t.equal(raw.requests.length, 4)
  }
})

test('a QUERY and a POST with the same path and body share no stored answer', async t => {
  const { raw, shop, ask } = await open(t, (socket, { method }) =>
    socket.write(json(method, 200, { 'cache-control': 'max-age=60' })),
  )
  t.equal((await ask(shop.kept({ body: { q: 'tea' } }))).value, 'POST')
  t.equal((await ask(shop.keptQuery({ body: { q: 'tea' } }))).value, 'QUERY')
  t.equal(raw.requests.length, 2)
})

test('a stale answer to a QUERY is confirmed by a 304, and a POST asks for a whole answer', async t => {
  const script: Script = (socket, { headers }) =>
    headers.some(([name]) => name === 'if-none-match')
      ? socket.write('HTTP/1.1 304 Same\r\netag: "a"\r\n\r\n')
      : socket.write(json('whole', 200, { etag: '"a"', 'cache-control': 'max-age=0, stale-if-error=60' }))
  for (const [kind, conditional] of [
    ['keptQuery', true],
    ['kept', false],
  ] as const) {
    const { raw, shop, ask } = await open(t, script)
    for (let times = 0; times < 2; times++) t.equal((await ask(shop[kind]({ body: { q: 'tea' } }))).value, 'whole')
    t.equal(
      raw.requests[1]?.headers.some(([name]) => name === 'if-none-match'),
      conditional,
      kind,
    )
  }
})

test('an unsafe call to the path of a safe POST invalidates its answers for each body', async t => {
  const { shop, ask } = await open(t, json('found', 200, { 'cache-control': 'max-age=60' }))
  const [tea, milk] = [shop.kept({ body: { q: 'tea' } }), shop.kept({ body: { q: 'milk' } })]
  for (const call of [tea, milk]) await ask(call)
  t.equal((await ask(shop.search({ body: { q: 'tea' } }))).value, 'found')
  for (const call of [tea, milk]) t.equal((await ask(call)).cached?.cache, 'hit', 'a safe call invalidates nothing')
  await ask(shop.replace({ body: { q: 'tea' } }))
  for (const call of [tea, milk]) t.equal((await ask(call)).cached?.cache, 'miss')
})
