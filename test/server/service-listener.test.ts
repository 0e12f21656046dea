import { once } from 'node:events'
import { connect } from 'node:net'
import { test, type Test } from 'tap'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { defaultLimits } from '../../src/http/guard/server-limits.ts'
import { setListenerOf } from '../../src/http/lifecycle/app-listener.ts'
import { ServiceListener } from '../../src/server/process/service-listener.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { until } from '../helpers/until.ts'

/** A listener that answers with one app after another. */
async function arrange(t: Test, options: AppOptions = {}) {
  const refused: string[] = []
  const listener = new ServiceListener({
    limits: defaultLimits,
    maxConnections: undefined,
    drainTimeout: 10_000,
    countRefusal: code => refused.push(code),
    logger: false,
  })
  const swap = async (next: AppOptions) => {
    const runtime = createRuntime()
    setListenerOf(runtime, listener.connections)
    const app = buildApp([], { ...next, runtime })
    await app.ready()
    listener.swap(app)
    return app
  }
  const app = await swap(options)
  await listener.listen({ host: '127.0.0.1', port: 0, backlog: 16 })
  t.teardown(() => listener.close())
  const { port } = listener.server.address() as { readonly port: number }
  return { listener, app, swap, refused, port, origin: `http://127.0.0.1:${port}` }
}

const oddities = [
  ['names no host', 'GET /health/live HTTP/1.1\r\n\r\n', 400, 'BAD_REQUEST'],
  ['names two hosts', 'GET /health/live HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', 400, 'BAD_REQUEST'],
  [
    'expects what cannot be met',
    'GET /health/live HTTP/1.1\r\nhost: a\r\nexpect: cats\r\nconnection: close\r\n\r\n',
    417,
    'EXPECTATION_FAILED',
  ],
  ['wants a tunnel', 'CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
  ['is no HTTP', 'cats\r\n\r\n', 400, 'BAD_REQUEST'],
] as const

test('a socket that stays while apps change refuses what an app on its own refuses, and as it does', async t => {
  const { port, refused } = await arrange(t)

  for (const [what, bytes, status, code] of oddities) {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', part => {
      text += part.toString()
    })
    socket.write(bytes)
    await once(socket, 'close')
    t.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), `a request that ${what}`)
    t.match(text.toLowerCase(), 'content-type: application/problem+json')
    t.match(text, `"code":"${code}"`)
  }
  t.same(refused, ['EXPECTATION_FAILED', 'METHOD_NOT_ALLOWED', 'BAD_REQUEST'], 'those that no app has seen')
})

test('under load the current app refuses at the socket that stays, and the next app decides for itself', async t => {
  const { origin, swap } = await arrange(t, { pressure: { memoryPercent: 1e-6 }, corsOrigins: ['*'] })
  const ask = (path: string) => fetch(origin + path, { headers: { origin: 'https://page.example' } })
  await until(async () => (await ask('/any')).status === 503)
  const refused = await ask('/any')
  t.match(await refused.json(), { code: 'OVERLOADED' })
  t.equal(refused.headers.get('access-control-allow-origin'), null, 'no hook of the app has run')
  t.equal((await ask('/health/live')).status, 200)
  await swap({})
  t.equal((await ask('/any')).status, 404)
})

test('an app that is replaced without a request in flight closes at once', async t => {
  const { app, swap } = await arrange(t)
  await swap({})
  await until(async () => (await app.inject('/health/live').catch(() => undefined)) === undefined)
})
