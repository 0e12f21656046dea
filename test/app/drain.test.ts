import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { listening } from '../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { until } from '../helpers/until.ts'

/** Well below the deadlines of the aggregates. */
const prompt = 8000

/** An app with an upstream that takes every request and never answers. */
async function hanging(t: Test, logger: AppOptions['logger'] = false) {
  const raw = await rawUpstream(t, () => {})
  const upstream = defineUpstream(
    'raw',
    { origin: raw.origin, attemptTimeout: 20_000 },
    {
      ask: operation({ path: '/ask', output: z.unknown() }),
      tell: operation({ path: '/tell', method: 'POST', output: z.unknown() }),
    },
  )
  const options = { deadline: 20_000 }
  const Any = z.unknown()
  const app = buildApp(
    [
      aggregate('needed', { url: '/v1/needed', ...options })
        .required('it', () => upstream.ask())
        .reply(Any, ({ it }) => it),
      aggregate('wished', { url: '/v1/wished', ...options })
        .optional('it', () => upstream.ask(), { fallback: 'instead' })
        .reply(Any, ({ it }) => it),
      aggregate('told', { url: '/v1/told', ...options })
        .required('it', () => upstream.tell())
        .reply(Any, ({ it }) => it),
      aggregate('lost', { url: '/v1/lost', ...options })
        .required('it', () => new Promise(() => {}))
        .reply(Any, () => null),
      aggregate('said', { url: '/v1/said', ...options, body: Any })
        .required('it', () => 'a'.repeat(20_000_000))
        .reply(Any, ({ it }) => it),
    ],
    { drainTimeout: 50, logger },
  )
  const ask = await listening(t, app)
  const open = async () => {
    const socket = connect((app.server.address() as { readonly port: number }).port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  /** Closes the app, which must not take as long as its runs may. */
  const close = async () => {
    const since = performance.now()
    await app.close()
    t.ok(performance.now() - since < prompt, `closed within ${prompt} ms`)
  }
  return { raw, app, ask, open, close }
}

test('at the drain timeout callers of a hanging upstream get 503, or 504 after an unsafe call', async t => {
  const { raw, ask, close } = await hanging(t)
  const needed = ask<ProblemBody>('/v1/needed')
  const wished = ask('/v1/wished')
  const told = ask<ProblemBody>('/v1/told', { method: 'GET' })
  await raw.asked(3)
  await close()
  isProblem(t, await needed, 503, 'RUNTIME_CLOSED')
  t.equal((await needed).headers.get('connection'), 'close')
  t.equal((await needed).headers.get('retry-after'), '1')
  t.match(await wished, {
    status: 200,
    body: { data: 'instead', complete: false, sources: { it: { code: 'RUNTIME_CLOSED' } } },
  })
  isProblem(t, await told, 504, 'OUTCOME_UNKNOWN')
  await raw.deserted()
})

test('the log has a warning when the drain timeout is reached', async t => {
  const lines: string[] = []
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(line.toString())
      done()
    },
  })
  const { raw, ask, close } = await hanging(t, { level: 'warn', stream })
  const needed = ask('/v1/needed')
  await raw.asked(1)
  await close()
  await needed
  const drained = lines.filter(line => line.includes('drain timeout'))
  t.equal(drained.length, 1)
  t.match(JSON.parse(drained[0] as string), {
    level: 40,
    msg: 'drain timeout reached; aborting in-flight requests',
    connections: 1,
  })
})

test('at the drain timeout a run that awaits a promise of its author gets 503', async t => {
  const { app, open, close } = await hanging(t)
  const socket = await open()
  const asked = once(app.server, 'request')
  socket.write('GET /v1/lost HTTP/1.1\r\nhost: a\r\n\r\n')
  await asked
  const heard = text(socket)
  await close()
  t.match(await heard, /^HTTP\/1\.1 503 [^]*\r\nretry-after: 1\r\n[^]*"code":"DRAINING"/)
})

test('at the drain timeout a caller whose body never ends gets 503', async t => {
  const { app, open, close } = await hanging(t)
  const socket = await open()
  const asked = once(app.server, 'request')
  socket.write('POST /v1/said HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{')
  await asked
  const heard = text(socket)
  await close()
  t.match(await heard, /^HTTP\/1\.1 503 [^]*"code":"DRAINING"/)
})

test('at the drain timeout the connection of a caller that does not read its reply is destroyed', async t => {
  const { app, open, close } = await hanging(t)
  const accepted = once(app.server, 'connection')
  const socket = await open()
  const [theirs] = (await accepted) as [Socket]
  socket.pause()
  const asked = once(app.server, 'request')
  socket.write('POST /v1/said HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
  const [, response] = (await asked) as [unknown, { readonly headersSent: boolean }]
  await until(() => response.headersSent)
  t.notOk(theirs.destroyed)
  await close()
  t.ok(theirs.destroyed, 'the connection is destroyed')
  t.ok((await text(socket).catch(() => '')).length < 20_000_000, 'the reply is not whole')
})

test('close() can be called twice, and an app that never listened closes', async t => {
  const { app, close } = await hanging(t)
  await Promise.all([close(), app.close()])
  t.notOk(app.server.listening)
  const other = buildApp([], { drainTimeout: 0 })
  await other.ready()
  await t.resolves(other.close())
  t.notOk(other.server.listening)
})
