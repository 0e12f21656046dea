import { request } from 'node:http'
import { once } from 'node:events'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'

const cats = defineUpstream(
  'cats',
  { origin: 'http://cats.test' },
  {
    fact: operation({
      path: '/fact',
      query: z.object({ max_length: z.number().optional() }),
      output: z.object({ fact: z.string() }),
    }),
    breed: operation({
      path: '/breeds/{id}',
      params: z.object({ id: z.string() }),
      output: z.object({ name: z.string() }),
    }),
    file: operation({ path: '/files/{path+}', params: z.object({ path: z.string() }), output: z.string() }),
    order: operation({
      method: 'POST',
      path: '/orders',
      body: z.object({ cat: z.string() }),
      output: z.object({ id: z.string() }),
    }),
  },
)

async function start(t: Test) {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  return { upstream, ask: (path: string, options: RequestInit = {}) => fetch(upstream.origin + path, options) }
}

function json(response: Promise<Response>): Promise<unknown> {
  return response.then(got => got.json())
}

test('a queued answer is used once, in order, and after that the default', async t => {
  const { upstream, ask } = await start(t)
  upstream
    .answer(cats.fact, { fact: 'one' })
    .answer(cats.fact, { fact: 'two' }, { status: 201, headers: { 'X-Cat': 'tom' } })
    .always('/fact', { fact: 'again' })
  t.strictSame(upstream.unused, ['any /fact', 'any /fact'])
  t.strictSame(await json(ask('/fact')), { fact: 'one' })
  const second = await ask('/fact')
  t.equal(second.status, 201)
  t.equal(second.headers.get('x-cat'), 'tom')
  t.equal(second.headers.get('content-type'), 'application/json')
  t.strictSame(await second.json(), { fact: 'two' })
  for (let i = 0; i < 3; i++) t.strictSame(await json(ask('/fact')), { fact: 'again' })
  t.strictSame(upstream.unused, [])
  t.strictSame(upstream.unexpected, [])
  t.equal(upstream.calls.length, 5)
})

test('the default that was given last counts', async t => {
  const { upstream, ask } = await start(t)
  upstream.always('*', 1).always('/fact', 2)
  t.equal(await json(ask('/fact')), 2)
  t.equal(await json(ask('/other')), 1)
})

test('scripts are chosen by operation, by call and by text', async t => {
  const { upstream, ask } = await start(t)
  upstream
    .answer(cats.breed, 'any breed')
    .answer(cats.breed({ id: 'a b' }), 'this breed')
    .answer(cats.fact({ max_length: 20 }), 'short')
    .answer('POST /orders', 'an order')
    .answer('GET /facts?limit=2', 'two')
    .answer('/breeds/{id}/pictures', 'pictures')
  t.equal(await json(ask('/breeds/x')), 'any breed')
  t.equal(await json(ask('/breeds/a%20b')), 'this breed')
  t.equal(await json(ask('/facts?page=1&limit=2')), 'two', 'more in the query is let through')
  t.equal(await json(ask('/breeds/x/pictures')), 'pictures')
  t.equal((await ask('/orders')).status, 501, 'another method')
  t.equal(await json(ask('/orders', { method: 'POST' })), 'an order')
  for (const path of ['/fact', '/fact?max_length=2', '/fact?max_length=20&more=1', '/breeds/a/b'])
    t.equal((await ask(path)).status, 501, path)
  t.equal(await json(ask('/fact?max_length=20')), 'short')
})

test('a parameter of several segments selects one or more segments', async t => {
  const { upstream, ask } = await start(t)
  upstream
    .always(cats.file, 'any file')
    .always('/files/{path+}/versions/{id}', 'a version')
    .answer(cats.file({ path: 'src/a b.ts' }), 'this file')
  t.equal(await json(ask('/files/src/a%20b.ts')), 'this file')
  for (const path of ['/files/a', '/files/a/b', '/files/a/b/c%2Fd', '/files/versions/1'])
    t.equal(await json(ask(path)), 'any file', path)
  for (const path of ['/files/a/versions/1', '/files/a/b/versions/1']) t.equal(await json(ask(path)), 'a version', path)
  for (const path of ['/files', '/files/', '/files//a', '/files/a//b', '/files/a/', '/more/files/a'])
    t.equal((await ask(path)).status, 501, path)
})

test('a call is there to be looked at', async t => {
  const { upstream, ask } = await start(t)
  upstream.always('*', null)
  const come = upstream.called(2)
  await ask('/orders?tag=a&tag=b&note=%C3%A4', { method: 'POST', body: '{"cat":"tom"}', headers: { 'X-Who': 'me' } })
  await ask('/text', { method: 'PUT', body: 'no json' })
  const [first, second] = await come
  t.match(first, {
    method: 'POST',
    path: '/orders',
    query: { tag: ['a', 'b'], note: 'ä' },
    headers: { 'x-who': 'me' },
    body: { cat: 'tom' },
  })
  t.match(second, { method: 'PUT', path: '/text', query: {}, body: 'no json' })
  await ask('/none')
  t.equal(upstream.calls[2]?.body, undefined)
  t.equal((await upstream.called(1)).length, 1, 'what has come is given at once')
})

test('a body is read by its content type', async t => {
  const { upstream, ask } = await start(t)
  upstream.always('*', null)
  const send = async (body: NonNullable<RequestInit['body']>, type?: string) => {
    await ask('/', { method: 'POST', body, ...(type !== undefined && { headers: { 'content-type': type } }) })
    return upstream.calls.at(-1)?.body
  }
  t.strictSame(await send('a=1&b=x+y&a=2', 'application/x-www-form-urlencoded'), { a: ['1', '2'], b: 'x y' })
  const form = new FormData()
  form.append('title', 'Tom')
  form.append('files', new File(['a'], 'a.txt', { type: 'text/plain' }))
  form.append('files', new File([Uint8Array.of(255)], 'b'))
  t.strictSame(await send(form), {
    title: 'Tom',
    files: [
      { filename: 'a.txt', type: 'text/plain', bytes: Buffer.from('a') },
      { filename: 'b', type: 'application/octet-stream', bytes: Buffer.of(255) },
    ],
  })
  t.equal(await send('no parts', 'multipart/form-data; boundary=a'), 'no parts')
  t.strictSame(await send(Uint8Array.of(255, 0)), Buffer.of(255, 0))
  t.strictSame(await send('[1]', 'application/vnd.api+json'), [1])
})

test('integers of 64 bits are exact in answers and in calls', async t => {
  const { upstream, ask } = await start(t)
  upstream.answer('POST /orders', { id: 9_007_199_254_740_993n })
  const answer = await ask('/orders', { method: 'POST', body: '{"id":9007199254740995,"count":1}' })
  t.equal(await answer.text(), '{"id":9007199254740993}')
  t.strictSame(upstream.calls[0]?.body, { id: 9_007_199_254_740_995n, count: 1 })
})

test('a call that no answer is queued for is answered 501 and reported', async t => {
  const { upstream, ask } = await start(t)
  upstream.answer('/fact', 1)
  const response = await ask('/facts')
  t.equal(response.status, 501)
  t.match(await response.json(), { message: 'no answer is queued for GET /facts' })
  t.match(upstream.unexpected, [{ method: 'GET', path: '/facts' }])
  t.strictSame(upstream.unused, ['any /fact'])
})

test('text and bytes go out as they are', async t => {
  const { upstream, ask } = await start(t)
  upstream
    .answer('*', '<p>', { headers: { 'Content-Type': 'text/html' } })
    .answer('*', Uint8Array.of(1, 2))
    .answer('*', 'a word')
    .status('*', 204)
  const page = await ask('/')
  t.equal(page.headers.get('content-type'), 'text/html')
  t.equal(await page.text(), '<p>')
  const bytes = await ask('/')
  t.equal(bytes.headers.get('content-type'), 'application/octet-stream')
  t.strictSame(new Uint8Array(await bytes.arrayBuffer()), Uint8Array.of(1, 2))
  t.equal(await (await ask('/')).text(), '"a word"')
  const none = await ask('/')
  t.equal(none.status, 204)
  t.equal(none.headers.get('content-type'), null)
})

test('a status has its body and its headers', async t => {
  const { upstream, ask } = await start(t)
  upstream.status('/fact', 503, { headers: { 'retry-after': '2' }, body: { error: 'busy' } }).status('/fact', 500)
  const busy = await ask('/fact')
  t.equal(busy.status, 503)
  t.equal(busy.headers.get('retry-after'), '2')
  t.strictSame(await busy.json(), { error: 'busy' })
  t.equal((await ask('/fact')).status, 500)
})

test('faults happen on the wire', async t => {
  const { upstream, ask } = await start(t)
  upstream.reset().garbage().malformed()
  await t.rejects(ask('/'), { cause: { code: 'ECONNRESET' } })
  await t.rejects(ask('/'), { cause: { name: 'HTTPParserError' } })
  const broken = await ask('/')
  t.equal(broken.status, 200)
  await t.rejects(broken.json(), SyntaxError)
  t.strictSame(upstream.unexpected, [])
})

test('a scripted answer waits as long as its script says', async t => {
  const { upstream, ask } = await start(t)
  upstream.answer('/fact', 1, { delay: 60 })
  const start_ = performance.now()
  await ask('/fact')
  t.ok(performance.now() - start_ >= 55)
})

test('closing ends calls that hang or wait, and rejects the promises of calls that have not come', async t => {
  const { upstream, ask } = await start(t)
  upstream.hang('/fact').answer('/late', 1, { delay: 60_000 })
  const asked = [t.rejects(ask('/fact')), t.rejects(ask('/late'))]
  const come = t.rejects(upstream.called(3), { message: 'the upstream was closed after 2 of 3 calls' })
  await upstream.called(2)
  await upstream.close()
  await upstream.close()
  await Promise.all([...asked, come])
})

test('a scripted upstream is closed at the end of its `await using` block', async t => {
  let origin
  {
    await using upstream = await scriptedUpstream()
    origin = upstream.origin
  }
  await t.rejects(fetch(origin), { cause: { code: 'ECONNREFUSED' } })
})

test('a call that breaks off while it is sent has not come', async t => {
  const { upstream, ask } = await start(t)
  upstream.always('*', 1)
  const cut = request(upstream.origin, { method: 'POST', headers: { 'content-length': '100' } })
  cut.on('error', () => {})
  cut.write('half')
  await once(cut, 'socket')
  await ask('/before')
  cut.destroy()
  await ask('/after')
  t.strictSame(
    upstream.calls.map(({ path }) => path),
    ['/before', '/after'],
  )
})

test('an answer that cannot be sent is refused when it is queued', async t => {
  const { upstream } = await start(t)
  t.throws(() => upstream.answer('fact', 1), { message: /'fact' selects no calls: write '\*', a path/ })
  t.throws(() => upstream.answer('get /fact', 1), TypeError)
  t.throws(() => upstream.status('/fact', 99), { message: /the status must be from 200 to 599, got 99/ })
  t.throws(() => upstream.answer('/fact', 1, { headers: { 'x-cat': 'a\nb' } }), { code: 'ERR_INVALID_CHAR' })
  const circle: { self?: unknown } = {}
  circle.self = circle
  t.throws(() => upstream.answer('/fact', circle), TypeError)
  t.strictSame(upstream.unused, [])
})
