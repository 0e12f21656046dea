import { fastify } from 'fastify'
import { test } from 'tap'
import { logOrigins } from '../../src/http/log/log-origins.ts'
import { loggedRuntime } from '../../src/http/log/logged-runtime.ts'
import { testRun } from '../helpers/call.ts'
import { dnsServer } from '../helpers/dns-server.ts'
import { declareCats, numbered } from '../helpers/origin-list.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { until } from '../helpers/until.ts'

interface OriginLine {
  readonly msg: string
  readonly origin: string
  readonly skipped?: number
}

/** A logger, and the lines that it has written. */
function arrange() {
  const lines: OriginLine[] = []
  const { log } = fastify({ logger: { stream: { write: line => void lines.push(JSON.parse(line) as OriginLine) } } })
  return { log, lines }
}

test('an origin that is ejected is in the log', async t => {
  const { log, lines } = arrange()
  const good = await rawUpstream(t, numbered(0))
  const bad = await rawUpstream(t, json('bad', 503))
  const cats = declareCats([good.origin, bad.origin], {
    retry: { maxAttempts: 2, initialDelay: 0, maxDelay: 0 },
    balance: { ejection: { consecutiveFailures: 1, duration: 1 } },
  })
  const runtime = loggedRuntime(log, {})
  t.teardown(() => runtime.close())
  const ask = async () => (await runtime.send(testRun().ask(cats.cat({ id: '1' })))).value
  await until(async () => (await ask()) === 0 && lines.length >= 2)
  t.match(lines.slice(0, 2), [
    { level: 40, msg: 'origin ejected', upstream: 'cats', origin: `127.0.0.1:${bad.port}` },
    { level: 30, msg: 'origin available', upstream: 'cats', origin: `127.0.0.1:${bad.port}` },
  ])
})

test('an origin that fails its health checks is in the log', async t => {
  const { log, lines } = arrange()
  const good = await rawUpstream(t, numbered(0))
  const bad = await rawUpstream(t, json('bad', 503))
  const cats = declareCats([good.origin, bad.origin], {
    balance: { ejection: false, healthCheck: { path: '/health', interval: 100, timeout: 100, unhealthyAfter: 1 } },
  })
  const runtime = loggedRuntime(log, {})
  t.teardown(() => runtime.close())
  await runtime.send(testRun().ask(cats.cat({ id: '1' }))).catch(() => {})
  const ofBad = () => lines.filter(({ origin }) => origin === `127.0.0.1:${bad.port}`)
  await until(() => ofBad().length > 0)
  t.match(ofBad()[0], { level: 40, msg: 'origin unhealthy', upstream: 'cats' })
})

test('the addresses that a name gains and loses are in the log', async t => {
  const { log, lines } = arrange()
  const server = await rawUpstream(t, numbered(0))
  const dns = await dnsServer(t)
  dns.set('cats.example', { A: ['127.0.0.1'], ttl: 1 })
  const cats = declareCats([{ origin: `http://cats.example:${server.port}`, addresses: true }])
  const runtime = loggedRuntime(log, { dnsServers: [dns.address] })
  t.teardown(() => runtime.close())
  t.equal((await runtime.send(testRun().ask(cats.cat({ id: '1' })))).value, 0)
  t.same(lines, [], 'the first addresses are no change')
  dns.set('cats.example', { A: ['127.0.0.2'], ttl: 1 })
  await until(() => lines.length >= 2)
  t.match(
    lines.toSorted((a, b) => (a.msg < b.msg ? -1 : 1)),
    [
      { level: 30, msg: 'origin added', origin: `127.0.0.2:${server.port}` },
      { level: 30, msg: 'origin removed', origin: `127.0.0.1:${server.port}` },
    ],
  )
})

test('the first addresses of a name beside an origin of the list are not in the log', async t => {
  const { log, lines } = arrange()
  const server = await rawUpstream(t, numbered(0))
  const dns = await dnsServer(t)
  dns.set('cats.example', { A: ['127.0.0.2'] })
  const cats = declareCats([server.origin, { origin: `http://cats.example:${server.port}`, addresses: true }])
  const runtime = loggedRuntime(log, { dnsServers: [dns.address] })
  t.teardown(() => runtime.close())
  await runtime.send(testRun().ask(cats.cat({ id: '1' })))
  await until(() => runtime.stats()['cats']?.origins?.length === 2)
  t.same(lines, [])
})

test('at most 50 changes of origins are logged in 10 seconds, and the next line counts the others', t => {
  const { log, lines } = arrange()
  let now = 0
  const changed = logOrigins(
    () => log,
    () => now,
  )
  const change = () => changed({ upstream: 'cats', origin: 'a:80', state: 'added' })
  for (let count = 0; count < 53; count++) change()
  t.equal(lines.length, 50)
  now = 10_000
  change()
  change()
  t.same(
    lines.slice(49).map(({ skipped }) => skipped),
    [undefined, 3, undefined],
  )
  t.end()
})
