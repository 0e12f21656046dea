import { test, type Test } from 'tap'
import { z } from 'zod'
import { operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { failure } from '../../helpers/failure.ts'
import { json, written } from '../../helpers/raw-upstream.ts'
import { wire } from '../../helpers/wire.ts'

const asJson = operation({ path: '/', output: z.unknown() })
const secret = "the upstream's own words"

/** Asks for an answer of these bytes. */
async function ask(t: Test, bytes: Buffer, what = asJson, options: Partial<UpstreamOptions> = {}) {
  const { send } = await wire(t, bytes, what, options)
  return send()
}

/** Asks for an answer that is refused, and sees to it that nothing of it shows. */
async function refused(t: Test, bytes: Buffer, what = asJson, options: Partial<UpstreamOptions> = {}) {
  const error = await failure(ask(t, bytes, what, options))
  t.notMatch(String(error), secret)
  return error
}

test('each 2xx with JSON is an answer, with its status', async t => {
  for (const status of [200, 201, 202, 203, 207, 226, 299]) {
    t.same(await ask(t, json({ well: true }, status)), { value: { well: true }, status })
  }
})

test('a status that is not a success is a failure by its kind', async t => {
  for (const [status, code] of [
    [205, 'UPSTREAM_STATUS'],
    [206, 'UPSTREAM_STATUS'],
    [300, 'UPSTREAM_STATUS'],
    [302, 'UPSTREAM_STATUS'],
    [400, 'UPSTREAM_STATUS'],
    [404, 'UPSTREAM_STATUS'],
    [429, 'UPSTREAM_BUSY'],
    [500, 'UPSTREAM_STATUS'],
    [502, 'UPSTREAM_STATUS'],
    [503, 'UPSTREAM_BUSY'],
    [599, 'UPSTREAM_STATUS'],
    [600, 'UPSTREAM_PROTOCOL'],
    [999, 'UPSTREAM_PROTOCOL'],
  ] as const) {
    t.match(
      await refused(t, json({ secret }, status, { location: `/${secret}` })),
      { code, upstreamStatus: status, source: 'raw', message: String(status) },
      String(status),
    )
  }
})

test('a 304 to an unconditional request is a failure', async t => {
  t.match(await refused(t, written(304, { 'content-length': undefined, etag: '"1"' }, '')), {
    code: 'UPSTREAM_STATUS',
    upstreamStatus: 304,
  })
})

test('the retry-after of an answer is read, and an invalid value is ignored', async t => {
  const later = new Date(Date.now() + 30_000).toUTCString()
  for (const [status, text, expected] of [
    [429, '2', 2000],
    [503, '0', 0],
    [500, '3', 3000],
    [503, 'soon', undefined],
    [503, undefined, undefined],
  ] as const) {
    t.match(await refused(t, json({}, status, { 'retry-after': text })), { retryAfterMs: expected }, `${text}`)
  }
  const { retryAfterMs = 0 } = (await refused(t, json({}, 503, { 'retry-after': later }))) as { retryAfterMs?: number }
  t.ok(retryAfterMs > 20_000 && retryAfterMs <= 30_000)
  for (const [second, retryAfterMs] of [
    [3, undefined],
    [2, 2000],
  ] as const) {
    const twice = Buffer.from(
      `HTTP/1.1 503 Busy\r\nretry-after: 2\r\nretry-after: ${second}\r\ncontent-length: 0\r\n\r\n`,
    )
    t.match(await refused(t, twice), { code: 'UPSTREAM_BUSY', retryAfterMs })
  }
})

test('a status of nullOn makes the value null', async t => {
  const one = operation({ path: '/', output: z.object({ id: z.string() }), nullOn: [404, 410] })
  t.same(await ask(t, json({ secret }, 404), one), { value: null, status: 404 })
  t.same(await ask(t, written(410, { 'content-type': 'text/html' }, secret), one), { value: null, status: 410 })
  t.match(await failure(ask(t, json({ secret }, 403), one)), { code: 'UPSTREAM_STATUS', verdict: 'ignored' })
})

test('a content type is accepted or refused before the body is read', async t => {
  const types = (accept?: readonly string[]) => operation({ path: '/', output: z.unknown(), ...(accept && { accept }) })
  const bytes = (type: string | undefined) => written(200, { 'content-type': type }, '{}')
  for (const [type, accept] of [
    ['application/json', undefined],
    ['Application/JSON; charset=UTF-8', undefined],
    ['application/json;charset="utf8"', undefined],
    ['application/json; charset=us-ascii', undefined],
    ['application/json; charset=utf-16', undefined],
    ['text/plain; charset=latin1', ['*/*']],
    ['application/json, application/json', undefined],
    ['application/problem+json', undefined],
    ['text/json', undefined],
    ['application/json; profile=x', undefined],
    [`application/json; profile=${'x'.repeat(300)}`, undefined],
    ['text/html', ['text/*']],
    ['image/png', ['*/*']],
    [undefined, ['*/*']],
    ['application/x', ['Application/X']],
  ] as const) {
    t.same(await ask(t, bytes(type), types(accept)), { value: {}, status: 200 }, `${type} as ${String(accept)}`)
  }
  for (const [type, accept] of [
    ['text/html', undefined],
    [undefined, undefined],
    ['', undefined],
    ['application/json, text/html', undefined],
    ['application/json, text/html', ['*/*']],
    ['application/jsonp', undefined],
    ['xapplication/json', undefined],
    ['text/problem+json', undefined],
    ['application/json', ['text/*']],
  ] as const) {
    t.match(
      await refused(t, bytes(type), types(accept)),
      { code: 'UPSTREAM_CONTENT_TYPE', upstreamStatus: 200, message: /accepted are / },
      `${type} as ${String(accept)}`,
    )
  }
})

test('a content type that came twice is one where both are equal, and none where they differ', async t => {
  const twice = (first: string, second: string) =>
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: ${first}\r\ncontent-type: ${second}\r\ncontent-length: 2\r\n\r\n{}`)
  for (const [first, second] of [
    ['application/json', 'application/json'],
    ['application/json', 'Application/JSON '],
    ['application/json;charset=utf-8', 'application/json ; Charset="UTF-8"'],
    ['application/json', ''],
    ['', 'application/json'],
  ] as const)
    t.same((await ask(t, twice(first, second))).value, {}, `${first} and ${second}`)
  const anything = operation({ path: '/', output: z.unknown(), accept: ['*/*'] })
  for (const [first, second] of [
    ['application/json', 'text/html'],
    ['text/html', 'application/json'],
    ['application/json;charset=utf-8', 'application/json'],
    ['application/json;a=x', 'application/json;a=X'],
  ] as const)
    for (const what of [asJson, anything])
      t.match(
        await refused(t, twice(first, second), what),
        { code: 'UPSTREAM_CONTENT_TYPE', upstreamStatus: 200 },
        `${first} and ${second}`,
      )
})

test('an upstream that invents a type for each answer is still judged rightly', async t => {
  let at = 0
  const { send } = await wire(
    t,
    socket =>
      socket.write(json({}, 200, { 'content-type': `application/${at++ % 2 === 0 ? `v${at}+json` : `x${at}`}` })),
    asJson,
  )
  for (let each = 0; each < 70; each++) {
    const asked = send()
    if (each % 2 === 0) t.match(await asked, { status: 200 })
    else t.match(await failure(asked), { code: 'UPSTREAM_CONTENT_TYPE' })
  }
})

test('a length over the cap is refused before the body is read', async t => {
  const { send, upstream } = await wire(
    t,
    socket => {
      // The body never comes, and the call does not wait for it.
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 101000\r\n\r\n')
    },
    asJson,
    { maxResponseBytes: 100_999 },
  )
  t.match(await failure(send()), { code: 'UPSTREAM_TOO_LARGE', upstreamStatus: 200, message: /100999 bytes/ })
  await upstream.deserted()
})

test('a body of exactly the cap is taken, and of one byte more is not', async t => {
  const body = JSON.stringify('x'.repeat(98))
  t.match(await ask(t, written(200, { 'content-type': 'application/json' }, body), asJson, { maxResponseBytes: 100 }), {
    value: 'x'.repeat(98),
  })
  t.match(
    await refused(t, written(200, { 'content-type': 'application/json' }, body), asJson, { maxResponseBytes: 99 }),
    { code: 'UPSTREAM_TOO_LARGE' },
  )
})

test('the length a HEAD tells is not held against the cap', async t => {
  const head = operation({
    method: 'HEAD',
    path: '/',
    output: z.unknown(),
    allowEmpty: true,
    responseHeaders: z.object({ 'content-length': z.string() }),
  })
  t.match(
    await ask(t, Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n'), head, { maxResponseBytes: 10 }),
    { value: { body: null, headers: { 'content-length': '5000' } } },
  )
})

test("a refused answer's short body is read to its end and its connection is used again", async t => {
  const { send, upstream } = await wire(
    t,
    (socket, { index }) => {
      if (index === 0) socket.write(written(500, { 'content-type': 'text/html' }, secret.repeat(10)))
      else if (index === 1) socket.write(written(200, { 'content-type': 'text/html' }, secret))
      else socket.write(json('well'))
    },
    asJson,
    { concurrency: 1 },
  )
  t.match(await failure(send()), { code: 'UPSTREAM_STATUS' })
  t.match(await failure(send()), { code: 'UPSTREAM_CONTENT_TYPE' })
  t.equal((await send()).value, 'well')
  t.equal(upstream.connections, 1)
})

test("a refused answer's long body is not read: its connection is closed", async t => {
  const { send, upstream } = await wire(
    t,
    (socket, { index }) => {
      if (index === 0) socket.write('HTTP/1.1 500 Oh\r\ncontent-length: 16385\r\n\r\n')
      else if (index === 1)
        socket.write(
          `HTTP/1.1 404 None\r\ntransfer-encoding: chunked\r\n\r\n${`1000\r\n${'x'.repeat(4096)}\r\n`.repeat(5)}`,
        )
      else socket.write(json('well'))
    },
    operation({ path: '/', output: z.unknown(), nullOn: [404] }),
  )
  t.match(await failure(send()), { code: 'UPSTREAM_STATUS' })
  await upstream.deserted()
  t.match(await send(), { value: null, status: 404 })
  await upstream.deserted()
  t.equal((await send()).value, 'well')
  t.equal(upstream.connections, 3)
})

test('a refused answer that breaks off is still refused for what its head said', async t => {
  for (const [status, expected] of [
    [500, { code: 'UPSTREAM_STATUS', upstreamStatus: 500 }],
    [404, null],
  ] as const) {
    const { send } = await wire(
      t,
      socket => {
        socket.write(`HTTP/1.1 ${status} Oh\r\ncontent-length: 10\r\n\r\nxx`)
        socket.end()
      },
      operation({ path: '/', output: z.unknown(), nullOn: [404] }),
    )
    if (expected === null) t.same(await send(), { value: null, status })
    else t.match(await failure(send()), expected)
  }
})

test('a transfer coding that is not exactly chunked fails at the head, whatever the status', async t => {
  for (const coding of [
    'chunked, identity',
    'gzip',
    'identity',
    'gzip, chunked',
    'chunked;q=1',
    'chunked, chunked',
    'chunked,',
    ', chunked',
    '',
  ]) {
    for (const status of ['200 OK', '404 None', '500 Oh']) {
      // No body and no end follow.
      const { send, upstream } = await wire(
        t,
        `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ntransfer-encoding: ${coding}\r\n\r\n`,
        operation({ path: '/', output: z.unknown(), nullOn: [404] }),
      )
      t.match(
        await failure(send()),
        { code: 'UPSTREAM_PROTOCOL', verdict: 'failed', upstreamStatus: Number(status.slice(0, 3)) },
        `${status}, ${coding}`,
      )
      await upstream.deserted()
    }
  }
  const { send } = await wire(
    t,
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: CHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    asJson,
  )
  t.same((await send()).value, {})
})

test('a refused answer that ends with its connection is refused by its head', async t => {
  const { send, upstream } = await wire(
    t,
    (socket, { index }) => socket.write(`HTTP/1.1 ${index === 0 ? 500 : 404} Oh\r\nconnection: close\r\n\r\nxx`),
    operation({ path: '/', output: z.unknown(), nullOn: [404] }),
  )
  t.match(await failure(send()), { code: 'UPSTREAM_STATUS' })
  await upstream.deserted()
  t.match(await send(), { value: null, status: 404 })
  await upstream.deserted()
})
