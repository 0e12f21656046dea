import { once } from 'node:events'
import { connect } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { Problem } from '../../src/errors.ts'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { serveApp } from '../helpers/served-app.ts'

const echo = aggregate('echo', {
  url: '/echo/{name}',
  params: z.object({ name: z.string() }),
  body: z.object({ count: z.number() }),
}).reply(z.object({ name: z.string(), count: z.number() }), ({ params, body }) => ({
  name: params.name,
  count: body.count,
}))

const secret = 'SECRET-9f2d'
const buggy = aggregate('buggy', { url: '/buggy' })
  .required('it', (): number => {
    throw new TypeError(`${secret} is not a function`)
  })
  .reply(z.any(), () => ({}))
const badMerge = aggregate('bad-merge', { url: '/bad-merge' }).reply(z.any(), async () => {
  throw new Error(secret)
})
const badReply = aggregate('bad-reply', { url: '/bad-reply' }).reply(
  z.object({ count: z.number() }),
  () => ({ count: secret }) as never,
)
const refusing = aggregate('refusing', { url: '/refusing' }).reply(z.any(), () => refuse(409, 'The cat is asleep.'))

const aggregates = [echo, buggy, badMerge, badReply, refusing]

function post(body: string, type: string | undefined = 'application/json'): RequestInit {
  return { method: 'POST', body, headers: type === undefined ? {} : { 'content-type': type } }
}

/** Sends bytes as they are and gives all that comes back. */
async function raw(t: Test, port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  socket.on('data', part => {
    text += part.toString()
  })
  const gone = new Promise<void>(resolve => {
    socket.once('close', () => resolve())
  })
  socket.on('error', () => {})
  socket.write(bytes)
  await gone
  return text
}

test('a valid body is accepted', async t => {
  const { get } = await serveApp(t, { aggregates })
  const { status, body } = await get('/echo/tom', post('{"count":1}'))
  t.equal(status, 200)
  t.match(body, { data: { name: 'tom', count: 1 }, complete: true, sources: {} })
})

test('an unknown path is 404', async t => {
  const { get } = await serveApp(t, { aggregates })
  isProblem(t, await get<ProblemBody>(`/nowhere/${secret}`), 404, 'NOT_FOUND')
  t.notMatch((await get(`/nowhere/${secret}`)).text, secret, 'what was asked for is not said again')
})

test('a method without a route is not a success', async t => {
  const { get } = await serveApp(t, { aggregates })
  const got = await get<ProblemBody>('/echo/tom', { method: 'DELETE' })
  t.ok([404, 405].includes(got.status))
  t.match(got.headers.get('content-type'), 'application/problem+json')
})

test('a body that is not JSON is 400', async t => {
  const { get } = await serveApp(t, { aggregates })
  for (const body of ['{"count":', 'count=1', '{"count":1}}', `{"__proto__":{"${secret}":1}}`]) {
    const got = await get<ProblemBody>('/echo/tom', post(body))
    isProblem(t, got, 400, 'BAD_REQUEST')
    t.notMatch(got.text, secret)
  }
})

test('a body with the key __proto__ is 400, and the detail names the key', async t => {
  const { get } = await serveApp(t, { aggregates })
  const { body } = await get<ProblemBody>('/echo/tom', post('{"__proto__":{}}'))
  t.equal(body.detail, 'The body is not valid JSON, or has the key __proto__ or a key prototype within constructor.')
})

test('a body with a content coding is 415, and the detail names the header to remove', async t => {
  const { get } = await serveApp(t, { aggregates })
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const got = await get<ProblemBody>('/echo/tom', { ...post('{}'), headers })
  isProblem(t, got, 415, 'UNSUPPORTED_MEDIA_TYPE')
  t.equal(got.body.detail, 'The service accepts no content coding of a body: remove content-encoding.')
})

test('a body that is not UTF-8 is 400', async t => {
  const { get } = await serveApp(t, { aggregates })
  isProblem(
    t,
    await get<ProblemBody>('/echo/tom', { ...post(''), body: Buffer.from('7b22636f756e74ff223a317d', 'hex') }),
    400,
    'BAD_REQUEST',
  )
})

test('a missing body is 400', async t => {
  const { get } = await serveApp(t, { aggregates })
  for (const request of [post(''), { method: 'POST' }]) {
    const got = await get<ProblemBody>('/echo/tom', request)
    t.match(got.body.code, /^(?:BAD_REQUEST|INPUT_INVALID)$/)
    isProblem(t, got, 400, got.body.code)
  }
})

test('a body that is JSON of the wrong shape is 400 with a pointer to each fault', async t => {
  const { get } = await serveApp(t, { aggregates })
  const got = await get<ProblemBody>('/echo/tom', post('{"count":"many"}'))
  isProblem(t, got, 400, 'INPUT_INVALID')
  t.match(got.body.errors, [{ pointer: '/body/count', reason: String }])
})

test('a body above 1 MiB is 413', async t => {
  const { get } = await serveApp(t, { aggregates })
  isProblem(
    t,
    await get<ProblemBody>('/echo/tom', post(`{"count":1,"more":"${'x'.repeat(1024 * 1024)}"}`)),
    413,
    'PAYLOAD_TOO_LARGE',
  )
})

test('a body of another media type is 415', async t => {
  const { get } = await serveApp(t, { aggregates })
  for (const type of ['application/xml', 'application/x-www-form-urlencoded', 'no type at all']) {
    isProblem(t, await get<ProblemBody>('/echo/tom', post('<count>1</count>', type)), 415, 'UNSUPPORTED_MEDIA_TYPE')
  }
})

test('a text body is refused', async t => {
  const { get } = await serveApp(t, { aggregates })
  const got = await get<ProblemBody>('/echo/tom', post('count', 'text/plain'))
  t.ok([400, 415].includes(got.status))
  t.match(got.headers.get('content-type'), 'application/problem+json')
})

test('a path with broken percent-encoding is 400', async t => {
  const { get } = await serveApp(t, { aggregates })
  isProblem(t, await get<ProblemBody>('/echo/%zz', post('{"count":1}')), 400, 'BAD_REQUEST')
  isProblem(t, await get<ProblemBody>('/%', {}), 400, 'BAD_REQUEST')
})

test('the length of a path parameter is limited by its schema', async t => {
  const { get } = await serveApp(t, { aggregates })
  const name = 'a long title '.repeat(19).trim()
  const { status, body } = await get<{ data: { name: string } }>(
    `/echo/${encodeURIComponent(name)}`,
    post('{"count":1}'),
  )
  t.equal(status, 200)
  t.equal(body.data?.name, name)
})

test('bytes that are not HTTP get a problem, and the connection closes', async t => {
  const { port, get } = await serveApp(t, { aggregates })
  const reply = await raw(t, port, 'what is this\r\n\r\n')
  t.match(reply, /^HTTP\/1\.1 400 /)
  t.match(reply.toLowerCase(), 'content-type: application/problem+json')
  t.equal((await get('/health/live')).status, 200, 'and the service goes on')
})

test('headers above 16 KiB are 431', async t => {
  const { port } = await serveApp(t, { aggregates })
  const reply = await raw(t, port, `GET /health/live HTTP/1.1\r\nhost: a\r\nx-more: ${'x'.repeat(20_000)}\r\n\r\n`)
  t.match(reply, /^HTTP\/1\.1 431 /)
  t.match(reply, 'content-type: application/problem+json')
  t.match(reply, '"status":431')
})

test('a caller that closes the connection within its request causes no error', async t => {
  const { port, get, app } = await serveApp(t, { aggregates })
  const seen = once(app.server, 'connection')
  const socket = connect(port, '127.0.0.1')
  socket.write('POST /echo/tom HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"')
  await seen
  socket.resetAndDestroy()
  t.equal((await get('/health/live')).status, 200)
})

test('a bug in an aggregate is 500, and its message is not sent', async t => {
  const { get } = await serveApp(t, { aggregates })
  for (const [path, code] of [
    ['/buggy', 'INTERNAL'],
    ['/bad-merge', 'INTERNAL'],
    ['/bad-reply', 'REPLY_INVALID'],
  ] as const) {
    const got = await get<ProblemBody>(path)
    isProblem(t, got, 500, code)
    t.notMatch(got.text, secret, path)
    t.notMatch(got.text, /\.ts|TypeError/, 'nor a stack or a type')
  }
})

test('a bug is logged with its stack', async t => {
  const lines: string[] = []
  const { get } = await serveApp(t, {
    aggregates,
    logger: {
      level: 'error',
      stream: {
        write: (line: string) => {
          lines.push(line)
        },
      },
    },
  })
  await get('/buggy')
  t.equal(lines.length, 1)
  t.match(JSON.parse(lines[0] as string), {
    level: 50,
    code: 'INTERNAL',
    err: { type: 'TypeError', message: `${secret} is not a function`, stack: /problems\.test\.ts/ },
  })
})

test('a refusal of an aggregate is sent as it is', async t => {
  const { get } = await serveApp(t, { aggregates })
  const got = await get<ProblemBody>('/refusing')
  isProblem(t, got, 409, 'REFUSED')
  t.equal(got.body.detail, 'The cat is asleep.')
})

test('an error of another route is a problem too', async t => {
  const { get } = await serveApp(t, {
    aggregates,
    before(app) {
      app.get('/problem', () => {
        throw new Problem('NOT_FOUND', { detail: 'No such cat.' })
      })
      app.get('/teapot', () => {
        throw Object.assign(new Error(secret), { statusCode: 418 })
      })
      app.get('/broken', () => {
        throw Object.assign(new Error(secret), { statusCode: 503 })
      })
    },
  })
  isProblem(t, await get<ProblemBody>('/problem'), 404, 'NOT_FOUND')
  for (const [path, status, code] of [
    ['/teapot', 418, 'REFUSED'],
    ['/broken', 500, 'INTERNAL'],
  ] as const) {
    const got = await get<ProblemBody>(path)
    isProblem(t, got, status, code)
    t.notMatch(got.text, secret)
  }
})
