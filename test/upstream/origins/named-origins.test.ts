import type { LookupAddress } from 'node:dns'
import type { Socket } from 'node:net'
import { test, type Test } from 'tap'
import { Abort } from '../../../src/core/abort.ts'
import { connectionsOpened } from '../../../src/metrics/families.ts'
import type { UpstreamOptions } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { valuesOf } from '../../helpers/metric-values.ts'
import { declareCats, namedOrigins, numbered } from '../../helpers/origin-list.ts'
import { json, rawUpstream, type RawUpstream, type Script } from '../../helpers/raw-upstream.ts'
import { selfSigned } from '../../helpers/self-signed.ts'
import { rest } from '../../helpers/turn.ts'
import { until } from '../../helpers/until.ts'

const ids = (count: number) => Array.from({ length: count }, (_, at) => String(at))
const silent: Script = () => {}

test('each address of a name is an origin, and has the name as its host header', async t => {
  const { servers, cats, ask } = await namedOrigins(t, [0, 1, 2].map(numbered))
  for (const id of ids(30)) await ask(cats.cat({ id }))
  for (const { requests, port } of servers) {
    t.ok(requests.length > 0)
    for (const { headers } of requests) t.same(new Map(headers).get('host'), `cats.example:${port}`)
  }
})

test('the certificate of an address must contain the name, which is also the server name of TLS', async t => {
  const names: unknown[] = []
  const server = {
    ...selfSigned,
    SNICallback: (name: string, done: (error: null) => void) => (names.push(name), done(null)),
  }
  // The certificate is valid for 127.0.0.1, which is dialled.
  const { cats, ask } = await namedOrigins(t, [json('well')], { tls: { ca: selfSigned.cert } }, server)
  t.match(await failure(ask(cats.cat({ id: '1' }))), { code: 'UPSTREAM_TLS' })
  t.same(names, ['cats.example'])
})

test('when one address of three hangs, retries go to the others', async t => {
  const { cats, ask, counts } = await namedOrigins(t, [silent, json('well'), json('well')], {
    attemptTimeout: 1000,
    retry: { maxAttempts: 2, initialDelay: 1, maxDelay: 1 },
  })
  let succeeded = 0
  for (let round = 0; round < 30; round++) {
    const values = await Promise.allSettled(ids(10).map(id => ask(cats.cat({ id }))))
    succeeded += values.filter(({ status }) => status === 'fulfilled').length
  }
  t.ok(succeeded >= 297, `${succeeded} of 300 calls succeed`)
  t.ok((counts()[0] as number) < 60, `the address that hangs has ${counts()[0]} attempts`)
})

test('when one address of three hangs, hedges go to the others', async t => {
  const { cats, ask } = await namedOrigins(t, [silent, json('well'), json('well')], {
    attemptTimeout: 20_000,
    hedge: { delay: 5, maxRatio: 1 },
  })
  for (const id of ids(50)) t.equal(await ask(cats.cat({ id })), 'well')
})

test('an unsafe call is finished after its origin has left, and then its connection is closed', async t => {
  const held: Socket[] = []
  const { servers, runtime, moveTo, cats, ask, origins } = await namedOrigins(t, [
    (socket, { method }) => (method === 'POST' ? held.push(socket) : socket.write(json('first'))),
    json('second'),
  ])
  const [left, stays] = servers as [RawUpstream, RawUpstream]
  moveTo(0)
  t.equal(await ask(cats.cat({ id: '1' })), 'first')
  const written = ask(cats.post())
  await left.asked(2)
  moveTo(1)
  await until(() => origins().every(({ origin }) => origin === `127.0.0.2:${stays.port}`))
  t.equal(await ask(cats.cat({ id: '2' })), 'second')
  const opened = valuesOf(runtime, connectionsOpened)
  held[0]?.write(json('written'))
  t.equal(await written, 'written')
  await left.deserted()
  t.same(valuesOf(runtime, connectionsOpened), opened, 'the count of opened connections does not fall')
})

test('an origin without attempts is closed when it leaves', async t => {
  const { servers, moveTo, cats, ask } = await namedOrigins(t, [json('first'), json('second')])
  moveTo(0)
  t.equal(await ask(cats.cat({ id: '1' })), 'first')
  moveTo(1)
  await servers[0]?.deserted()
  t.equal(await ask(cats.cat({ id: '2' })), 'second')
})

test('an origin that leaves is not checked any more', async t => {
  const healthCheck = { path: '/health', interval: 100, timeout: 100 }
  const { servers, moveTo, cats, ask, origins } = await namedOrigins(t, [json('first'), json('second')], {
    balance: { healthCheck },
  })
  const [left, stays] = servers as [RawUpstream, RawUpstream]
  const checks = ({ requests }: RawUpstream) => requests.filter(({ path }) => path === '/health').length
  await ask(cats.cat({ id: '1' }))
  await until(() => checks(left) > 0 && checks(stays) > 0)
  moveTo(1)
  await until(() => origins().length === 1)
  await left.deserted()
  const before = checks(left)
  const others = checks(stays)
  await until(() => checks(stays) >= others + 3)
  t.equal(checks(left), before)
})

test('an attempt that was aborted early holds the transport of its origin until it has left it', async t => {
  const { servers, runtime, moveTo, cats, origins } = await namedOrigins(t, [silent, json('second')], {
    pipelining: 2,
  })
  const [left] = servers as [RawUpstream]
  moveTo(0)
  const abort = new Abort()
  const run = testRun()
  const calls = [
    failure(runtime.send(run.ask(cats.cat({ id: '1' })))),
    failure(runtime.send(run.ask(cats.cat({ id: '2' }), { abort }))),
  ]
  await left.asked(2)
  abort.abort('gone')
  t.equal(await calls[1], 'gone')
  t.match(origins(), [{ active: 2 }], 'the other request shares its connection')
  run.abort.abort('ended')
  t.equal(await calls[0], 'ended')
  await until(() => origins().every(({ active }) => active === 0))
})

/** A runtime whose lookups the test answers, and an upstream whose origins are the addresses of a name. */
async function lookedUp(t: Test, options: Partial<UpstreamOptions> = {}) {
  const server = await rawUpstream(t, json('well'))
  const lookups: ((error: Error | null, found?: readonly LookupAddress[]) => void)[] = []
  const runtime = createRuntime({
    lookup: (_hostname, _options, done) => lookups.push(done as (typeof lookups)[number]),
  })
  t.teardown(() => runtime.close())
  const cats = declareCats([{ origin: `http://cats.example:${server.port}`, addresses: true }], options)
  return {
    server,
    runtime,
    send: (run = testRun()) => runtime.send(run.ask(cats.cat({ id: '1' }))),
    found: (...addresses: readonly string[]) =>
      lookups.shift()?.(
        null,
        addresses.map(address => ({ address, family: 4 })),
      ),
    notFound: () => lookups.shift()?.(Object.assign(new Error('cats.example does not exist'), { code: 'ENOTFOUND' })),
  }
}

test('calls wait for the first address', async t => {
  const { send, found, server } = await lookedUp(t)
  const calls = [send(), send()]
  await rest()
  t.equal(server.connections, 0)
  found('127.0.0.1')
  t.match(await Promise.all(calls), [{ value: 'well' }, { value: 'well' }])
})

test('a call that waits for the first address leaves when it is aborted', async t => {
  const { send, found, server, runtime } = await lookedUp(t)
  const run = testRun()
  const call = failure(send(run))
  run.abort.abort('gone')
  t.equal(await call, 'gone')
  found('127.0.0.1')
  t.match(await send(), { value: 'well' })
  t.equal(server.requests.length, 1)
  t.equal(run.abort.size, 0)
  t.match(runtime.stats(), { cats: { active: 0 } })
})

test('a call waits at most connectTimeout for the first address', async t => {
  const { send, server } = await lookedUp(t, { connectTimeout: 50 })
  const before = performance.now()
  t.match(await failure(send()), {
    code: 'UPSTREAM_UNREACHABLE',
    message: /its addresses were not found in time/,
  })
  t.ok(performance.now() - before > 48)
  t.equal(server.connections, 0)
})

test('calls fail while a name has no address, and succeed when it has one', async t => {
  const { send, found, notFound } = await lookedUp(t)
  const waiting = failure(send())
  await rest()
  notFound()
  const error = { code: 'UPSTREAM_UNREACHABLE', cause: { code: 'ENOTFOUND' } }
  t.match(await waiting, error)
  t.match(await failure(send()), error, 'a later call does not wait')
  await until(() => {
    found('127.0.0.1')
    return send().then(
      () => true,
      () => false,
    )
  })
})

test('a name with a private address is refused with publicOnly', async t => {
  const { send, found, server } = await lookedUp(t, { publicOnly: true })
  const call = failure(send())
  await rest()
  found('127.0.0.1')
  t.match(await call, { code: 'ADDRESS_REFUSED' })
  t.equal(server.connections, 0)
})

test('closing a runtime rejects calls that wait for the first address', async t => {
  const { send, runtime, found, server } = await lookedUp(t)
  const call = failure(send())
  await runtime.close()
  t.match(await call, { code: 'RUNTIME_CLOSED' })
  found('127.0.0.1')
  await rest()
  t.equal(server.connections, 0)
})

test('a call that reaches the origins of a closed runtime does not wait for an address', async t => {
  const gate = Promise.withResolvers<void>()
  const { send, runtime } = await lookedUp(t, {
    layers: { call: [next => call => gate.promise.then(() => next(call))] },
  })
  const call = failure(send())
  await runtime.close()
  gate.resolve()
  t.match(await call, { code: 'RUNTIME_CLOSED' })
})

test('a breaker that opens rejects calls that wait for the first address', async t => {
  const breaker = { minimumCalls: 1, failureRatio: 0.1 }
  const { send } = await lookedUp(t, { connectTimeout: 50, breaker })
  const errors = await Promise.all([failure(send()), failure(send())])
  t.match(errors, [{ code: 'UPSTREAM_UNREACHABLE' }, { code: 'BREAKER_OPEN' }])
})
