import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { serverGuardOf } from '../../src/http/guard/server-guard.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import * as families from '../../src/metrics/families.ts'
import { listening } from '../helpers/listening.ts'
import { countsOf, valuesOf } from '../helpers/metric-values.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { until } from '../helpers/until.ts'

const criticalities = ['low', 'normal', 'high'] as const

/** Makes the server of an app refuse requests under load before Fastify handles them, as the listener of a service does. */
function refuseAtServer(app: FastifyInstance): void {
  const guard = serverGuardOf(app)
  app.server.removeAllListeners('request')
  app.server.on('request', (request, response) => {
    if (!guard.refuses(request, response)) app.routing(request, response)
  })
}

/** An app with a limit of 20 runs that refuses at its server. Its runs of `/hold` wait until they are released. */
async function guarded(t: Test, options: AppOptions = {}) {
  let release = () => {}
  let held = 0
  const released = new Promise<string>(resolve => {
    release = () => resolve('done')
  })
  const hold = aggregate('hold', { url: '/hold', deadline: 20_000, criticality: 'high' })
    .required('wait', () => {
      held++
      return released
    })
    .reply(z.string(), ({ wait }) => wait)
  const quick = criticalities.map(criticality =>
    aggregate(criticality, { url: `/${criticality}`, criticality }).reply(z.string(), () => criticality),
  )
  const item = aggregate('item', { url: '/items/{id}', params: z.object({ id: z.string() }) }).reply(
    z.string(),
    () => 'i',
  )
  const posted = aggregate('posted', { url: '/posted', body: z.unknown() }).reply(z.string(), () => 'p')
  const runtime = createRuntime()
  const app = buildApp([hold, ...quick, item, posted], {
    runtime,
    pressure: { runs: 20, loopDelay: 0, heapPercent: 0, memoryPercent: 0 },
    ...options,
  })
  await app.ready()
  refuseAtServer(app)
  const ask = await listening(t, app)
  const { port } = app.server.address() as { readonly port: number }
  /** Holds as many runs as that. */
  const holdUntil = async (runs: number) => {
    for (let run = held + 1; run <= runs; run++) {
      void ask('/hold').catch(() => {})
      await until(() => held === run)
    }
  }
  /** Resolves when as many runs as that are held. */
  const holding = async (runs: number) => until(() => held === runs)
  /** Sends bytes and ends the connection. Returns all replies. */
  const exchange = async (bytes: string, isEnded = true) => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    const all = text(socket)
    if (isEnded) socket.end(bytes)
    else socket.write(bytes)
    return all
  }
  t.teardown(() => release())
  return { app, runtime, ask, holdUntil, holding, exchange, release, port }
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nhost: a\r\n${more}\r\n`
const codesOf = (replies: string) => Array.from(replies.matchAll(/HTTP\/1\.1 (\d+) /g), ([, code]) => Number(code))

test('at the limit requests of low criticality are refused before normal ones, and those before high ones', async t => {
  const { ask, holdUntil } = await guarded(t)
  const statuses = async () =>
    Promise.all(criticalities.map(async criticality => (await ask(`/${criticality}`)).status))
  t.same(await statuses(), [200, 200, 200])
  await holdUntil(17)
  t.same(await statuses(), [200, 200, 200])
  await holdUntil(18)
  t.same(await statuses(), [503, 200, 200])
  await holdUntil(19)
  t.same(await statuses(), [503, 503, 200])
  await holdUntil(20)
  t.same(await statuses(), [503, 503, 503])
  isProblem(t, await ask<ProblemBody>('/high'), 503, 'OVERLOADED')
  for (const path of ['/health/live', '/health/ready', '/openapi.json', '/docs'])
    t.equal((await ask(path)).status, 200, path)
})

test('a refusal at the server has the same head and body as one by a hook, but for the connection', async t => {
  const parts = async (replies: string) => {
    const [head = '', body = ''] = replies.split('\r\n\r\n')
    const lines = head.toLowerCase().split('\r\n')
    return { lines: lines.filter(line => !/^(?:date|connection|keep-alive):/.test(line)).sort(), body }
  }
  const { holdUntil, exchange } = await guarded(t)
  await holdUntil(20)
  const atServer = await parts(await exchange(get('/normal', 'x-request-id: one\r\n')))
  // A target in absolute form is not looked up at the server.
  const byHook = await parts(await exchange(get('http://a/normal', 'x-request-id: one\r\n')))
  t.match(atServer.lines, ['cache-control: no-store'])
  t.same(atServer, byHook)
  t.match(JSON.parse(atServer.body), { code: 'OVERLOADED', instance: 'urn:headwaters:request:one', status: 503 })
})

test('the id of a refusal is that of the caller, or a new one', async t => {
  const { ask, holdUntil } = await guarded(t)
  await holdUntil(20)
  const idOf = async (headers: Record<string, string>) => {
    const got = await ask<ProblemBody & { readonly instance: string }>('/normal', { headers })
    const id = got.headers.get('x-request-id')
    t.equal(got.body.instance, `urn:headwaters:request:${id}`)
    t.equal(Number(got.headers.get('content-length')), Buffer.byteLength(got.text))
    return id
  }
  t.equal(await idOf({ 'x-request-id': 'caller-1' }), 'caller-1')
  t.match(await idOf({ 'x-request-id': 'not "safe"' }), /^[0-9a-f-]{36}$/)
  t.match(await idOf({}), /^[0-9a-f-]{36}$/)
})

test('on a connection with several requests each gets its whole reply, in order', async t => {
  const { holdUntil, holding, exchange, release } = await guarded(t)
  await holdUntil(19)
  const replies = exchange(get('/hold') + get('/normal') + get('/health/live') + get('/low') + get('/high'))
  await holding(20)
  release()
  const all = await replies
  t.same(codesOf(all), [200, 503, 200, 503, 503], 'the run of /hold was the twentieth')
  t.match(all, /"data":"done"[^]*OVERLOADED[^]*\{"status":"live"\}[^]*OVERLOADED[^]*OVERLOADED/)
})

test('a refused connection stays open, and serves again when the load is over', async t => {
  const { holdUntil, port, release } = await guarded(t)
  await holdUntil(20)
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let replies = ''
  socket.on('data', chunk => {
    replies += chunk.toString()
  })
  socket.write(get('/normal'))
  await until(() => replies.includes('OVERLOADED'))
  release()
  await until(() => {
    replies = ''
    socket.write(get('/normal'))
    return until(() => replies.endsWith('}')).then(() => replies.includes('"data":"normal"'))
  })
  t.match(replies, /^HTTP\/1\.1 200 /)
})

test('a refused POST: a small body is skipped, and the next request is read where it begins', async t => {
  const { holdUntil, exchange } = await guarded(t)
  await holdUntil(20)
  const post = 'POST /posted HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n'
  const body = 'GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n'
  const small = await exchange(`${post}content-length: ${body.length}\r\n\r\n${body}${get('/health/ready')}`)
  t.same(codesOf(small), [503, 200])
  t.match(small, /OVERLOADED[^]*\{"status":"ready"/)
  const large = await exchange(`${post}content-length: 100000\r\n\r\n${body}`, false)
  t.same(codesOf(large), [503])
  t.match(large, /\r\nconnection: close\r\n/i)
  const chunked = await exchange(`${post}transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n${body}`, false)
  t.same(codesOf(chunked), [503])
  t.match(chunked, /\r\nconnection: close\r\n/i)
  const waiting = await exchange(`${post}content-length: 10\r\nexpect: 100-continue\r\n\r\n`, false)
  t.same(codesOf(waiting), [503], 'the client is not asked for its body')
  t.match(waiting, /\r\nconnection: close\r\n/i)
})

test('a refusal of HEAD has no body, and the next reply follows', async t => {
  const { holdUntil, exchange } = await guarded(t)
  await holdUntil(20)
  const replies = await exchange(`HEAD /normal HTTP/1.1\r\nhost: a\r\n\r\n${get('/health/live')}`)
  t.same(codesOf(replies), [503, 200])
  t.notMatch(replies, 'OVERLOADED')
  t.match(replies, /\r\ncontent-length: \d{3}\r\n/i)
})

test('a request with a faulty head gets the reply that it gets without load', async t => {
  const { holdUntil, exchange } = await guarded(t)
  await holdUntil(20)
  const faults: readonly (readonly [string, string, number])[] = [
    ['no host', 'GET /normal HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
    ['two hosts', get('/normal', 'host: b\r\nconnection: close\r\n'), 400],
    ['an unknown coding', get('/normal', 'transfer-encoding: gzip, chunked\r\n') + '0\r\n\r\n', 501],
  ]
  for (const [what, bytes, status] of faults) t.equal(codesOf(await exchange(bytes, false))[0], status, what)
})

test('refusals count in the metrics with their route, and their log lines are sampled', async t => {
  const lines: { readonly msg: string; readonly level: number; readonly code?: string; readonly reqId?: string }[] = []
  const { ask, holdUntil, runtime } = await guarded(t, {
    logger: { level: 'info', stream: { write: (line: string) => void lines.push(JSON.parse(line)) } },
  })
  await holdUntil(20)
  for (let times = 0; times < 15; times++) t.equal((await ask('/normal')).status, 503)
  t.equal((await ask('/items/1')).status, 503)
  t.equal((await ask('/unknown')).status, 503, 'a path without a route counts as normal')
  t.same(valuesOf(runtime, families.requestsRefused), { OVERLOADED: 17 })
  t.match(countsOf(runtime, families.serverDuration), {
    'GET http /normal 503 503 normal': 15,
    'GET http /items/{id} 503 503 item': 1,
    'GET http - 503 503 -': 1,
  })
  const refusals = lines.filter(({ msg }) => msg === 'request refused')
  t.equal(refusals.length, 10, 'as many as of every other code')
  t.match(refusals[0], { level: 30, code: 'OVERLOADED', statusCode: 503, remoteAddress: '127.0.0.1', reqId: String })
})

test('a refusal does not reach the hooks of the app, and an admitted request does', async t => {
  const { holdUntil, ask } = await guarded(t, { corsOrigins: ['*'] })
  t.equal((await ask('/low', { headers: { origin: 'http://page' } })).headers.get('access-control-allow-origin'), '*')
  await holdUntil(18)
  const refused = await ask('/low', { headers: { origin: 'http://page' } })
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('access-control-allow-origin'), null, 'the documentation says so')
})

test('while the app drains, a new request is refused as draining', async t => {
  const { app, runtime, holdUntil, holding, port, release } = await guarded(t)
  await holdUntil(19)
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  const replies = text(socket)
  socket.write(get('/hold'))
  await holding(20)
  const closed = app.close()
  await until(() => !app.server.listening)
  socket.write(get('/normal'))
  await until(() => Object.keys(valuesOf(runtime, families.requestsRefused)).length > 0)
  t.same(valuesOf(runtime, families.requestsRefused), { DRAINING: 1 })
  release()
  t.match(await replies, /"data":"done"/)
  await closed
})

test('a refusal closes its connection if another listener or the limit of connections demands it', async t => {
  const { app, holdUntil, exchange } = await guarded(t, { maxConnections: 80 })
  await holdUntil(20)
  const open = await exchange(get('/normal') + get('/normal'))
  t.same(codesOf(open), [503, 503])
  t.match(open, /\r\nconnection: keep-alive\r\n/i)
  // A worker that is replaced closes each connection after its next reply.
  const close = (_request: IncomingMessage, response: ServerResponse) => response.setHeader('connection', 'close')
  app.server.prependListener('request', close)
  const closed = await exchange(get('/normal') + get('/normal'), false)
  t.same(codesOf(closed), [503])
  t.match(closed, /\r\nconnection: close\r\n/i)
  t.equal(closed.match(/\r\ncontent-type:/gi)?.length, 1)
  app.server.removeListener('request', close)
  const { port } = app.server.address() as { readonly port: number }
  const others = Array.from({ length: 80 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  t.teardown(() => {
    for (const socket of others) socket.destroy()
  })
  await until(async () => /\r\nconnection: close\r\n/i.test(await exchange(get('/normal'))))
})
