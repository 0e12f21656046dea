import { test, type Test } from 'tap'
import { createResolve } from '../../../src/upstream/connect/resolve.ts'
import { startHealthCheck, type HealthCheckTarget } from '../../../src/upstream/origins/health-check.ts'
import { openSingleUseTransport } from '../../../src/upstream/transport/transport.ts'
import { manualTimers } from '../../helpers/manual-timers.ts'
import { json, rawUpstream, type Script } from '../../helpers/raw-upstream.ts'

const check = { path: '/health', interval: 5000, timeout: 30_000, unhealthyAfter: 3, healthyAfter: 2 }

/** Starts an upstream and the checks of it. */
async function arrange(t: Test, script: Script, options: Partial<HealthCheckTarget['check']> = {}) {
  const upstream = await rawUpstream(t, script)
  const timers = manualTimers()
  const changes: boolean[] = []
  const url = new URL(upstream.origin)
  const { close } = startHealthCheck({
    url,
    path: '/base/health',
    check: { ...check, ...options },
    open: () =>
      openSingleUseTransport(url, {
        resolve: createResolve(() => {}),
        secureContext: undefined,
        proxy: undefined,
        connectTimeout: 30_000,
        isPublic: false,
        maxBytes: 64 * 1024,
      }),
    changed: isHealthy => changes.push(isHealthy),
    timers,
    random: () => 0.5,
  })
  t.teardown(close)
  return { upstream, timers, changes, close }
}

test('a check is a GET on a new connection, at times that differ between processes', async t => {
  const { upstream, timers, changes } = await arrange(t, json({ ok: true }))
  t.equal(await timers.ring(), 2500, 'the first check is within the interval')
  t.equal(await timers.ring(), 4750)
  await timers.ring()
  t.equal(upstream.connections, upstream.requests.length)
  t.match(upstream.requests[0], { method: 'GET', path: '/base/health' })
  t.strictSame(
    upstream.requests[0]?.headers.filter(([name]) => name === 'host' || name === 'user-agent'),
    [
      ['host', new URL(upstream.origin).host],
      ['user-agent', 'headwaters'],
    ],
  )
  t.same(changes, [])
})

test('consecutive failures make an origin unhealthy, and consecutive passes make it healthy', async t => {
  const statuses = [503, 200, 503, 302, 503, 200, 503, 204, 200, 503]
  const { timers, changes } = await arrange(t, (socket, { index }) =>
    socket.write(statuses[index] === 204 ? 'HTTP/1.1 204 No Content\r\n\r\n' : json({}, statuses[index])),
  )
  const after: string[] = []
  await timers.ring()
  for (const status of statuses) {
    await timers.ring()
    after.push(`${status} ${changes.join(' ')}`)
  }
  t.same(after, [
    '503 ',
    '200 ',
    '503 ',
    '302 ',
    '503 false',
    '200 false',
    '503 false',
    '204 false',
    '200 false true',
    '503 false true',
  ])
})

test('an origin that closes the connection, or that does not answer in time, fails its check', async t => {
  const { timers, changes } = await arrange(
    t,
    (socket, { index }) => {
      if (index === 0) socket.destroy()
    },
    { timeout: 20, unhealthyAfter: 2 },
  )
  await timers.ring()
  await timers.ring()
  t.same(changes, [])
  await timers.ring()
  t.same(changes, [false])
})

test('a check passes when its answer has arrived in time, but the event loop reads it late', async t => {
  const timeout = 500
  const { timers, changes } = await arrange(
    t,
    socket => {
      socket.write(json({ ok: true }))
      // Holds up the event loop.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, timeout + 100)
    },
    { timeout, unhealthyAfter: 1 },
  )
  await timers.ring()
  await timers.ring()
  await timers.ring()
  t.same(changes, [])
})

test('the status decides, even if the body is long or never ends', async t => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n'
  const { upstream, timers, changes } = await arrange(
    t,
    (socket, { index }) => socket.write(index === 0 ? head + 'x'.repeat(50_000) : 'HTTP/1.1 200 OK\r\n\r\nx'),
    { timeout: 1500, unhealthyAfter: 1 },
  )
  await timers.ring()
  await timers.ring()
  await timers.ring()
  t.equal(upstream.requests.length, 2)
  t.same(changes, [])
})

test('closing ends a check in flight and reports nothing', async t => {
  const { upstream, timers, changes, close } = await arrange(t, () => {}, { unhealthyAfter: 1 })
  await timers.ring()
  await upstream.asked(1)
  await close()
  await upstream.deserted()
  t.same(timers.pending, [])
  t.same(changes, [])
})
