import type { TlsOptions as ServerOptions, TLSSocket } from 'node:tls'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { relay } from '../../helpers/relay.ts'
import { selfSigned } from '../../helpers/self-signed.ts'

const operations = {
  ask: operation({ path: '/', output: z.unknown() }),
  tell: operation({ method: 'POST', path: '/', body: z.unknown(), output: z.unknown() }),
}
const environment = { CA: selfSigned.cert, CERT: selfSigned.cert, KEY: selfSigned.key }

async function arrange(t: Test, tls: NonNullable<UpstreamOptions['tls']> | undefined, server: ServerOptions = {}) {
  const raw = await rawUpstream(t, json('well'), { ...selfSigned, ...server })
  const runtime = createRuntime({ environment })
  t.teardown(() => runtime.close())
  const cats = defineUpstream('cats', { origin: raw.origin, ...(tls && { tls }) }, operations)
  return { raw, runtime, ask: () => runtime.send(testRun().ask(cats.ask())) }
}

test('a private certificate is trusted by the upstream that declares it, and by no other', async t => {
  for (const ca of [selfSigned.cert, env('CA')]) {
    const { ask } = await arrange(t, { ca })
    t.match(await ask(), { value: 'well' })
  }
  const { ask, raw } = await arrange(t, undefined)
  t.match(await failure(ask()), { code: 'UPSTREAM_TLS', retryable: false })
  t.equal(raw.requests.length, 0)
})

test('nothing in the process makes an unknown certificate trusted', async t => {
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
  })
  const { ask } = await arrange(t, undefined)
  t.match(await failure(ask()), { code: 'UPSTREAM_TLS' })
})

test('an upstream that asks for a client certificate gets the declared one', async t => {
  const server = { requestCert: true, rejectUnauthorized: true, ca: selfSigned.cert }
  const known = await arrange(t, { ca: selfSigned.cert, cert: env('CERT'), key: env('KEY') }, server)
  t.match(await known.ask(), { value: 'well' })
})

test('when a server refuses our certificate, the call did nothing and is not sent again, whatever its method', async t => {
  // In TLS 1.3 its alert comes when our handshake has ended and the request is on its way; in 1.2 it comes before.
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const raw = await rawUpstream(t, json('well'), {
      ...selfSigned,
      requestCert: true,
      rejectUnauthorized: true,
      maxVersion,
    })
    // Without it the reset that follows the alert may overtake it.
    const before = await relay(t, raw.port, () => 'pass')
    const runtime = createRuntime()
    t.teardown(() => runtime.close())
    const cats = defineUpstream(
      'cats',
      { origin: `https://127.0.0.1:${before.port}`, tls: { ca: selfSigned.cert } },
      operations,
    )
    const calls = [cats.ask(), cats.tell({ body: 1 })]
    for (const [index, call] of calls.entries()) {
      const run = testRun()
      t.match(
        await failure(runtime.send(run.ask(call))),
        { code: 'UPSTREAM_TLS', statusCode: 502, retryable: false, cause: { message: /alert/ } },
        `${maxVersion} ${call.spec.method}`,
      )
      t.equal(before.connections, index + 1)
      t.equal(run.events.filter(({ type }) => type === 'attempt started').length, 1)
    }
    t.equal(raw.requests.length, 0)
    t.match(runtime.stats(), { cats: { active: 0, queued: 0 } })
  }
})

test('later connections resume the TLS session of an earlier one', async t => {
  const raw = await rawUpstream(
    t,
    (socket, { index }) => {
      const isResumed = (socket as TLSSocket).isSessionReused()
      socket.end(json({ index, isResumed }, 200, { connection: 'close' }))
    },
    selfSigned,
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const cats = defineUpstream('cats', { origin: raw.origin, tls: { ca: selfSigned.cert }, concurrency: 1 }, operations)
  for (const index of [0, 1, 2])
    t.match(await runtime.send(testRun().ask(cats.ask())), { value: { index, isResumed: index > 0 } })
  t.equal(raw.connections, 3)
})

test('a certificate for another name is refused, unless that is the name which is expected', async t => {
  const wrong = await arrange(t, { ca: selfSigned.cert, servername: 'cats.example' })
  t.match(await failure(wrong.ask()), { code: 'UPSTREAM_TLS', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
  const raw = await rawUpstream(t, json('well'), selfSigned)
  const { port } = new URL(raw.origin)
  const named = defineUpstream(
    'named',
    { origin: `https://cats.example:${port}`, tls: { ca: selfSigned.cert } },
    operations,
  )
  const runtime = createRuntime({
    lookup: (_hostname, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  })
  t.teardown(() => runtime.close())
  t.match(await failure(runtime.send(testRun().ask(named.ask()))), { code: 'UPSTREAM_TLS' })
  t.equal(raw.requests.length, 0)
})

test('an upstream that speaks no TLS newer than 1.1 is not spoken to', async t => {
  const { ask, raw } = await arrange(
    t,
    { ca: selfSigned.cert },
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
  )
  t.match(await failure(ask()), { code: 'UPSTREAM_TLS' })
  t.equal(raw.requests.length, 0)
})
