import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { requestsRefused } from '../../src/metrics/families.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { serveAdminApp } from '../admin/helpers/served-admin-app.ts'
import { valuesOf } from '../helpers/metric-values.ts'

const key = 'admin-key-0123456789'
const one = aggregate('one', { url: '/one' }).reply(z.number(), () => 1)
const metricsSource: AppOptions['metricsSource'] = {
  render: async () => ({ contentType: 'text/plain; charset=utf-8', body: 'cats 9\n' }),
}

/** Returns a function that sends the lines of a request without a body, and reads the whole reply. */
function sender(t: Test, port: number) {
  return async (...lines: readonly string[]): Promise<string> => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    socket.write([...lines, 'Connection: close', '', ''].join('\r\n'))
    return text(socket)
  }
}

async function serveApp(t: Test, options: AppOptions = { metrics: true }) {
  const app = buildApp([one], { metricsSource, ...options })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  return sender(t, (app.server.address() as AddressInfo).port)
}

const servers = {
  'the main port': serveApp,
  'the admin listener': async (t: Test) => sender(t, (await serveAdminApp(t)).port),
}

const served = /^HTTP\/1\.1 200 [^]*\r\n\r\ncats/
const refused = /^HTTP\/1\.1 421 [^]*"code":"MISDIRECTED"/

const localHosts = [
  '127.0.0.1',
  '127.0.0.1:9464',
  '10.1.2.3:80',
  '[::1]',
  '[::1]:9464',
  '[2001:DB8::1]:9464',
  'localhost',
  'localhost:9464',
  'LocalHost:9464',
  'localhost.',
  'localhost.:9464',
  'metrics.localhost',
  'Metrics.LOCALHOST.:9464',
]

const otherHosts = [
  'rebound.example',
  'rebound.example:9464',
  'headwaters',
  'headwaters:3000',
  'localhost.example',
  'localhost.example.',
  'notlocalhost',
  'local.host',
  '127.0.0.1.example',
  '127.0.0.1.nip.io:9464',
  '::1',
  '[::1',
  '[rebound.example]',
  'localhost..',
  'localhost:port',
  'localhost:99999',
  'localhost@rebound.example',
  'rebound.example@localhost',
  'rebound.example#localhost',
  'localhost/rebound.example',
  'localhost?rebound.example',
  'localhost, rebound.example',
  '',
]

for (const [where, serve] of Object.entries(servers)) {
  test(`${where} serves metrics without a key to an IP address and to localhost as Host`, async t => {
    const send = await serve(t)
    for (const host of localHosts) t.match(await send('GET /metrics HTTP/1.1', `Host: ${host}`), served, host)
  })

  test(`${where} refuses metrics without a key to any other Host, and names the fix`, async t => {
    const send = await serve(t)
    for (const host of otherHosts) {
      const reply = await send('GET /metrics HTTP/1.1', `Host: ${host}`)
      t.match(reply, refused, host)
      t.notMatch(reply, 'cats', host)
    }
    const reply = await send('GET /metrics HTTP/1.1', 'Host: rebound.example')
    t.match(reply, 'use an IP address or localhost in the URL, or require a key')
    t.notMatch(reply, 'rebound.example', 'the reply does not repeat the name')
    t.match(await send('GET /metrics?name=x HTTP/1.1', 'Host: rebound.example'), refused)
  })

  test(`${where} refuses another Host with each method`, async t => {
    const send = await serve(t)
    for (const method of ['HEAD', 'OPTIONS', 'POST', 'PROPFIND'])
      t.match(await send(`${method} /metrics HTTP/1.1`, 'Host: rebound.example'), /^HTTP\/1\.1 421 /, method)
    t.match(await send('POST /metrics HTTP/1.1', 'Host: localhost'), /^HTTP\/1\.1 405 /)
  })

  test(`${where} takes the host of a target in absolute form instead of Host`, async t => {
    const send = await serve(t)
    for (const host of ['127.0.0.1:9464', '[::1]', 'LOCALHOST.'])
      t.match(await send(`GET http://${host}/metrics HTTP/1.1`, 'Host: rebound.example'), served, host)
    for (const host of ['rebound.example', 'rebound.example:80', '127.0.0.1@rebound.example', 'localhost.example'])
      t.match(await send(`GET http://${host}/metrics HTTP/1.1`, 'Host: 127.0.0.1'), refused, host)
    t.match(await send('GET https://rebound.example/metrics HTTP/1.1', 'Host: 127.0.0.1'), refused)
    t.match(await send('GET http://rebound.example/metrics HTTP/1.0'), refused)
  })

  test(`${where} serves a request of HTTP/1.0 without Host, which no browser sends`, async t => {
    const send = await serve(t)
    t.match(await send('GET /metrics HTTP/1.0'), served)
    t.match(await send('GET /metrics HTTP/1.0', 'Host: localhost'), served)
    t.match(await send('GET /metrics HTTP/1.0', 'Host: rebound.example'), refused)
    t.match(await send('GET /metrics HTTP/1.1'), /^HTTP\/1\.1 400 /)
    t.match(await send('GET /metrics HTTP/1.1', 'Host: localhost', 'Host: rebound.example'), /^HTTP\/1\.1 400 /)
  })

  test(`${where} serves the health paths to each Host`, async t => {
    const send = await serve(t)
    for (const host of ['rebound.example', 'headwaters:3000', '127.0.0.1', ''])
      for (const path of ['/health/live', '/health/ready'])
        t.match(await send(`GET ${path} HTTP/1.1`, `Host: ${host}`), /^HTTP\/1\.1 200 /, `${path} ${host}`)
  })
}

test('metrics with a key are served to each Host', async t => {
  const send = await serveApp(t, { metrics: { key } })
  for (const host of [...localHosts, ...otherHosts])
    t.match(await send('GET /metrics HTTP/1.1', `Host: ${host}`, `Authorization: Bearer ${key}`), served, host)
  t.match(await send('GET /metrics HTTP/1.1', 'Host: rebound.example'), /^HTTP\/1\.1 401 /)
  const { port } = await serveAdminApp(t, { metrics: { source: metricsSource, key } })
  const sendToAdmin = sender(t, port)
  t.match(
    await sendToAdmin('GET /metrics HTTP/1.1', 'Host: headwaters:9464', `Authorization: Bearer ${key}`),
    /^HTTP\/1\.1 200 /,
  )
})

test('a trusted x-forwarded-host does not replace the Host of a scrape', async t => {
  const send = await serveApp(t, { metrics: true, trustProxy: true })
  t.match(await send('GET /metrics HTTP/1.1', 'Host: rebound.example', 'X-Forwarded-Host: localhost'), refused)
  t.match(await send('GET /metrics HTTP/1.1', 'Host: localhost', 'X-Forwarded-Host: rebound.example'), served)
})

test('metrics without a key cannot be read by a page of another origin, also with CORS', async t => {
  const from = ['Host: 127.0.0.1', 'Origin: https://app.example']
  for (const corsOrigins of [['*'], ['https://app.example']]) {
    const send = await serveApp(t, { metrics: true, corsOrigins })
    const reply = await send('GET /metrics HTTP/1.1', ...from)
    t.match(reply, served)
    t.notMatch(reply, /access-control-allow-origin/i)
    t.match(await send('GET /one HTTP/1.1', ...from), /\r\naccess-control-allow-origin: /i, 'aggregates keep CORS')
  }
})

test('an aggregate is served to each Host where the metrics are open, and each refusal is counted', async t => {
  const runtime = createRuntime()
  const send = await serveApp(t, { metrics: true, runtime })
  t.match(await send('GET /one HTTP/1.1', 'Host: headwaters:3000'), /^HTTP\/1\.1 200 /)
  t.match(await send('GET /metrics HTTP/1.1', 'Host: headwaters:3000'), refused)
  t.match(valuesOf(runtime, requestsRefused), { MISDIRECTED: 1 })
})
