import { test, type Test } from 'tap'
import { z } from 'zod'
import type { Call } from '../../src/upstream/call/call.ts'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { forwardProxy } from '../helpers/forward-proxy.ts'
import { json, rawUpstream, written, type RawRequest } from '../helpers/raw-upstream.ts'
import { selfSigned } from '../helpers/self-signed.ts'

const id = z.object({ id: z.string() })

function declare(origin: string, options: Partial<UpstreamOptions>) {
  return defineUpstream(
    'cats',
    { origin, retry: false, breaker: false, redirects: 3, ...options },
    {
      cat: operation({ path: '/cats/{id}', params: id, output: z.unknown() }),
      find: operation({ path: '/find', query: z.object({ q: z.string() }), output: z.unknown() }),
      head: operation({ method: 'HEAD', path: '/cats/{id}', params: id, output: z.unknown(), allowEmpty: true }),
      options: operation({ method: 'OPTIONS', path: '/cats/{id}', params: id, output: z.unknown() }),
      kept: operation({ path: '/cats/{id}', params: id, output: z.unknown(), cache: true }),
      put: operation({ method: 'PUT', path: '/cats/{id}', params: id, output: z.unknown() }),
      where: operation({ path: '/cats/{id}', params: id, responses: { 200: z.unknown(), 302: z.unknown() } }),
    },
  )
}

/** An upstream that redirects paths to locations, and answers all others with their path. */
async function arrange(
  t: Test,
  locations: Readonly<Record<string, string | ((request: RawRequest) => Buffer | undefined)>>,
  { base = '', environment, ...options }: Partial<UpstreamOptions> & { base?: string } & RuntimeOptions = {},
  status = 302,
) {
  const raw = await rawUpstream(t, (socket, request) => {
    const location = locations[request.path]
    if (typeof location === 'function') {
      const answer = location(request)
      return void (answer && socket.write(answer))
    }
    if (location === undefined) return void socket.write(json(request.path))
    return void socket.write(written(status, { location: location.replace('ORIGIN', raw.origin) }, 'moved'))
  })
  const runtime = createRuntime(environment === undefined ? {} : { environment })
  t.teardown(() => runtime.close())
  return {
    raw,
    cats: declare(raw.origin + base, options),
    ask: (call: Call<unknown>, run = testRun()) => runtime.send(run.ask(call)),
    paths: () => raw.requests.map(({ method, path }) => `${method} ${path}`),
  }
}

test('a redirect of a safe call is followed within the origin, over the connection of the call', async t => {
  for (const status of [301, 302, 303, 307, 308]) {
    const { raw, cats, ask, paths } = await arrange(
      t,
      { '/cats/a': '/cats/b', '/cats/b': 'ORIGIN/c?d=%20' },
      {},
      status,
    )
    const run = testRun()
    t.same(await ask(cats.cat({ id: 'a' }), run), { value: '/c?d=%20', status: 200 })
    t.same(paths(), ['GET /cats/a', 'GET /cats/b', 'GET /c?d=%20'])
    t.equal(raw.connections, 1)
    t.match(
      run.events.filter(({ type }) => type === 'attempt ended' || type === 'call ended'),
      [{ code: undefined }, { status: 200, attempts: 1 }],
      'it is one attempt',
    )
  }
})

test('a redirect keeps the method, and a 303 to OPTIONS is not followed', async t => {
  const { cats, ask, paths } = await arrange(t, { '/cats/a': '/b' }, {}, 303)
  await ask(cats.head({ id: 'a' }))
  t.match(await failure(ask(cats.options({ id: 'a' }))), { upstreamStatus: 303, message: /status 303$/ })
  t.same(paths(), ['HEAD /cats/a', 'HEAD /b', 'OPTIONS /cats/a'])
  const other = await arrange(t, { '/cats/a': '/b' })
  t.same((await other.ask(other.cats.options({ id: 'a' }))).value, '/b')
  t.same(other.paths(), ['OPTIONS /cats/a', 'OPTIONS /b'])
})

test('a redirect of an unsafe call is not followed', async t => {
  for (const status of [301, 302, 303, 307, 308]) {
    const { cats, ask, paths } = await arrange(t, { '/cats/a': '/b' }, {}, status)
    t.match(await failure(ask(cats.put({ id: 'a' }))), { code: 'UPSTREAM_STATUS', upstreamStatus: status })
    t.same(paths(), ['PUT /cats/a'])
  }
})

test('a redirect is a failure without the option, and other 3xx with it', async t => {
  const off = await arrange(t, { '/cats/a': '/b' }, { redirects: 0 })
  t.match(await failure(off.ask(off.cats.cat({ id: 'a' }))), { upstreamStatus: 302, message: /status 302$/ })
  t.same(off.paths(), ['GET /cats/a'])
  for (const status of [300, 304, 305, 306]) {
    const { cats, ask, paths } = await arrange(t, { '/cats/a': '/b' }, {}, status)
    t.match(await failure(ask(cats.cat({ id: 'a' }))), { upstreamStatus: status })
    t.same(paths(), ['GET /cats/a'])
  }
  const { cats, ask } = await arrange(t, { '/cats/a': () => written(302, {}, '') })
  t.match(await failure(ask(cats.cat({ id: 'a' }))), { upstreamStatus: 302, message: /status 302$/ })
  const bad = await arrange(t, { '/cats/a': () => written(302, { location: '/b', 'transfer-encoding': 'gzip' }, '') })
  t.match(await failure(bad.ask(bad.cats.cat({ id: 'a' }))), { code: 'UPSTREAM_PROTOCOL' })
})

test('redirects end at the limit, and at once in a loop', async t => {
  const chain = { '/cats/a': '/1', '/1': '/2', '/2': '/3', '/3': '/4' }
  for (const [redirects, message] of [
    [1, /: status 302: it redirects more than 1 time$/],
    [3, /: status 302: it redirects more than 3 times$/],
  ] as const) {
    const { cats, ask, paths } = await arrange(t, chain, { redirects })
    t.match(await failure(ask(cats.cat({ id: 'a' }))), { code: 'UPSTREAM_STATUS', upstreamStatus: 302, message })
    t.equal(paths().length, redirects + 1)
  }
  const enough = await arrange(t, chain, { redirects: 4 })
  t.same((await enough.ask(enough.cats.cat({ id: 'a' }))).value, '/4')
  for (const [locations, count] of [
    [{ '/cats/a': '/cats/a#b' }, 1],
    [{ '/cats/a': '/b', '/b': '/cats/a' }, 2],
  ] as const) {
    const { cats, ask, paths } = await arrange(t, locations, { redirects: 10 })
    t.match(await failure(ask(cats.cat({ id: 'a' }))), { upstreamStatus: 302, message: /its redirects form a loop$/ })
    t.equal(paths().length, count)
  }
})

test('a redirect to another origin is not followed, and no connection is opened to it', async t => {
  const other = await rawUpstream(t, json('stolen'))
  for (const [location, fault] of [
    [`${other.origin}/cats/a`, 'its redirect leaves the origin'],
    [other.origin.replace('http:', ''), 'its redirect leaves the origin'],
    [other.origin.replace('http', 'https'), 'its redirect leaves the origin'],
    ['ORIGIN'.replace('ORIGIN', 'http://user:pass@HOST/b'), 'its location contains credentials'],
  ] as const) {
    const { raw, cats, ask } = await arrange(
      t,
      { '/cats/a': () => written(302, { location: location.replace('HOST', raw.origin.slice('http://'.length)) }, '') },
      { headers: { authorization: 'Bearer secret' }, forwardHeaders: ['x-user'] },
    )
    const error = await failure(ask(cats.cat({ id: 'a' }), testRun({ headers: { 'x-user': 'a' } })))
    t.match(error, { code: 'UPSTREAM_STATUS', upstreamStatus: 302, verdict: 'failed' })
    t.match((error as Error).message, new RegExp(`: status 302: ${fault}$`))
    t.notMatch((error as Error).message, other.origin)
  }
  t.equal(other.connections, 0)
})

test('a redirect stays below the base path', async t => {
  const inside = await arrange(t, { '/v1/cats/a': '/v1/b?x=1', '/v1/b?x=1': '?x=2' }, { base: '/v1' })
  t.same((await inside.ask(inside.cats.cat({ id: 'a' }))).value, '/v1/b?x=2')
  for (const location of ['/b', '/v10/b', '/v1/../b', '/v1/%2e%2e/b', '../../b']) {
    const { cats, ask, paths } = await arrange(t, { '/v1/cats/a': location }, { base: '/v1' })
    t.match(await failure(ask(cats.cat({ id: 'a' }))), { message: /its redirect leaves the base path$/ }, location)
    t.same(paths(), ['GET /v1/cats/a'])
  }
  const encoded = await arrange(t, { '/v1/cats/a': '/v1/x/..%2f..%2fb' }, { base: '/v1' })
  t.match(await failure(encoded.ask(encoded.cats.cat({ id: 'a' }))), { message: /contains a '\.' or '\.\.' segment$/ })
})

test('credentials, forwarded headers and headers of layers are sent again', async t => {
  const signing: CustomLayer = next => call => next(call.with({ headers: { 'x-signed': call.path } }))
  const tracking: CustomLayer = next => call => next(call.with({ headers: { 'x-tenant': 't' } }))
  const { raw, cats, ask } = await arrange(
    t,
    { '/find?q=a%20b&key=s%26': '/found?key=s%26&q=1', '/found?q=1&key=s%26': '/last' },
    {
      auth: { query: 'key', secret: env('KEY') },
      environment: { KEY: 's&' },
      forwardHeaders: ['x-user'],
      layers: { call: [tracking], attempt: [signing] },
    },
  )
  t.same((await ask(cats.find({ q: 'a b' }), testRun({ headers: { 'x-user': 'u' } }))).value, '/last?key=s%26')
  t.same(
    raw.requests.map(({ headers }) =>
      ['x-user', 'x-tenant', 'x-signed'].map(name => headers.find(([each]) => each === name)?.[1]),
    ),
    [
      ['u', 't', '/find?q=a%20b'],
      ['u', 't', '/found?q=1'],
      ['u', 't', '/last'],
    ],
    'each request is signed with its own path',
  )
})

test('all requests of an attempt share its timeout, and the deadline of the run', async t => {
  const hang = { '/cats/a': '/b', '/b': () => undefined }
  const timed = await arrange(t, hang, { attemptTimeout: 40 })
  t.match(await failure(timed.ask(timed.cats.cat({ id: 'a' }))), { code: 'UPSTREAM_TIMEOUT' })
  const { cats, ask, raw } = await arrange(t, hang)
  const run = testRun()
  const asked = failure(ask(cats.cat({ id: 'a' }), run))
  await raw.asked(2)
  const reason = new Error('the caller has left')
  run.abort.abort(reason)
  t.equal(await asked, reason)
  t.equal(run.abort.size, 0)
})

test('redirects are followed again in a retry, and each attempt has the whole limit', async t => {
  let failures = 1
  const { cats, ask, paths } = await arrange(
    t,
    { '/cats/a': '/b', '/b': () => (failures-- > 0 ? json({}, 503) : json('well')) },
    { redirects: 1, retry: { maxAttempts: 2, initialDelay: 0, maxDelay: 0 } },
  )
  t.same((await ask(cats.cat({ id: 'a' }))).value, 'well')
  t.same(paths(), ['GET /cats/a', 'GET /b', 'GET /cats/a', 'GET /b'])
})

test('an answer at the end of a redirect is read under the limits of every answer', async t => {
  const large = await arrange(t, { '/cats/a': '/b', '/b': () => json('x'.repeat(2000)) }, { maxResponseBytes: 1000 })
  t.match(await failure(large.ask(large.cats.cat({ id: 'a' }))), { code: 'UPSTREAM_TOO_LARGE' })
  const long = await arrange(t, { '/cats/a': () => written(302, { location: '/b' }, 'x'.repeat(100_000)) })
  t.same((await long.ask(long.cats.cat({ id: 'a' }))).value, '/b', 'a long body of a redirect is not read')
})

test('a cache does not store an answer that came by a redirect', async t => {
  let isMoved = true
  const day = { 'cache-control': 'max-age=86400', etag: '"a"' }
  const { cats, ask, paths } = await arrange(t, {
    '/cats/a': () => (isMoved ? written(302, { ...day, location: '/b' }, '') : json('own', 200, day)),
    '/b': () => json('moved', 200, day),
  })
  for (let time = 0; time < 2; time++)
    t.match(await ask(cats.kept({ id: 'a' })), { value: 'moved', status: 200, cached: { cache: 'miss' } })
  isMoved = false
  t.match(await ask(cats.kept({ id: 'a' })), { value: 'own', cached: { cache: 'miss' } })
  t.match(await ask(cats.kept({ id: 'a' })), { value: 'own', cached: { cache: 'hit' } })
  t.equal(paths().length, 5)
})

test('a redirected request has no condition, because the stored answer belongs to another URI', async t => {
  let isMoved = false
  const stored = { 'cache-control': 'no-cache', etag: '"a"' }
  const { raw, cats, ask } = await arrange(t, {
    '/cats/a': () => (isMoved ? written(307, { location: '/b' }, '') : json('old', 200, stored)),
    '/b': ({ headers }) =>
      headers.some(([name]) => name === 'if-none-match') ? written(304, { etag: '"a"' }, '') : json('new', 200, stored),
  })
  t.match(await ask(cats.kept({ id: 'a' })), { value: 'old' })
  isMoved = true
  t.match(await ask(cats.kept({ id: 'a' })), { value: 'new', status: 200 })
  t.same(
    raw.requests.map(({ headers }) => headers.some(([name]) => name === 'if-none-match')),
    [false, true, false],
  )
})

test('a redirect status in responses is an answer, and is not followed', async t => {
  const { cats, ask, paths } = await arrange(t, { '/cats/a': () => json(null, 302, { location: '/b' }) })
  t.same((await ask(cats.where({ id: 'a' }))).value, { status: 302, body: null })
  t.same(paths(), ['GET /cats/a'])
})

test('a redirect is followed over TLS and through a proxy, as the call itself', async t => {
  const proxy = await forwardProxy(t)
  for (const isSecure of [false, true])
    for (const through of [{}, { proxy: proxy.origin }]) {
      const raw = await rawUpstream(
        t,
        (socket, { path }) =>
          socket.write(path.endsWith('/b') ? json('well') : written(302, { location: '/v1/b' }, '')),
        isSecure ? selfSigned : undefined,
      )
      const runtime = createRuntime()
      t.teardown(() => runtime.close())
      const cats = declare(`${raw.origin}/v1`, { ...through, ...(isSecure && { tls: { ca: selfSigned.cert } }) })
      t.same((await runtime.send(testRun().ask(cats.cat({ id: 'a' })))).value, 'well')
      t.same(
        raw.requests.map(({ path }) => path),
        ['/v1/cats/a', '/v1/b'],
      )
      t.ok('proxy' in through === proxy.requests.some(({ target }) => target.includes(`:${raw.port}`)))
    }
})

test('a number of redirects is a whole number from 0 to 10', t => {
  for (const redirects of [-1, 11, 1.5, '1', null, true] as number[])
    t.throws(() => declare('https://cats.example', { redirects }), {
      name: 'TypeError',
      message: `upstream 'cats': redirects must be a whole number from 0 to 10, got ${redirects}`,
    })
  t.end()
})
