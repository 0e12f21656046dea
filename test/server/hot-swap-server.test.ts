import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { until } from '../helpers/until.ts'
import { createHotSwapServer } from '../../src/server/hot-swap-server.ts'

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
  const app = buildApp([])
  await app.ready()
  const front = createHotSwapServer()
  front.swap(app)
  const { port } = new URL(await front.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(() => front.close())

  for (const [what, bytes, status, code] of oddities) {
    const socket = connect(Number(port), '127.0.0.1')
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
})

test('under load the current app refuses at the socket that stays, and the next app decides for itself', async t => {
  const full = buildApp([], { pressure: { memoryPercent: 1e-6 }, corsOrigins: ['*'] })
  await full.ready()
  const front = createHotSwapServer()
  front.swap(full)
  const origin = await front.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => front.close())
  const ask = (path: string) => fetch(origin + path, { headers: { origin: 'https://page.example' } })
  await until(async () => (await ask('/any')).status === 503)
  const refused = await ask('/any')
  t.match(await refused.json(), { code: 'OVERLOADED' })
  t.equal(refused.headers.get('access-control-allow-origin'), null, 'no hook of the app has run')
  t.equal((await ask('/health/live')).status, 200)
  const next = buildApp([])
  await next.ready()
  front.swap(next)
  t.equal((await ask('/any')).status, 404)
})
