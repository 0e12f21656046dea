import { connect, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { testRun, type TestRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { forwardProxy } from '../helpers/forward-proxy.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { relay, type Treatment } from '../helpers/relay.ts'
import { selfSigned } from '../helpers/self-signed.ts'

const operations = {
  ask: operation({ path: '/ask', output: z.unknown() }),
  // Not idempotent: once it has left, it must not be sent again.
  tell: operation({ method: 'POST', path: '/tell', body: z.unknown(), output: z.unknown() }),
}

const methods = ['ask', 'tell'] as const

/**
 * An upstream over TLS, asked straight or through a proxy. The connections of the one that is dialled are treated by
 * their number.
 */
async function arrange(
  t: Test,
  way: 'straight' | 'proxy',
  treat: (connection: number) => Treatment,
  options: Partial<UpstreamOptions> = {},
  runtimeOptions: RuntimeOptions = {},
) {
  const raw = await rawUpstream(t, json('well'), selfSigned)
  const before = await relay(
    t,
    way === 'straight' ? raw.port : Number(new URL((await forwardProxy(t)).origin).port),
    treat,
  )
  const runtime = createRuntime(runtimeOptions)
  t.teardown(() => runtime.close())
  const cats = defineUpstream(
    'cats',
    {
      ...(way === 'straight'
        ? { origin: `https://127.0.0.1:${before.port}` }
        : { origin: raw.origin, proxy: `http://127.0.0.1:${before.port}` }),
      tls: { ca: selfSigned.cert },
      attemptTimeout: 30_000,
      retry: { maxAttempts: 2, initialDelay: 1 },
      ...options,
    },
    operations,
  )
  const send = (method: (typeof methods)[number], run: TestRun = testRun()) =>
    runtime.send(run.ask(method === 'ask' ? cats.ask() : cats.tell({ body: 1 })))
  return { raw, before, runtime, send }
}

const onData = (then: (socket: Socket) => unknown) => (socket: Socket) => {
  socket.once('data', () => then(socket))
}
const says = (...answers: (string | Buffer)[]) =>
  onData(socket => {
    for (const answer of answers) socket.write(answer)
  })
const established = 'HTTP/1.1 200 Connection established\r\n\r\n'
/** Makes a tunnel, takes one packet through it, and ends. */
const tunnelThen = (then: (socket: Socket) => unknown) =>
  onData(socket => {
    socket.once('data', () => then(socket))
    socket.write(established)
  })

const failures: readonly (readonly [what: string, way: 'straight' | 'proxy', treatment: Treatment])[] = [
  ['the connection is closed before the handshake', 'straight', socket => socket.end()],
  ['the connection is reset before the handshake', 'straight', socket => socket.resetAndDestroy()],
  ['the connection is closed in the handshake', 'straight', onData(socket => socket.end())],
  ['the connection is reset in the handshake', 'straight', onData(socket => socket.resetAndDestroy())],
  ['TLS is closed in the handshake', 'straight', onData(socket => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 1, 0])))],
  ['the proxy closes at once', 'proxy', socket => socket.end()],
  ['the proxy resets at once', 'proxy', socket => socket.resetAndDestroy()],
  ['the proxy closes without an answer', 'proxy', onData(socket => socket.end())],
  ['the proxy resets without an answer', 'proxy', onData(socket => socket.resetAndDestroy())],
  ['the proxy closes within its answer', 'proxy', onData(socket => socket.end('HTTP/1.1 200 OK\r\nvia: '))],
  ['the proxy answers nonsense', 'proxy', says('nonsense\r\n\r\n')],
  ['the proxy answers in TLS', 'proxy', says(Buffer.from([0x15, 3, 3, 0, 2, 2, 40]))],
  ['the proxy answers without a status', 'proxy', says('HTTP/1.1 OK\r\n\r\n')],
  ['the proxy answers without end', 'proxy', says('HTTP/1.1 200 OK\r\n', 'x: y\r\n'.repeat(3000))],
  ['the proxy gives interim answers without end', 'proxy', says('HTTP/1.1 100 Continue\r\n\r\n'.repeat(9))],
  ['the proxy switches protocols', 'proxy', says('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
  ['the proxy refuses', 'proxy', says('HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n')],
  ['the tunnel is closed in the handshake', 'proxy', tunnelThen(socket => socket.end())],
  ['the tunnel is reset in the handshake', 'proxy', tunnelThen(socket => socket.resetAndDestroy())],
]

for (const [what, way, treatment] of failures) {
  test(`a call is sent again, whatever its method, when ${what}`, async t => {
    for (const method of methods) {
      const once = await arrange(t, way, connection => (connection === 0 ? treatment : 'pass'))
      const run = testRun()
      t.match(await once.send(method, run), { value: 'well' }, method)
      t.equal(run.events.filter(({ type }) => type === 'attempt started').length, 2)
      t.match(once.raw.requests, [{ path: `/${method}` }])
      t.equal(once.raw.requests.length, 1)

      const always = await arrange(t, way, () => treatment)
      t.match(
        await failure(always.send(method)),
        { code: 'UPSTREAM_UNREACHABLE', statusCode: 502, verdict: 'failed', retryable: true },
        `${method}, when it happens each time`,
      )
      t.equal(always.before.connections, 2)
      t.match(always.runtime.stats(), { cats: { active: 0, queued: 0 } })
      await always.before.deserted()
    }
  })
}

test('a call whose connection takes too long is sent again, whatever its method, and says in which phase', async t => {
  const phases: readonly (readonly [way: 'straight' | 'proxy', treatment: Treatment, message: string])[] = [
    ['straight', () => {}, 'the TLS handshake was not completed within 60 ms'],
    ['proxy', () => {}, 'the proxy did not open a tunnel within 60 ms'],
    ['proxy', tunnelThen(() => {}), 'the TLS handshake was not completed within 60 ms'],
  ]
  for (const [way, treatment, message] of phases) {
    for (const method of methods) {
      const { send, before } = await arrange(t, way, () => treatment, { connectTimeout: 60 })
      t.match(await failure(send(method)), {
        code: 'UPSTREAM_UNREACHABLE',
        cause: { code: 'UND_ERR_CONNECT_TIMEOUT', message },
      })
      t.equal(before.connections, 2)
      await before.deserted()
    }
  }
})

test('an unsafe call is not sent again beyond the budget', async t => {
  const { send, before } = await arrange(t, 'straight', () => socket => socket.end(), {
    retryBudget: { ratio: 0, minPerSecond: 0 },
  })
  t.match(await failure(send('tell')), { code: 'UPSTREAM_UNREACHABLE' })
  t.equal(before.connections, 1)
})

test('a failure of TLS itself is a failure of trust, and is not tried again', async t => {
  const alert = (number: number) => Buffer.from([0x15, 3, 3, 0, 2, 2, number])
  const untrusted: readonly (readonly [what: string, way: 'straight' | 'proxy', treatment: Treatment])[] = [
    ['handshake_failure', 'straight', onData(socket => socket.end(alert(40)))],
    ['bad_certificate', 'straight', onData(socket => socket.end(alert(42)))],
    ['protocol_version', 'straight', onData(socket => socket.end(alert(70)))],
    ['unrecognized_name', 'straight', onData(socket => socket.end(alert(112)))],
    ['an answer that is not TLS', 'straight', onData(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['an alert through the tunnel', 'proxy', tunnelThen(socket => socket.end(alert(40)))],
    [
      'an alert in the same segment as the answer to CONNECT',
      'proxy',
      says(Buffer.concat([Buffer.from(established), alert(40)])),
    ],
  ]
  for (const [what, way, treatment] of untrusted) {
    for (const method of methods) {
      const { send, before } = await arrange(t, way, () => treatment)
      t.match(
        await failure(send(method)),
        { code: 'UPSTREAM_TLS', retryable: false, statusCode: 502 },
        `${what}: ${method}`,
      )
      t.equal(before.connections, 1)
      await before.deserted()
    }
  }
})

test('a proxy may give interim answers, any 2xx and a body length that means nothing', async t => {
  for (const [interim, answer] of [
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', established],
    ['', 'HTTP/1.1 204 No Content\r\nContent-Length: 100\r\n\r\n'],
    ['', 'HTTP/1.0 201 \nTransfer-Encoding : chunked\n\n'],
  ] as const) {
    const raw = await rawUpstream(t, json('well'), selfSigned)
    const proxy = await relay(t, 0, () =>
      onData(socket => {
        socket.write(interim)
        socket.write(answer)
        socket.pipe(connect(raw.port, '127.0.0.1').on('error', () => socket.destroy())).pipe(socket)
      }),
    )
    const runtime = createRuntime()
    t.teardown(() => runtime.close())
    const cats = defineUpstream(
      'cats',
      { origin: raw.origin, proxy: `http://127.0.0.1:${proxy.port}`, tls: { ca: selfSigned.cert }, retry: false },
      operations,
    )
    t.match(await runtime.send(testRun().ask(cats.tell({ body: 1 }))), { value: 'well' }, answer)
  }
})

test('a name that is not found may be asked for by an unsafe call again', async t => {
  const raw = await rawUpstream(t, json('well'))
  const answers = [Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' }), null]
  const runtime = createRuntime({
    lookup: (_hostname, _options, done) => done(answers[0] ?? null, [{ address: '127.0.0.1', family: 4 }]),
  })
  t.teardown(() => runtime.close())
  const cats = defineUpstream(
    'cats',
    { origin: `http://cats.example:${raw.port}`, retry: { maxAttempts: 2, initialDelay: 1 } },
    operations,
  )
  const run = testRun()
  t.match(await failure(runtime.send(run.ask(cats.tell({ body: 1 })))), { code: 'UPSTREAM_UNREACHABLE' })
  t.equal(run.events.filter(({ type }) => type === 'attempt started').length, 2)
})

test('a runtime that closes gives up what is being opened, in every phase', async t => {
  const phases: readonly (readonly [way: 'straight' | 'proxy', treatment: Treatment])[] = [
    ['straight', () => {}],
    ['proxy', () => {}],
    ['proxy', tunnelThen(() => {})],
  ]
  for (const [way, treatment] of phases) {
    const seen = Promise.withResolvers<void>()
    const { send, before, runtime } = await arrange(
      t,
      way,
      () => socket => {
        socket.once('data', () => seen.resolve())
        if (typeof treatment === 'function') treatment(socket)
      },
      { connectTimeout: 600_000 },
    )
    const lost = failure(send('tell'))
    await seen.promise
    await runtime.close()
    t.match(await lost, { code: 'RUNTIME_CLOSED' })
    await before.deserted()
  }
})
