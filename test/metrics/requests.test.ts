import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/http/plugin.ts'
import * as families from '../../src/metrics/families.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { countsOf, sumsOf, total, valuesOf } from '../helpers/metric-values.ts'
import { elapsed, until } from '../helpers/until.ts'

const item = aggregate('item', { url: '/items/{id}', params: z.object({ id: z.string().max(5) }) })
  .required('item', ({ params: { id } }): unknown => {
    if (id === 'none') refuse(404, 'The cat does not exist.')
    if (id === 'odd') refuse(499, 'This is odd.')
    if (id === 'bug') throw new Error('a bug')
    return id === 'wait' ? new Promise(() => {}) : id
  })
  .reply(z.unknown(), args => args['item' as never])
const cancel = aggregate('cancel', { url: '/items/{id}:cancel', method: 'POST', params: z.object({ id: z.string() }) })
  .required('one', () => 1)
  .reply(z.unknown(), () => 1)

async function serve(t: Test, options: AppOptions = {}) {
  const runtime = createRuntime()
  const app = buildApp([item, cancel], { ...options, runtime })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const ask = async (path: string, init: RequestInit = {}) =>
    (await fetch(`http://127.0.0.1:${port}${path}`, init)).status
  /** Sends bytes, and returns the reply as text when the connection has ended. */
  const send = async (bytes: string) => {
    const socket = connect(port, '127.0.0.1').end(bytes).setEncoding('latin1')
    let text = ''
    socket.on('data', chunk => (text += chunk))
    await once(socket, 'close')
    return text
  }
  return { runtime, app, port, ask, send }
}

test('each request is observed once, with the template of its route', async t => {
  const { runtime, ask } = await serve(t)
  t.same(valuesOf(runtime, families.runs), { 'item complete -': 0, 'cancel complete -': 0 }, 'known before a request')
  t.same(
    [
      await ask('/items/1'),
      await ask('/items/2?x=1', { method: 'HEAD' }),
      await ask('/items/none'),
      await ask('/items/odd'),
      await ask('/items/bug'),
      await ask('/items/toolong'),
      await ask('/items/1:cancel', { method: 'POST' }),
      await ask('/items/1', { method: 'DELETE' }),
      await ask('/items/1', { method: 'OPTIONS' }),
      await ask('/nothing/here'),
      await ask('/health/live'),
    ],
    [200, 200, 404, 499, 500, 400, 200, 405, 204, 404, 200],
  )
  const get = 'GET http'
  await until(() => total(countsOf(runtime, families.serverDuration)) === 11)
  t.same(countsOf(runtime, families.serverDuration), {
    [`${get} /items/{id} 200 - item`]: 1,
    'HEAD http /items/{id} 200 - item': 1,
    [`${get} /items/{id} 404 - item`]: 1,
    [`${get} /items/{id} other - item`]: 1,
    [`${get} /items/{id} 500 500 item`]: 1,
    [`${get} /items/{id} 400 - item`]: 1,
    'POST http /items/{id}:cancel 200 - cancel': 1,
    'DELETE http - 405 - -': 1,
    'OPTIONS http - 204 - -': 1,
    [`${get} - 404 - -`]: 1,
    [`${get} /health/live 200 - -`]: 1,
  })
  t.equal(total(valuesOf(runtime, families.activeRequests)), 0)
  t.same(valuesOf(runtime, families.requestsRefused), { INPUT_INVALID: 1, METHOD_NOT_ALLOWED: 1, NOT_FOUND: 1 })
  t.match(valuesOf(runtime, families.runs), {
    'item complete -': 2,
    'item failed REFUSED': 2,
    'item failed INTERNAL': 1,
    'cancel complete -': 1,
  })
})

test('a request whose caller leaves has no status, and its duration ends then', async t => {
  const { runtime, port } = await serve(t)
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /items/wait HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => valuesOf(runtime, families.activeRequests)['GET http'] === 1)
  await elapsed(50)
  socket.destroy()
  await until(() => total(countsOf(runtime, families.serverDuration)) === 1)
  t.same(countsOf(runtime, families.serverDuration), { 'GET http /items/{id} - - item': 1 })
  t.ok((sumsOf(runtime, families.serverDuration)['GET http /items/{id} - - item'] as number) >= 0.049)
  t.same(valuesOf(runtime, families.activeRequests), { 'GET http': 0 })
  t.match(valuesOf(runtime, families.runs), { 'item cancelled -': 1 })
  t.same(valuesOf(runtime, families.requestsRefused), {})
})

test('a refusal is counted once, also before its request is parsed', async t => {
  const { runtime, ask, send } = await serve(t, { keys: ['0123456789abcdef'], limits: { headerBytes: 4096 } })
  t.equal(await ask('/items/1'), 401)
  t.match(await send('NONSENSE\r\n\r\n'), /^HTTP\/1.1 400/)
  t.match(await send(`GET /items/1 HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9000)}\r\n\r\n`), /^HTTP\/1.1 431/)
  t.match(await send('GET /items/1 HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n'), /^HTTP\/1.1 417/)
  t.match(await send('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1.1 405/)
  t.match(await send('GET /items/1 HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 400/, 'without a Host')
  t.match(await send('GET /items/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 40/)
  await until(() => total(countsOf(runtime, families.serverDuration)) === 3)
  t.same(valuesOf(runtime, families.requestsRefused), {
    UNAUTHENTICATED: 1,
    BAD_REQUEST: 3,
    HEADERS_TOO_LARGE: 1,
    EXPECTATION_FAILED: 1,
    METHOD_NOT_ALLOWED: 1,
  })
  const refused = countsOf(runtime, families.serverDuration)
  t.equal(refused['GET http /items/{id} 401 - item'], 1, 'a refused request has its route')
  t.same(valuesOf(runtime, families.runs), { 'item complete -': 0, 'cancel complete -': 0 })
})

test('a connection above the limit is a refusal', async t => {
  const { runtime, port, send } = await serve(t, { maxConnections: 2 })
  const first = connect(port, '127.0.0.1')
  t.teardown(() => first.destroy())
  first.write('GET /items/wait HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => valuesOf(runtime, families.activeRequests)['GET http'] === 1)
  t.match(await send('GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1.1 503/)
  t.same(valuesOf(runtime, families.requestsRefused), { OVERLOADED: 1 })
})

test('the plugin counts the requests of its routes, and no others', async t => {
  const runtime = createRuntime()
  const app = fastify()
  t.teardown(async () => {
    await app.close()
    await runtime.close()
  })
  app.addHook('onRequest', async request => {
    if (request.headers['x-deny'] !== undefined) throw Object.assign(new Error('denied'), { statusCode: 403 })
  })
  app.get('/own', async () => 'own')
  await app.register(headwaters, { aggregates: [item], runtime, prefix: '/api' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const ask = async (path: string, headers = {}) => (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).status
  t.same(
    [await ask('/api/items/1'), await ask('/own'), await ask('/api/items/1', { 'x-deny': '1' }), await ask('/no')],
    [200, 200, 403, 404],
  )
  t.equal((await app.inject('/api/items/toolong')).statusCode, 400)
  await until(() => total(countsOf(runtime, families.serverDuration)) === 3)
  t.same(countsOf(runtime, families.serverDuration), {
    'GET http /api/items/{id} 200 - item': 1,
    'GET http /api/items/{id} 403 - item': 1,
    'GET http /api/items/{id} 400 - item': 1,
  })
  t.equal(total(valuesOf(runtime, families.activeRequests)), 0)
  t.equal(valuesOf(runtime, families.requestsRefused)['INPUT_INVALID'], 1)
})

test('the number of lost log lines is a metric of the service', async t => {
  const { runtime } = await serve(t, { lostLogLines: () => 3 })
  t.same(valuesOf(runtime, families.logLinesLost), { '': 3 })
})

test('apps that share a runtime and a log do not multiply its lost lines, and are not asked after their end', async t => {
  const runtime = createRuntime()
  let asked = 0
  const lostLogLines = () => {
    asked++
    return 3
  }
  const apps = [1, 2].map(() => buildApp([], { runtime, lostLogLines }))
  t.teardown(() => Promise.all(apps.map(app => app.close())))
  t.same(valuesOf(runtime, families.logLinesLost), { '': 3 })
  t.equal(asked, 2)
  await apps[0]?.close()
  t.same(valuesOf(runtime, families.logLinesLost), { '': 3 })
  t.equal(asked, 3, 'only the open app is asked')
})
