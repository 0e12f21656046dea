import { test } from 'tap'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { dnsServer } from '../../helpers/dns-server.ts'
import { declareCats, numbered } from '../../helpers/origin-list.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { selfSigned } from '../../helpers/self-signed.ts'
import { until } from '../../helpers/until.ts'

const healthCheck = { path: '/health', interval: 200, timeout: 200 }

test('an origin is checked until DNS does not name it any more', async t => {
  const server = await rawUpstream(t, numbered(0))
  const dns = await dnsServer(t)
  dns.set('cats.example', { A: ['127.0.0.1'], ttl: 1 })
  const cats = declareCats([{ origin: `http://cats.example:${server.port}`, addresses: true }], {
    balance: { healthCheck },
  })
  const runtime = createRuntime({ dnsServers: [dns.address] })
  t.teardown(() => runtime.close())
  t.equal((await runtime.send(testRun().ask(cats.cat({ id: '1' })))).value, 0)
  const checks = () => server.requests.filter(({ path }) => path === '/health')
  await until(() => checks().length >= 2)
  t.match(new Map(checks()[0]?.headers).get('host'), `cats.example:${server.port}`)
  dns.set('cats.example', { A: ['127.0.0.2'], ttl: 1 })
  await until(() => runtime.stats()['cats']?.origins?.[0]?.origin === `127.0.0.2:${server.port}`)
  await server.deserted()
  const { connections } = server
  const asked = dns.questions.length
  await until(() => dns.questions.length > asked)
  t.equal(server.connections, connections, 'no connection is opened in the time of several checks')
})

test('a check uses the certificate authority and the name of the upstream', async t => {
  const tls = { key: selfSigned.key, cert: selfSigned.cert }
  const servers = [await rawUpstream(t, numbered(0), tls), await rawUpstream(t, numbered(1), tls)]
  const cats = declareCats(
    servers.map(({ port }) => `https://localhost:${port}`),
    {
      tls: { ca: selfSigned.cert, servername: '127.0.0.1' },
      balance: { healthCheck: { ...healthCheck, unhealthyAfter: 100 } },
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  await runtime.send(testRun().ask(cats.cat({ id: '1' })))
  for (const { requests } of servers) await until(() => requests.some(({ path }) => path === '/health'))
  t.same(
    runtime.stats()['cats']?.origins?.map(({ state }) => state),
    ['available', 'available'],
  )
})
