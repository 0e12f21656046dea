import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { combined, dialer, targetOf } from '../../../src/upstream/connect/dial.ts'
import { publicResolve } from '../../../src/upstream/connect/resolve.ts'
import type { Resolve } from '../../../src/upstream/connect/resolve.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { quietPort } from '../../helpers/quiet-port.ts'
import { turn } from '../../helpers/turn.ts'
import { isExact } from '../../helpers/timing.ts'

/** undici's own timer rings at 500 ms at the earliest, and up to a second after that. */
const slack = isExact ? 50 : 300

async function mute(t: Test): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => {}).resume()
    t.teardown(() => socket.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

test('a connection that takes too long is given up at its moment', async t => {
  const port = await mute(t)
  const aloof = defineUpstream(
    'aloof',
    { origin: `https://127.0.0.1:${port}`, connectTimeout: 100, attemptTimeout: 5000, retry: false },
    { ask: operation({ path: '/', output: z.unknown() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const run = testRun()
  const before = performance.now()
  t.match(await failure(runtime.send(run.ask(aloof.ask()))), { code: 'UPSTREAM_UNREACHABLE' })
  const elapsed = performance.now() - before
  t.ok(elapsed > 98 && elapsed < 100 + slack, `given up after ${elapsed.toFixed(0)} ms`)
  t.match(runtime.stats(), { aloof: { active: 0 } })
})

/** A server that counts, and a dialler of a name with these addresses. */
async function arrange(
  t: Test,
  addresses: readonly string[],
  guard: (resolve: Resolve) => Resolve = resolve => resolve,
) {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer(socket => {
    connections++
    sockets.add(
      socket
        .resume()
        .on('error', () => {})
        .on('close', () => sockets.delete(socket)),
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const answers: ((given?: readonly string[]) => void)[] = []
  const resolve: Resolve = (_hostname, _options, done) => {
    answers.push((given = addresses) =>
      done(
        null,
        given.map((address): LookupAddress => ({ address, family: 4 })),
      ),
    )
  }
  const dial = dialer({ resolve: guard(resolve), timeout: 1000 })
  /** Dials; the test lets the name be found. */
  function open(hostname = 'cats.example', at = port) {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>()
    const giveUp = dial({ hostname, port: at }, (error, socket) => (error === null ? resolve(socket) : reject(error)))
    return { promise, giveUp, found: () => answers.shift()?.() }
  }
  return {
    open,
    port,
    asked: answers,
    get connections() {
      return connections
    },
    sockets,
  }
}

test('an address is dialled itself, a name by what it resolves to', async t => {
  const { open, asked } = await arrange(t, ['127.0.0.1'])
  const literal = await open('127.0.0.1').promise
  t.equal(literal.remoteAddress, '127.0.0.1')
  t.equal(asked.length, 0)
  const named = open()
  named.found()
  const socket = await named.promise
  t.equal(socket.remoteAddress, '127.0.0.1')
  t.equal(socket.listenerCount('error') + socket.listenerCount('connect'), 0, 'no listener is left on it')
  for (const each of [literal, socket]) each.destroy()
})

test('a target has the default port of its protocol, and an address without brackets', async t => {
  for (const [url, target] of [
    ['http://cats.example', { hostname: 'cats.example', port: 80 }],
    ['https://cats.example', { hostname: 'cats.example', port: 443 }],
    ['https://cats.example:80', { hostname: 'cats.example', port: 80 }],
    ['http://[::1]:8080', { hostname: '::1', port: 8080 }],
  ] as const)
    t.same(targetOf(new URL(url)), target)
})

const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some(each => each?.address === '::1')

test(
  'the other family is tried when the first one refuses',
  { skip: !hasIPv6 && 'this machine has no IPv6' },
  async t => {
    const port = await quietPort()
    const six = createServer(socket => socket.on('error', () => {}).resume())
    await once(six.listen(port, '::1'), 'listening')
    t.teardown(() => six.close())
    const { open } = await arrange(t, ['127.0.0.1', '127.0.0.2', '::1'])
    const { promise, found } = open('cats.example', port)
    found()
    const socket = await promise
    t.equal(socket.remoteAddress, '::1')
    socket.destroy()
  },
)

test('a dial that is given up before its name is found dials nothing', async t => {
  const arranged = await arrange(t, ['127.0.0.1'])
  const { promise, giveUp, found } = arranged.open()
  giveUp()
  found()
  await turn()
  t.notOk(process.getActiveResourcesInfo().includes('TCPConnectWrap'))
  t.equal(arranged.connections, 0)
  t.equal(await Promise.race([promise, turn()]), undefined, 'and calls no callback')
})

test('a dial that is given up while it connects leaves no socket and no timer', async t => {
  // Addresses of a documentation network lead nowhere; whether at once or never depends on the machine.
  const { open } = await arrange(t, ['192.0.2.1', '192.0.2.2', '192.0.2.3'])
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const before = timers()
  const { promise, giveUp, found } = open()
  const ended = promise.catch((error: unknown) => error)
  found()
  giveUp()
  await turn()
  await turn()
  t.notOk(process.getActiveResourcesInfo().includes('TCPConnectWrap'))
  t.equal(timers(), before)
  t.equal(await Promise.race([ended, turn()]), undefined)
})

test('one private address among public ones is never dialled, and neither are the others', async t => {
  for (const addresses of [
    ['127.0.0.1', '1.1.1.1'],
    ['1.1.1.1', '127.0.0.1'],
    ['8.8.8.8', '1.1.1.1', '127.0.0.1'],
  ]) {
    const arranged = await arrange(t, addresses, publicResolve)
    const { promise, found } = arranged.open()
    found()
    t.match(await failure(promise), { code: 'ADDRESS_REFUSED' }, addresses.join())
    t.equal(arranged.connections, 0)
  }
})

test('a resolver that gives a name for an address is not followed', async t => {
  const arranged = await arrange(t, ['127.0.0.1', 'localhost'])
  const { promise, found } = arranged.open()
  found()
  t.match(await failure(promise), {
    code: 'ERR_INVALID_IP_ADDRESS',
    message: "cats.example was resolved to 'localhost', which is not an IP address",
  })
  t.equal(arranged.connections, 0)
})

test('when no address accepts a connection the error has the failure of every address', async t => {
  const port = await quietPort()
  const several = (await arrange(t, ['127.0.0.1', '127.0.0.2'])).open('cats.example', port)
  several.found()
  const error = (await failure(several.promise)) as AggregateError
  t.match(error, {
    code: 'ECONNREFUSED',
    message:
      `no address of cats.example accepted a connection: connect ECONNREFUSED 127.0.0.1:${port}, ` +
      `connect ECONNREFUSED 127.0.0.2:${port}`,
  })
  t.match(error.errors, [{ code: 'ECONNREFUSED' }, { code: 'ECONNREFUSED' }])
  const one = (await arrange(t, ['127.0.0.1'])).open('cats.example', port)
  one.found()
  t.match(await failure(one.promise), { code: 'ECONNREFUSED', address: '127.0.0.1' })
})

test('a machine without an address of one family says nothing of the upstream', async t => {
  const named = (code: string) => Object.assign(new Error(`connect ${code}`), { code })
  for (const [codes, expected] of [
    [['EADDRNOTAVAIL', 'ECONNREFUSED'], 'ECONNREFUSED'],
    [['ECONNREFUSED', 'EADDRNOTAVAIL'], 'ECONNREFUSED'],
    [['EADDRNOTAVAIL', 'EADDRNOTAVAIL'], 'EADDRNOTAVAIL'],
    [['EADDRNOTAVAIL'], 'EADDRNOTAVAIL'],
    [['EMFILE', 'ECONNREFUSED'], 'EMFILE'],
  ] as const)
    t.match(combined(codes.map(named), 'cats.example'), { code: expected }, codes.join())
})
