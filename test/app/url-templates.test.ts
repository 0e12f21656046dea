import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { runAggregate } from '../../src/testing/index.ts'
import { echoAggregate as echo } from '../helpers/echo-aggregate.ts'
import { serveApp } from '../helpers/served-app.ts'

/** Serves aggregates, and returns a function that requests a path: the reply of `echo`, or the status. */
async function served(t: Test, ...aggregates: AnyAggregate[]) {
  const { get } = await serveApp(t, { aggregates })
  return async (path: string, method = 'GET') => {
    const { status, body } = await get<unknown>(path, { method })
    return status === 200 ? body : status
  }
}

test('a parameter with literal text beside it is served', async t => {
  const ask = await served(
    t,
    echo('weather', '/weather/{lat},{lon}'),
    echo('cancel', '/jobs/{id}:cancel', 'POST'),
    echo('product', '/Products({key})'),
    echo('suffixed', '/suffixed/{name}suffix'),
    echo('version', '/v{version}/x'),
    echo('call', '/call/{id}(x)'),
    echo('orders', '/Orders(id={id},line={line})/Items'),
    echo('file', '/files/{name}.{ext}'),
    echo('me', '/users/@{name}'),
    echo('matrix', '/matrix/{id};v={v}'),
    echo('plus', '/plus/{a}+{b}'),
    echo('unicode', '/caf%C3%A9/{a}%C3%A9{b}'),
    echo('both', '/both/{a}:{b}/{c}-{d}/{e}'),
  )
  t.same(await ask('/weather/52.5,-13.4'), ['weather', '52.5', '-13.4'])
  t.same(await ask('/jobs/7:cancel', 'POST'), ['cancel', '7'])
  t.same(await ask('/Products(1)'), ['product', '1'])
  t.same(await ask("/Products('a%20b')"), ['product', "'a b'"])
  t.same(await ask('/Products%281%29'), ['product', '1'])
  t.same(await ask('/suffixed/xsuffix'), ['suffixed', 'x'])
  t.same(await ask('/suffixed/suffixsuffix'), ['suffixed', 'suffix'])
  t.same(await ask('/v12/x'), ['version', '12'])
  t.same(await ask('/call/7(x)'), ['call', '7'])
  t.same(await ask('/Orders(id=1,line=2)/Items'), ['orders', '1', '2'])
  t.same(await ask('/files/archive.tar.gz'), ['file', 'archive.tar', 'gz'])
  t.same(await ask('/files/a%2Fb.txt'), ['file', 'a/b', 'txt'])
  t.same(await ask('/users/@me'), ['me', 'me'])
  t.same(await ask('/matrix/7;v=2'), ['matrix', '7', '2'])
  t.same(await ask('/plus/1+2'), ['plus', '1', '2'])
  t.same(await ask('/caf%c3%a9/1%C3%A92'), ['unicode', '1', '2'])
  t.same(await ask('/both/1:2/3-4/5%20x?q=1,2:3'), ['both', '1', '2', '3', '4', '5 x'])
  for (const path of [
    '/weather/',
    '/weather/52.5',
    '/weather/52.5,',
    '/weather/,13.4',
    '/weather/,',
    '/weather/52.5%2C13.4',
    '/Products()',
    '/Products(1',
    '/suffixed/suffix',
    '/suffixed/x',
    '/v/x',
    '/call/x',
    '/call/7x',
    '/call/(x)',
    '/files/.txt',
    '/files/a.',
    '/files/a.b/',
    '/users/@',
    '/both/1:2/3-4',
  ])
    t.equal(await ask(path), 404, path)
})

test('a value is decoded once, and a reserved character that is encoded is part of a value', async t => {
  const ask = await served(
    t,
    echo('weather', '/weather/{lat},{lon}'),
    echo('percent', '/percent/{n}%25'),
    echo('slash', '/slash/{a}-{b}'),
  )
  t.same(await ask('/weather/1%2C2,3%2c4'), ['weather', '1,2', '3,4'])
  t.same(await ask('/weather/%2541,%252C'), ['weather', '%41', '%2C'])
  t.same(await ask('/weather/a%2Fb,%C3%A9%3F%23'), ['weather', 'a/b', 'é?#'])
  t.same(await ask('/percent/50%25'), ['percent', '50'])
  t.same(await ask('/percent/%2541%25'), ['percent', '%41'])
  t.equal(await ask('/percent/50'), 404)
  t.same(await ask('/slash/a%2Fb-c'), ['slash', 'a/b', 'c'])
  t.same(await ask('/slash/a%2Dc'), ['slash', 'a', 'c'], 'an unreserved character is equal in both forms')
  t.same(await ask('/slash/1-2-3'), ['slash', '1-2', '3'], 'the values on the left are as long as possible')
  t.equal(await ask('/slash/%zz-a'), 400)
})

test('a parameter that is a whole segment may be empty in the templates that the router matches by itself', async t => {
  const ask = await served(
    t,
    echo('read', '/jobs/{id}'),
    echo('close', '/jobs/{id}:close'),
    echo('pair', '/{a}/{b},{c}'),
  )
  t.same(await ask('/jobs/'), ['read', ''])
  t.equal(await ask('//1,2'), 404)
})

test('the most specific template matches, whatever the order of declaration', async t => {
  const all = [
    echo('read', '/jobs/{id}'),
    echo('close', '/jobs/{id}:close'),
    echo('close-now', '/jobs/{id}:close-now'),
    echo('literal', '/jobs/all:close'),
    echo('range', '/jobs/{from}-{to}'),
    echo('cancel', '/jobs/{id}:cancel', 'POST'),
    echo('first', '/{kind}/first'),
    echo('pair', '/jobs/{id}/{a},{b}'),
    echo('other', '/{kind}/{a}/{b}'),
  ]
  for (const aggregates of [all, all.toReversed()]) {
    const ask = await served(t, ...aggregates)
    t.same(await ask('/jobs/7'), ['read', '7'])
    t.same(await ask('/jobs/7:close'), ['close', '7'])
    t.same(await ask('/jobs/7:close-now'), ['close-now', '7'])
    t.same(await ask('/jobs/all:close'), ['literal'])
    t.same(await ask('/jobs/1-2'), ['range', '1', '2'])
    t.same(await ask('/jobs/7%3Aclose'), ['read', '7:close'], 'an encoded colon is part of the value')
    t.same(await ask('/jobs/7:open'), ['read', '7:open'])
    t.same(await ask('/jobs/:close'), ['read', ':close'])
    t.same(await ask('/jobs/7:cancel', 'POST'), ['cancel', '7'])
    t.equal(await ask('/jobs/7:cancel'), 405, 'the path decides before the method')
    t.equal(await ask('/jobs/7', 'POST'), 405)
    t.same(await ask('/cats/first'), ['first', 'cats'])
    t.same(await ask('/jobs/7/1,2'), ['pair', '7', '1', '2'])
    t.same(await ask('/jobs/7/1%2C2'), ['other', 'jobs', '7', '1,2'])
    t.same(await ask('/jobs/7/12'), ['other', 'jobs', '7', '12'])
  }
})

test('a method that a template with text beside a parameter does not serve is 405 with its allowed methods', async t => {
  const { get } = await serveApp(t, {
    aggregates: [
      echo('read', '/jobs/{id}'),
      echo('cancel', '/jobs/{id}:cancel', 'POST'),
      echo('see', '/jobs/{job}:cancel'),
      echo('delete', '/jobs/{id}', 'DELETE'),
      echo('put', '/only/{a},{b}', 'PUT'),
    ],
  })
  const allowed = async (path: string, method: string) => {
    const { status, headers } = await get(path, { method })
    return [status, headers.get('allow')]
  }
  t.same(await allowed('/jobs/7:cancel', 'DELETE'), [405, 'HEAD, GET, POST, OPTIONS'])
  t.same(await allowed('/jobs/7:cancel', 'OPTIONS'), [204, 'HEAD, GET, POST, OPTIONS'])
  t.same(await allowed('/jobs/7', 'POST'), [405, 'HEAD, GET, DELETE, OPTIONS'])
  t.same(await allowed('/jobs/7%3Acancel', 'POST'), [405, 'HEAD, GET, DELETE, OPTIONS'])
  t.same(await allowed('/jobs/7%3Acancel', 'OPTIONS'), [204, 'HEAD, GET, DELETE, OPTIONS'])
  t.same(await allowed('/only/1,2', 'GET'), [405, 'PUT, OPTIONS'])
  t.same(await allowed('/only/1,2', 'PROPFIND'), [405, 'PUT, OPTIONS'])
  t.same(await allowed('/only/1', 'GET'), [404, null])
  t.same(await allowed('/only/1%2C2', 'PUT'), [404, null])
  t.same(await allowed('/only/1%2C2', 'OPTIONS'), [404, null])
  t.same((await get('/jobs/7%3Acancel', { method: 'DELETE' })).body, ['delete', '7:cancel'])
  t.same((await get('/jobs/7:cancel')).body, ['see', '7'])
  const [head, body] = [await get('/jobs/7:cancel', { method: 'HEAD' }), await get('/jobs/7:cancel')]
  t.match(head, { status: 200, text: '' })
  t.equal(head.headers.get('content-length'), String(Buffer.byteLength(body.text)))
})

test('an encoded literal matches its encoded form in any case, and its decoded form', async t => {
  const ask = await served(
    t,
    echo('cafe', '/caf%C3%A9'),
    echo('space', '/a%20b/{x}'),
    echo('star', '/star%2A'),
    echo('comma', '/geo%2Cberlin'),
    echo('colon', '/geo%3aberlin/{x}'),
    echo('slash', '/a%2Fb'),
    echo('percent', '/100%25'),
    echo('letter', '/%41bc'),
    echo('pair', '/pair/{a}%2C{b}'),
    echo('query', '/what%3F/{x}'),
    echo('twice', '/%2541'),
  )
  for (const path of ['/caf%C3%A9', '/caf%c3%a9', '/c%61f%C3%a9']) t.same(await ask(path), ['cafe'], path)
  for (const path of ['/a%20b/1', '/%61%20b/1']) t.same(await ask(path), ['space', '1'], path)
  for (const path of ['/star*', '/star%2A', '/star%2a']) t.same(await ask(path), ['star'], path)
  for (const path of ['/geo,berlin', '/geo%2Cberlin', '/geo%2cberlin']) t.same(await ask(path), ['comma'], path)
  for (const path of ['/geo:berlin/1', '/geo%3Aberlin/1']) t.same(await ask(path), ['colon', '1'], path)
  for (const path of ['/a%2Fb', '/a%2fb']) t.same(await ask(path), ['slash'], path)
  t.same(await ask('/100%25'), ['percent'])
  for (const path of ['/Abc', '/%41bc']) t.same(await ask(path), ['letter'], path)
  for (const path of ['/pair/1,2', '/pair/1%2C2', '/pair/1%2c2']) t.same(await ask(path), ['pair', '1', '2'], path)
  for (const path of ['/what%3F/1', '/what%3f/1']) t.same(await ask(path), ['query', '1'], path)
  t.same(await ask('/%2541'), ['twice'])
  for (const path of ['/a/b', '/star', '/starx', '/100%2525', '/A', '/%252541', '/caf%25C3%25A9'])
    t.equal(await ask(path), 404, path)
})

test('two aggregates whose templates match the same requests are found at the start', async t => {
  for (const [one, other] of [
    ['/x/{a},{b}', '/x/{c},{d}'],
    ['/caf%C3%A9', '/caf%c3%a9'],
    ['/x/{a}%2D{b}', '/x/{c}-{d}'],
    ['/%61', '/a'],
    ['/x/{a}%2C', '/x/{b}%2c'],
  ] as const) {
    const app = buildApp([echo('one', one), echo('other', other)])
    t.teardown(() => app.close())
    await t.rejects(
      async () => app.ready(),
      {
        name: 'TypeError',
        message: `headwaters: the aggregates 'one' (${one}) and 'other' (${other}) match the same GET requests: change the url of one`,
      },
      `${one} and ${other}`,
    )
  }
  for (const [one, other] of [
    ['/x/{a},{b}', '/x/{a};{b}'],
    ['/x/{a}', '/x/{a},{b}'],
    ['/x,y', '/x%2Cy'],
  ] as const) {
    const app = buildApp([echo('one', one), echo('other', other)])
    t.teardown(() => app.close())
    await app.ready()
  }
})

test('limits, keys, CORS, caching and the log hold for a template with text beside a parameter', async t => {
  const lines: Record<string, unknown>[] = []
  const json = { authorization: 'Bearer 0123456789abcdef', 'content-type': 'application/json' }
  const app = buildApp(
    [
      aggregate('note', {
        url: '/notes/{id}:append',
        params: z.object({ id: z.string() }),
        body: z.object({ text: z.string() }),
      }).reply(z.unknown(), ({ params, body }) => [params.id, body.text]),
      aggregate('kept', {
        url: '/kept/{a}-{b}',
        params: z.object({ a: z.string(), b: z.string() }),
        cacheControl: 'public',
      }).reply(z.unknown(), ({ params }) => params),
      echo('plain', '/notes/{id}'),
    ],
    {
      keys: ['0123456789abcdef'],
      corsOrigins: ['https://cats.example'],
      limits: { bodyBytes: 64 },
      logger: { level: 'info', stream: { write: (line: string) => lines.push(JSON.parse(line) as never) } },
    },
  )
  t.teardown(() => app.close())
  const post = (url: string, payload: string, headers: Record<string, string> = json) =>
    app.inject({ method: 'POST', url, payload, headers })

  t.match((await post('/notes/7:append', '{"text":"a"}')).json(), { data: ['7', 'a'], complete: true })
  t.equal((await post('/notes/7:append', '{"text":"a"}', { 'content-type': 'application/json' })).statusCode, 401)
  t.equal((await post('/notes/7:append', JSON.stringify({ text: 'a'.repeat(100) }))).statusCode, 413)
  t.equal((await post('/notes/7:append', '{')).statusCode, 400)
  t.equal((await post('/notes/7:append', 'a', { ...json, 'content-type': 'text/plain' })).statusCode, 415)
  t.match((await post('/notes/7:append', '{}')).json(), { code: 'INPUT_INVALID', errors: [{ pointer: '/body/text' }] })
  const refused = await post('/notes/7', '{'.repeat(1000))
  t.match({ status: refused.statusCode, allow: refused.headers.allow }, { status: 405, allow: 'HEAD, GET, OPTIONS' })

  const get = (url: string, headers: Record<string, string> = {}) =>
    app.inject({ url, headers: { authorization: json.authorization, ...headers } })
  const kept = await get('/kept/1-2', { origin: 'https://cats.example' })
  t.match(kept.headers, {
    'cache-control': 'public',
    etag: /^W\//,
    'access-control-allow-origin': 'https://cats.example',
  })
  t.equal((await get('/kept/1-2', { 'if-none-match': kept.headers.etag as string })).statusCode, 304)
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/notes/7:append',
    headers: { origin: 'https://cats.example', 'access-control-request-method': 'POST' },
  })
  t.match(
    { status: preflight.statusCode, headers: preflight.headers },
    { status: 204, headers: { 'access-control-allow-methods': /POST/ } },
  )
  const unknown = await get('/kept/12')
  t.equal(unknown.statusCode, 404)
  t.match(unknown.json(), { code: 'NOT_FOUND', instance: /^urn:headwaters:request:/ })
  const encoded = await get('/kept/1%2-2')
  t.equal(encoded.statusCode, 400)

  const logged = lines.find(({ req }) => (req as { url?: string } | undefined)?.url === '/notes/7:append')
  t.match(logged, { req: { method: 'POST', url: '/notes/7:append' }, res: { statusCode: 200 }, responseTime: Number })
})

test('requests for a template with text beside a parameter are counted for the rate limit', async t => {
  const app = buildApp([echo('pair', '/{a},{b}'), echo('read', '/{a}')], { rateLimit: 2 })
  t.teardown(() => app.close())
  const statuses: number[] = []
  for (const url of ['/1,2', '/1', '/1,2', '/1%2C2']) statuses.push((await app.inject(url)).statusCode)
  t.same(statuses, [200, 200, 429, 429])
})

test("the service's document and a run by name know such a template as it is declared", async t => {
  const pair = echo('pair', '/pairs/{a},{b}')
  const cafe = echo('cafe', '/caf%C3%A9/{a}%2C{b}')
  const { get } = await serveApp(t, { aggregates: [pair, cafe] })
  const { body } = await get<{ paths: Record<string, { get: { parameters: { name?: string }[] } }> }>('/openapi.json')
  t.match(body.paths['/pairs/{a},{b}']?.get.parameters, [
    { name: 'a', in: 'path', required: true },
    { name: 'b', in: 'path' },
  ])
  t.ok(body.paths['/caf%C3%A9/{a}%2C{b}'])
  t.match(await runAggregate(pair, { params: { a: '1', b: '2' } }, { upstreams: {} }), {
    data: ['pair', '1', '2'],
  })
})

test('the time of routing is linear in the length of the path', async t => {
  const app = fastify({ routerOptions: { maxParamLength: 1_000_000 } })
  t.teardown(() => app.close())
  await app.register(headwaters, {
    aggregates: [echo('a', '/{a}-{b}-{c}-{d}x'), echo('b', '/{a}aa{b}aab{c}'), echo('c', '/{a}:x')],
  })
  for (const part of ['-', 'a', 'a-', 'aab', ':x', '%2D', '%2C', 'é']) {
    const url = `/${part.repeat(Math.ceil(200_000 / part.length))}`
    const start = performance.now()
    await app.inject(url)
    const ms = performance.now() - start
    t.ok(ms < 1000, `${part}: ${ms} ms for 200,000 characters`)
  }
})
