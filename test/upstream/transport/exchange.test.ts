import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { json, rawUpstream, type Script } from '../../helpers/raw-upstream.ts'
import { selfSigned } from '../../helpers/self-signed.ts'
import { wire } from '../../helpers/wire.ts'

const ask = operation({ path: '/', output: z.unknown() })
const tell = operation({ method: 'POST', path: '/', body: z.unknown(), output: z.unknown() })
const secret = "the upstream's own words"
const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'

async function refused(t: Test, script: Script) {
  const error = await failure((await wire(t, script, ask)).send())
  t.notMatch(String(error), secret)
  return error
}

/** Sends bytes and hangs up. */
const only = (bytes: string) => (socket: Socket) => socket.end(bytes)
/** Sends bytes and breaks the connection off. */
const thenReset = (bytes: string) => (socket: Socket) => {
  if (bytes === '') socket.resetAndDestroy()
  else socket.write(bytes, () => setImmediate(() => socket.resetAndDestroy()))
}

test('an answer that breaks off is a reset, wherever it breaks', async t => {
  for (const [what, script] of Object.entries({
    'closed without a byte': only(''),
    'reset without a byte': thenReset(''),
    'closed in the head': only('HTTP/1.1 200 OK\r\ncontent-ty'),
    'reset in the head': thenReset('HTTP/1.1 200 OK\r\ncontent-ty'),
    'closed in the body': only(`${head}content-length: 10\r\n\r\n{"a"`),
    'reset in the body': thenReset(`${head}content-length: 10\r\n\r\n{"a"`),
    'closed between chunks': only(`${head}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`),
    'closed in a chunk': only(`${head}transfer-encoding: chunked\r\n\r\n5\r\n{}`),
  }))
    t.match(await refused(t, script), { code: 'UPSTREAM_RESET', retryable: true, statusCode: 502 }, what)
})

test('bytes that are not HTTP are a protocol failure, and never shown', async t => {
  for (const [what, bytes] of Object.entries({
    'a greeting of another protocol': `220 ${secret} ESMTP\r\n\r\n`,
    'a status line of garbage': `${secret}\r\n\r\n`,
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a status that is no number': 'HTTP/1.1 two OK\r\n\r\n',
    'both a length and chunks': `${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    'two lengths': `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}x`,
    'a length below nothing': `${head}content-length: -1\r\n\r\n{}`,
    'a chunk size that is none': `${head}transfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n`,
    'a header without a colon': `${head}${secret}\r\ncontent-length: 2\r\n\r\n{}`,
    'a head without end': `HTTP/1.1 200 OK\r\n${`x-filler: ${'x'.repeat(1000)}\r\n`.repeat(17)}content-length: 2\r\n\r\n{}`,
    'a switch of protocols': 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    'an unasked 100': `HTTP/1.1 100 Continue\r\n\r\n${head}content-length: 2\r\n\r\n{}`,
  }))
    t.match(await refused(t, bytes), { code: 'UPSTREAM_PROTOCOL', statusCode: 502, retryable: false }, what)
})

test('hints come before the answer and are passed over', async t => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n'
  const { send } = await wire(t, Buffer.concat([Buffer.from(hint.repeat(8)), json('well')]), ask)
  t.same(await send(), { value: 'well', status: 200 })
})

test('hints without end are a protocol failure, and the connection is closed', async t => {
  const { send, upstream } = await wire(t, 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(9), ask)
  t.match(await failure(send()), { code: 'UPSTREAM_PROTOCOL', message: /it sends too many informational responses/ })
  await upstream.deserted()
})

test('a chunked body over the cap is cut, and its connection closed', async t => {
  const chunk = `400\r\n${'x'.repeat(1024)}\r\n`
  const { send, upstream } = await wire(t, `${head}transfer-encoding: chunked\r\n\r\n${chunk.repeat(20)}`, ask, {
    maxResponseBytes: 10_000,
  })
  t.match(await failure(send()), { code: 'UPSTREAM_TOO_LARGE', upstreamStatus: 200, message: /10000 bytes/ })
  await upstream.deserted()
})

test('a connection is used again after an answer', async t => {
  const { send, upstream } = await wire(t, json('well'), ask, { concurrency: 1 })
  for (let each = 0; each < 5; each++) await send()
  t.equal(upstream.connections, 1)
})

test('a body that ends with its connection is read', async t => {
  const { send } = await wire(t, only(`${head}\r\n{"a":1}`), ask)
  t.same((await send()).value, { a: 1 })
})

async function closedOrigin(): Promise<string> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}

test('a port without a listener is UPSTREAM_UNREACHABLE, also for an unsafe call, which never left', async t => {
  const dead = defineUpstream('dead', { origin: await closedOrigin() }, { ask, tell })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const expected = { code: 'UPSTREAM_UNREACHABLE', source: 'dead', retryable: true, statusCode: 502 }
  const run = testRun()
  t.match(await failure(runtime.send(run.ask(dead.ask()))), expected)
  t.match(await failure(runtime.send(run.ask(dead.tell({ body: {} })))), expected)
  t.equal(run.abort.size, 0)
})

test('a name that does not exist cannot be reached', async t => {
  const dead = defineUpstream('dead', { origin: 'http://nobody.invalid' }, { ask })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  t.match(await failure(runtime.send(testRun().ask(dead.ask()))), { code: 'UPSTREAM_UNREACHABLE' })
})

test('an upstream with an unknown certificate gets no request', async t => {
  const upstream = await rawUpstream(t, json('well'), selfSigned)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const declared = defineUpstream('impostor', { origin: upstream.origin }, { ask })
  t.match(await failure(runtime.send(testRun().ask(declared.ask()))), {
    code: 'UPSTREAM_TLS',
    statusCode: 502,
    retryable: false,
  })
  t.equal(upstream.requests.length, 0)
})

test('an upstream that speaks no TLS where it should is not trusted', async t => {
  const upstream = await rawUpstream(t, json('well'))
  const plain = createServer(socket => {
    socket.on('error', () => {})
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  await once(plain.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    plain.close()
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const declared = defineUpstream(
    'impostor',
    { origin: `https://127.0.0.1:${(plain.address() as AddressInfo).port}` },
    { ask },
  )
  t.match(await failure(runtime.send(testRun().ask(declared.ask()))), { code: 'UPSTREAM_TLS' })
  t.equal(upstream.requests.length, 0)
})
