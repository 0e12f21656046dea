import fc from 'fast-check'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { Abort } from '../../../../src/core/abort.ts'
import { cacheKey } from '../../../../src/upstream/policies/cache/cache-key.ts'
import { createMemoryStore } from '../../../../src/upstream/policies/cache/memory-store.ts'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../../../src/upstream/declare.ts'
import { keyOf } from '../../../../src/upstream/transport/dispatch.ts'
import { createRuntime, type RuntimeOptions } from '../../../../src/upstream/runtime.ts'
import { testRun } from '../../../helpers/call.ts'
import { collected } from '../../../helpers/collected.ts'
import { failure } from '../../../helpers/failure.ts'
import { farStore } from '../../../helpers/far-store.ts'
import { json, rawUpstream, written, type RawRequest, type Script } from '../../../helpers/raw-upstream.ts'
import { turn } from '../../../helpers/turn.ts'
import { until } from '../../../helpers/until.ts'

const Cat = z.object({ name: z.string() })
const minute = { 'cache-control': 'max-age=60' }
/** Fresh for a minute, and older than that when it comes. */
const staleAtOnce = (more: string) => ({ 'cache-control': `max-age=60${more}`, age: '70' })

/** Answers each request with what `answer` makes of it. */
function each(answer: (request: RawRequest) => Buffer): Script {
  return (socket, request) => socket.write(answer(request))
}

async function arrange(
  t: Test,
  script: Script,
  { upstreamOptions = {}, ...options }: RuntimeOptions & { upstreamOptions?: Partial<UpstreamOptions> } = {},
) {
  const raw = await rawUpstream(t, script)
  const runtime = createRuntime(options)
  t.teardown(() => runtime.close())
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false, ...upstreamOptions },
    {
      cat: operation({ path: '/cats/{id}', params: z.object({ id: z.string() }), output: Cat, cache: true }),
      fact: operation({ path: '/fact', output: z.unknown(), cache: { ttl: 60_000 } }),
      sure: operation({ path: '/sure', output: z.unknown(), cache: { ttl: 0, staleIfError: 60_000 } }),
      text: operation({ path: '/text', output: z.string(), responseType: 'text', cache: true }),
      bytes: operation({ path: '/bytes', output: z.instanceof(Uint8Array), responseType: 'bytes', cache: true }),
      none: operation({ path: '/none', output: Cat, nullOn: [404], cache: { ttl: 60_000 } }),
      head: operation({
        method: 'HEAD',
        path: '/head',
        output: z.unknown(),
        allowEmpty: true,
        responseHeaders: z.object({ 'x-total': z.coerce.number() }),
        cache: true,
      }),
      counted: operation({
        path: '/counted',
        output: z.unknown(),
        responseHeaders: z.object({ 'x-total': z.coerce.number() }),
        cache: true,
      }),
      put: operation({
        method: 'PUT',
        path: '/cats/{id}',
        params: z.object({ id: z.string() }),
        body: z.unknown(),
        output: z.unknown(),
      }),
    },
  )
  return {
    raw,
    runtime,
    cats,
    ask: (
      call = cats.cat({ id: 'tom' }) as Parameters<ReturnType<typeof testRun>['ask']>[0],
      { headers = {}, abort = new Abort() } = {},
    ) => runtime.send(testRun({ headers }).ask(call, { abort })),
    stats: () => runtime.stats()['cats']?.cache,
  }
}

test('an answer is kept as its headers say, over a real connection', async t => {
  const { raw, ask, stats } = await arrange(t, json({ name: 'Tom', more: 1 }, 200, minute))
  t.strictSame(await ask(), { value: { name: 'Tom' }, status: 200, cached: { cache: 'miss' } })
  t.match(await ask(), { value: { name: 'Tom' }, status: 200, cached: { cache: 'hit', age: Number, ttl: Number } })
  t.equal(raw.requests.length, 1)
  t.match(stats(), { hits: 1, misses: 1, entries: 1 })
})

test('an upstream that keeps nothing has no such numbers', async t => {
  const raw = await rawUpstream(t, json({}))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  await runtime.send(
    testRun().ask(
      defineUpstream('plain', { origin: raw.origin }, { get: operation({ path: '/', output: z.unknown() }) }).get(),
    ),
  )
  t.notOk('cache' in (runtime.stats()['plain'] ?? {}))
})

test('the validators are sent and a 304 confirms them, and a 304 without validators is a failure', async t => {
  const { raw, ask, stats } = await arrange(
    t,
    each(({ headers }) =>
      headers.some(([name]) => name === 'if-none-match')
        ? written(304, { etag: '"tom"', ...minute, 'content-length': undefined }, '')
        : json({ name: 'Tom' }, 200, { etag: '"tom"', 'cache-control': 'no-cache' }),
    ),
    { upstreamOptions: { concurrency: 1 } },
  )
  await ask()
  t.strictSame(await ask(), { value: { name: 'Tom' }, status: 304, cached: { cache: 'miss' } })
  t.equal(raw.requests[1]?.headers.find(([name]) => name === 'if-none-match')?.[1], '"tom"')
  t.match(
    await ask(),
    { value: { name: 'Tom' }, status: 200, cached: { cache: 'hit' } },
    'what it says of keeping counts',
  )
  t.match(stats(), { revalidated: 1 })
  t.equal(raw.connections, 1)

  const bare = await arrange(t, written(304, { 'content-length': undefined }, ''))
  t.match(await failure(bare.ask()), { code: 'UPSTREAM_STATUS', upstreamStatus: 304 })
})

test('a header of the declaration gives way to a validator', async t => {
  const { raw, ask } = await arrange(t, json({ name: 'Tom' }, 200, { etag: '"ours"', 'cache-control': 'no-cache' }), {
    upstreamOptions: { headers: { 'If-None-Match': '"fixed"' } },
  })
  await ask()
  await ask()
  t.same(
    raw.requests.map(request => request.headers.filter(([name]) => name === 'if-none-match').map(([, value]) => value)),
    [['"fixed"'], ['"ours"']],
  )
})

test('an answer that is incomplete or invalid is not stored', async t => {
  const body = JSON.stringify({ name: 'Tom' })
  const bad: Readonly<Record<string, (write: (bytes: Buffer | string) => void, end: () => void) => void>> = {
    UPSTREAM_RESET: (write, end) => {
      write(
        written(
          200,
          { ...minute, 'content-type': 'application/json', 'content-length': String(body.length) },
          body.slice(0, 5),
        ),
      )
      end()
    },
    UPSTREAM_JSON: write => write(written(200, { ...minute, 'content-type': 'application/json' }, '{"name":')),
    UPSTREAM_SCHEMA: write => write(json({ name: 1 }, 200, minute)),
    UPSTREAM_CONTENT_TYPE: write => write(written(200, { ...minute, 'content-type': 'text/html' }, body)),
    UPSTREAM_ENCODING: write =>
      write(written(200, { ...minute, 'content-type': 'application/json', 'content-encoding': 'gzip' }, body)),
    UPSTREAM_STATUS: write => write(json({ name: 'Tom' }, 500, minute)),
  }
  for (const [code, act] of Object.entries(bad)) {
    const { raw, ask, stats } = await arrange(t, (socket, { index }) => {
      if (index === 0)
        act(
          bytes => socket.write(bytes),
          () => socket.end(),
        )
      else socket.write(json({ name: 'good' }, 200, minute))
    })
    t.match(await failure(ask()), { code })
    t.match(stats(), { entries: 0 }, code)
    t.match(await ask(), { value: { name: 'good' }, cached: { cache: 'miss' } })
    t.equal(raw.requests.length, 2)
  }
})

test('chunks that break off are never kept', async t => {
  const { ask, stats } = await arrange(t, socket => {
    socket.end(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: max-age=60\r\n' +
        'transfer-encoding: chunked\r\n\r\nf\r\n{"name":"Tom"}\n\r\n',
    )
  })
  t.match(await failure(ask()), { code: 'UPSTREAM_RESET' })
  t.match(stats(), { entries: 0 })
})

test('an absent value is stored if the answer has a lifetime, and not for a ttl', async t => {
  const silent = await arrange(t, json({}, 404))
  for (const _ of [1, 2])
    t.match(await silent.ask(silent.cats.none()), { value: null, status: 404, cached: { cache: 'miss' } })
  const saying = await arrange(t, json({}, 404, minute))
  await saying.ask(saying.cats.none())
  t.match(await saying.ask(saying.cats.none()), { value: null, status: 404, cached: { cache: 'hit' } })
})

test('text, bytes and response headers are kept as they were', async t => {
  const { raw, cats, ask } = await arrange(
    t,
    each(({ path }) =>
      path === '/text'
        ? written(200, { ...minute, 'content-type': 'text/plain' }, 'grüße')
        : path === '/bytes'
          ? written(200, { ...minute, 'content-type': 'image/png' }, Buffer.from([1, 2, 255]))
          : path === '/head'
            ? written(200, { ...minute, 'x-total': '7', 'content-length': '9' }, '')
            : json([], 200, { ...minute, 'x-total': '8' }),
    ),
  )
  for (const cache of ['miss', 'hit']) {
    t.match(await ask(cats.text()), { value: 'grüße', cached: { cache } })
    t.match(await ask(cats.bytes()), { value: Buffer.from([1, 2, 255]), cached: { cache } })
    t.match(await ask(cats.head()), { value: { body: null, headers: { 'x-total': 7 } }, cached: { cache } })
    t.match(await ask(cats.counted()), { value: { body: [], headers: { 'x-total': 8 } }, cached: { cache } })
  }
  t.equal(raw.requests.length, 4)
  const { value } = (await ask(cats.bytes())) as { value: Buffer }
  t.ok(value.buffer.byteLength < 64 * 1024, 'no larger chunk is kept for it')
})

test('an answer whose operation needs a header that Connection names is given, and not kept', async t => {
  const { raw, ask, cats, stats } = await arrange(
    t,
    json([], 200, { ...minute, 'x-total': '8', connection: 'x-total' }),
  )
  for (const _ of [1, 2])
    t.match(await ask(cats.counted()), { value: { body: [], headers: { 'x-total': 8 } }, cached: { cache: 'miss' } })
  t.equal(raw.requests.length, 2)
  t.match(stats(), { entries: 0, storeFaults: 0 })
})

test('a header of the body that Connection names is kept, since the body is read by it', async t => {
  const latin1 = Buffer.from('café', 'latin1')
  const raw = await rawUpstream(t, socket =>
    socket.write(
      written(
        200,
        { ...minute, 'content-type': 'text/plain; charset=iso-8859-1', connection: 'keep-alive, Content-Type' },
        latin1,
      ),
    ),
  )
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false },
    { text: operation({ path: '/text', output: z.string(), responseType: 'text', cache: true }) },
  )
  for (const cacheStore of [createMemoryStore(), farStore(60_000).store]) {
    const runtime = createRuntime({ cacheStore })
    t.teardown(() => runtime.close())
    const ask = () => runtime.send(testRun().ask(cats.text()))
    t.match(await ask(), { value: 'café', cached: { cache: 'miss' } })
    for (let turns = 0; turns < 4; turns++) await turn()
    await collected()
    t.match(await ask(), { value: 'café', cached: { cache: 'hit' } })
    t.match(runtime.stats()['cats']?.cache, { storeFaults: 0 })
  }
})

test('a header that Connection names is not kept, and the others are', async t => {
  for (const connection of ['keep-alive', 'close', 'Keep-Alive, ETag', 'etag']) {
    const raw = await rawUpstream(t, socket =>
      socket.write(json(1, 200, { 'cache-control': 'max-age=0', etag: '"a"', connection })),
    )
    const cats = defineUpstream(
      'cats',
      { origin: raw.origin, retry: false },
      { get: operation({ path: '/', output: z.unknown(), cache: true }) },
    )
    const runtime = createRuntime()
    t.teardown(() => runtime.close())
    for (let count = 0; count < 2; count++) await runtime.send(testRun().ask(cats.get()))
    const isNamed = connection.toLowerCase().includes('etag')
    t.equal(JSON.stringify(raw.requests[1]).includes('if-none-match'), !isNamed, connection)
  }
})

test('a null that a 304 confirms keeps the status that it had', async t => {
  const { ask, cats } = await arrange(
    t,
    each(({ headers }) =>
      headers.some(([name]) => name === 'if-none-match')
        ? written(304, { ...minute, 'content-length': undefined }, '')
        : json({}, 404, { etag: '"a"', 'cache-control': 'max-age=0' }),
    ),
  )
  await ask(cats.none())
  t.match(await ask(cats.none()), { value: null, status: 304, keptStatus: 404 })
  t.match(await ask(cats.none()), { value: null, status: 404, cached: { cache: 'hit' } })
})

test('1000 cold callers with cache alone are one request', async t => {
  const { raw, ask } = await arrange(t, json({ name: 'Tom' }, 200, minute))
  const answers = await Promise.all(Array.from({ length: 1000 }, () => ask()))
  t.ok(answers.every(({ value }) => value === answers[0]?.value))
  t.equal(raw.requests.length, 1)
})

test('1000 callers at the expiry of a hot key cause one request, and get the old answer if it is allowed, or else the new one', async t => {
  for (const more of [', stale-while-revalidate=60', '']) {
    const { raw, ask, stats } = await arrange(
      t,
      each(({ index }) =>
        json({ name: String(index) }, 200, index === 0 ? { ...staleAtOnce(more), etag: '"a"' } : minute),
      ),
    )
    await ask()
    const answers = await Promise.all(Array.from({ length: 1000 }, () => ask()))
    const [name, cache] = more === '' ? ['1', 'miss'] : ['0', 'stale']
    t.ok(
      answers.every(({ value, cached }) => (value as { name: string }).name === name && cached?.cache === cache),
      more,
    )
    await until(() => stats()?.misses !== 1)
    t.match(await ask(), { value: { name: '1' }, cached: { cache: 'hit' } })
    t.equal(raw.requests.length, 2, more)
  }
})

test('the first of them leaves, and the others still get the answer', async t => {
  const replies: (() => void)[] = []
  const { raw, ask } = await arrange(t, socket => {
    replies.push(() => socket.write(json({ name: 'Tom' }, 200, minute)))
  })
  const abort = new Abort()
  const first = failure(ask(undefined, { abort }))
  const others = [ask(), ask()]
  await raw.asked(1)
  abort.abort('gone')
  t.equal(await first, 'gone')
  replies[0]?.()
  t.match(await Promise.all(others), [{ value: { name: 'Tom' } }, { value: { name: 'Tom' } }])
  t.match(await ask(), { cached: { cache: 'hit' } })
  t.equal(raw.requests.length, 1)
})

test('credentials that are sent on are in the key', async t => {
  const { raw, ask } = await arrange(
    t,
    each(({ headers }) => json({ name: headers.find(([name]) => name === 'x-user')?.[1] ?? 'nobody' }, 200, minute)),
    { upstreamOptions: { forwardHeaders: ['x-user'] } },
  )
  for (const cache of ['miss', 'hit']) {
    for (const user of ['one', 'two', undefined]) {
      t.match(await ask(undefined, { headers: user === undefined ? {} : { 'x-user': user } }), {
        value: { name: user ?? 'nobody' },
        cached: { cache },
      })
    }
  }
  t.equal(raw.requests.length, 3)
})

test('an answer to an Authorization of the service is stored only if its headers allow shared use', async t => {
  for (const [auth, second] of [
    [{ bearer: env('TOKEN') }, 'miss'],
    [{ header: 'authorization', secret: env('TOKEN') }, 'miss'],
    [{ header: 'x-api-key', secret: env('TOKEN') }, 'hit'],
    [{ query: 'key', secret: env('TOKEN') }, 'hit'],
  ] as const) {
    const { ask } = await arrange(t, json({ name: 'Tom' }, 200, minute), {
      upstreamOptions: { auth },
      environment: { TOKEN: 'one' },
    })
    await ask()
    t.match(await ask(), { cached: { cache: second } }, JSON.stringify(Object.keys(auth)))
  }
  const { ask } = await arrange(t, json({ name: 'Tom' }, 200, { 'cache-control': 'public, max-age=60' }), {
    upstreamOptions: { auth: { bearer: env('TOKEN') } },
    environment: { TOKEN: 'one' },
  })
  await ask()
  t.match(await ask(), { cached: { cache: 'hit' } })
})

test('services that share a store and ask with other secrets share no answer', async t => {
  const cacheStore = createMemoryStore()
  const raw = await rawUpstream(t, json({}, 200, minute))
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, auth: { query: 'key', secret: env('KEY') } },
    { get: operation({ path: '/', output: z.unknown(), cache: true }) },
  )
  const caches = []
  for (const KEY of ['one', 'two', 'one']) {
    const runtime = createRuntime({ cacheStore, environment: { KEY } })
    t.teardown(() => runtime.close())
    caches.push((await runtime.send(testRun().ask(cats.get()))).cached?.cache)
  }
  t.same(caches, ['miss', 'miss', 'hit'])
})

test('services that share a store and request tokens with other parameters share no answer', async t => {
  const cacheStore = createMemoryStore()
  const tokens = await rawUpstream(t, json({ access_token: 'abc', token_type: 'Bearer' }))
  const raw = await rawUpstream(t, json({}, 200, { 'cache-control': 'public, max-age=60' }))
  const client = { tokenUrl: `${tokens.origin}/token`, clientId: 'us', clientSecret: env('KEY') }
  const caches = []
  for (const further of [
    {},
    { audience: 'a' },
    { audience: 'b' },
    { parameters: { audience2: 'a' } },
    { parameters: { resource: 'a', tenant: 'b' } },
    { audience: 'a' },
    { parameters: { tenant: 'b', resource: 'a' } },
  ]) {
    const cats = defineUpstream(
      'cats',
      { origin: raw.origin, auth: { oauth2: { ...client, ...further } } },
      { get: operation({ path: '/', output: z.unknown(), cache: true }) },
    )
    const runtime = createRuntime({ cacheStore, environment: { KEY: 'one' } })
    t.teardown(() => runtime.close())
    caches.push((await runtime.send(testRun().ask(cats.get()))).cached?.cache)
  }
  t.same(caches, ['miss', 'miss', 'miss', 'miss', 'miss', 'hit', 'hit'])
})

test('the key differs whenever something that goes out differs, and only then', t => {
  const declare = (headers: Record<string, string>, accept: string[]) =>
    defineUpstream(
      'keys',
      { origin: 'http://127.0.0.1:9', forwardHeaders: ['authorization', 'x-tenant'], headers },
      {
        get: operation({ path: '/{a}', params: z.object({ a: z.string() }), output: z.unknown(), accept, cache: true }),
      },
    )
  const upstreams = {
    plain: declare({}, ['a/b']),
    headed: declare({ 'x-key': '1' }, ['a/b']),
    accepting: declare({}, ['a/c']),
  }
  const keys = {
    here: cacheKey(['http://a', ''], keyOf),
    there: cacheKey(['http://b', ''], keyOf),
    asOther: cacheKey(['http://a', 'other'], keyOf),
  }
  const word = fc.constantFrom('a', 'b', '"', ',', 'null', 'a","b')
  const asks = fc.record({
    upstream: fc.constantFrom('plain' as const, 'headed' as const, 'accepting' as const),
    where: fc.constantFrom('here' as const, 'there' as const, 'asOther' as const),
    a: word,
    authorization: fc.option(word, { nil: undefined }),
    tenant: fc.option(word, { nil: undefined }),
    other: word,
  })
  type Ask = typeof asks extends fc.Arbitrary<infer A> ? A : never
  const key = ({ upstream, where, a, authorization, tenant, other }: Ask) =>
    keys[where](testRun({ headers: { authorization, 'x-tenant': tenant, other } }).ask(upstreams[upstream].get({ a })))
  const sent = ({ upstream, where, a, authorization, tenant }: Ask) =>
    JSON.stringify([upstream, where, a, authorization ?? 0, tenant ?? 0])
  fc.assert(
    fc.property(asks, asks, (one, two) => (key(one) === key(two)) === (sent(one) === sent(two))),
    { numRuns: 500 },
  )
  fc.assert(fc.property(asks, word, (ask, other) => key(ask) === key({ ...ask, other })))
  t.end()
})

test('the stored entries stay within maxCacheBytes', async t => {
  const { ask, cats, stats } = await arrange(t, json({ name: 'x'.repeat(5000) }, 200, minute), {
    upstreamOptions: { maxCacheBytes: 50_000 },
  })
  for (let id = 0; id < 30; id++) await ask(cats.cat({ id: String(id) }))
  const { bytes = Infinity, entries = 0 } = stats() ?? {}
  t.ok(bytes <= 50_000 && entries >= 6 && entries <= 9, `${entries} entries of ${bytes} bytes`)
  t.match(await ask(cats.cat({ id: '29' })), { cached: { cache: 'hit' } })
  t.match(await ask(cats.cat({ id: '0' })), { cached: { cache: 'miss' } })
})

test('an old answer stands in while the upstream is down, and while its circuit is open', async t => {
  const { ask, cats, raw } = await arrange(
    t,
    (socket, { index }) => (index === 0 ? socket.write(json('old')) : socket.destroy()),
    { upstreamOptions: { breaker: { minimumCalls: 2 } } },
  )
  await ask(cats.sure())
  const codes = []
  for (let asked = 0; asked < 4; asked++) codes.push((await ask(cats.sure())).cached?.insteadOf?.code)
  t.same([codes[0], codes.at(-1)], ['UPSTREAM_RESET', 'BREAKER_OPEN'])
  t.ok(raw.requests.length < 5)
})

test('a change through the same upstream is seen at once', async t => {
  const { ask, cats } = await arrange(
    t,
    each(({ index }) => json({ name: String(index) }, 200, minute)),
  )
  await ask()
  await ask(cats.put({ id: 'tom', body: 1 }))
  t.match(await ask(), { value: { name: '2' }, cached: { cache: 'miss' } })
})

test('closing ends a refresh that is under way, and its socket', async t => {
  const { raw, ask, runtime } = await arrange(
    t,
    (socket, { index }) =>
      index === 0 && socket.write(json({ name: 'Tom' }, 200, staleAtOnce(', stale-while-revalidate=60'))),
  )
  await ask()
  t.match(await ask(), { cached: { cache: 'stale' } })
  await raw.asked(2)
  await runtime.close()
  await raw.deserted()
})

test('a store elsewhere is shared by runtimes, and what an upstream elsewhere said is not believed of this one', async t => {
  const { store, held } = farStore(60_000)
  const { raw, ask, cats } = await arrange(t, json({ name: 'Tom' }, 200, { ...minute, etag: '"a"' }), {
    cacheStore: store,
  })
  t.match(await ask(), { cached: { cache: 'miss' } })
  await until(() => held.size > 0)
  const other = createRuntime({ cacheStore: store })
  t.teardown(() => other.close())
  const call = () => testRun().ask(cats.cat({ id: 'tom' }))
  t.match(await other.send(call()), { value: { name: 'Tom' }, cached: { cache: 'hit' } })
  t.equal(raw.requests.length, 1)
  t.notOk('entries' in (other.stats()['cats']?.cache ?? {}), 'it does not say what it holds')
  const elsewhere = await rawUpstream(t, json({ name: 'Jerry' }, 200, minute))
  const third = createRuntime({ cacheStore: store, overrides: { cats: { origin: elsewhere.origin } } })
  t.teardown(() => third.close())
  t.match(await third.send(call()), { value: { name: 'Jerry' }, cached: { cache: 'miss' } })
})

test('a store elsewhere: 304, headers and bytes work there too', async t => {
  const { store } = farStore(60_000)
  const { ask, cats } = await arrange(
    t,
    each(({ headers, path, index }) =>
      path === '/bytes'
        ? written(200, { ...minute, 'content-type': 'image/png' }, Buffer.from([1, 2, 255]))
        : path === '/counted'
          ? json([], 200, { ...minute, 'x-total': '8' })
          : headers.some(([name]) => name === 'if-none-match')
            ? written(304, { ...minute, 'content-length': undefined }, '')
            : json({ name: String(index) }, 200, { etag: '"a"', 'cache-control': 'no-cache' }),
    ),
    { cacheStore: store },
  )
  await ask()
  t.match(await ask(), { value: { name: '0' }, status: 304 })
  for (let turns = 0; turns < 3; turns++) await turn()
  t.match(await ask(), { value: { name: '0' }, cached: { cache: 'hit' } })
  await ask(cats.counted())
  await ask(cats.bytes())
  for (let turns = 0; turns < 3; turns++) await turn()
  t.match(await ask(cats.bytes()), { value: Buffer.from([1, 2, 255]), cached: { cache: 'hit' } })
  t.match(await ask(cats.counted()), { value: { body: [], headers: { 'x-total': 8 } }, cached: { cache: 'hit' } })
})

test('a store elsewhere that hangs, fails or throws costs its getTimeout and no answer', async t => {
  const far = farStore(5)
  const modes = ['hang', 'reject', 'throw'] as const
  // A lookup that fails is one fault: its answer is not stored. The other store fails where it stores, too.
  for (const cacheStore of [far.store, { ...far.store, get: () => undefined }]) {
    const { raw, ask, stats } = await arrange(t, json({ name: 'Tom' }, 200, minute), { cacheStore })
    for (const [index, mode] of modes.entries()) {
      far.mode = mode
      t.match(await ask(), { value: { name: 'Tom' }, cached: { cache: 'miss' } }, mode)
      await until(() => stats()?.storeFaults === index + 1)
    }
    t.equal(raw.requests.length, 3)
    t.match(stats(), { storeFaults: 3 })
  }
})
