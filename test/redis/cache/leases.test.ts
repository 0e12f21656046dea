import { test, type Test } from 'tap'
import { createLeases } from '../../../src/redis/cache/leases.ts'
import { connectionOf } from '../../../src/redis/commands/client.ts'
import { Commands } from '../../../src/redis/commands/commands.ts'
import { keysOf } from '../../../src/redis/commands/keys.ts'
import type { CacheLease, CacheLeases } from '../../../src/upstream/policies/cache/store.ts'
import { redisMissing, startRedis, type RedisServer } from '../../helpers/redis.ts'
import { elapsed, until } from '../../helpers/until.ts'

const skip = redisMissing
const keys = keysOf('headwaters')
const lease = { key: 'key', uri: 'uri', generation: 'one' } as const

/** The leases of one process. */
async function processOf(t: Test, server: RedisServer, patienceMs = 5000) {
  const commands = new Commands({
    connection: connectionOf(await server.client(t)),
    keys,
    patienceMs,
    settleMs: 0,
    onChange: () => {},
  })
  const { leases, close } = createLeases({ commands, keys })
  t.teardown(() => {
    close()
    commands.close()
  })
  await until(() => commands.isAvailable)
  const name = keys.lease(commands.epoch as string, 'uri', 'key', 'one')
  return { ...leases, commands, close, name }
}

async function twoProcesses(t: Test) {
  const server = await startRedis(t)
  return { server, client: await server.client(t), a: await processOf(t, server), b: await processOf(t, server) }
}

/** Takes the lease, which must be free. */
async function taken(leases: CacheLeases, leaseMs: number, maxMs = 60_000): Promise<CacheLease> {
  const given = await leases.take(lease, leaseMs, maxMs)
  if (typeof given !== 'object') throw new TypeError(`the lease is ${given}`)
  return given
}

test('one process holds a lease, until it releases it', { skip }, async t => {
  const { a, b } = await twoProcesses(t)
  t.equal(await a.stateOf(lease), 'free')
  const held = await taken(a, 10_000)
  t.equal(await b.take(lease, 10_000, 60_000), 'taken')
  t.equal(await a.take(lease, 10_000, 60_000), 'taken')
  t.equal(await b.stateOf(lease), 'taken')
  t.equal(await b.stateOf({ ...lease, generation: 'two' }), 'free', 'the lease of another generation')
  held.release(0)
  await until(async () => (await b.stateOf(lease)) === 'free')
  t.ok(await taken(b, 10_000))
})

test('a lease that is released as unshared is not taken for a time', { skip }, async t => {
  const { a, b } = await twoProcesses(t)
  const held = await taken(a, 10_000)
  held.release(500)
  await until(async () => (await b.stateOf(lease)) === 'unshared')
  held.release(0)
  t.equal(await b.take(lease, 10_000, 60_000), 'unshared')
  await until(async () => (await b.stateOf(lease)) === 'free')
  t.ok(await taken(b, 10_000))
})

test('a lease says that its entry does not exist, while its generation is the present one', { skip }, async t => {
  const { a, b, client } = await twoProcesses(t)
  const epoch = a.commands.epoch as string
  const isEmpty = async () => {
    const held = await taken(a, 10_000)
    held.release(0)
    await until(async () => (await b.stateOf(lease)) === 'free')
    return held.isEmpty
  }
  t.equal(await isEmpty(), false, 'the URI has no generation')
  await client.set(keys.generation(epoch, 'uri'), 'one')
  t.equal(await isEmpty(), true)
  await client.set(keys.entry(epoch, 'uri', 'key'), 'text')
  t.equal(await isEmpty(), false)
})

test('the lease of a holder that has died ends after its time', { skip }, async t => {
  const { a, b, client } = await twoProcesses(t)
  await taken(a, 400)
  a.close()
  const left = await client.pttl(a.name)
  t.ok(left !== -1 && left <= 400, `it has ${left} ms`)
  await until(async () => typeof (await b.take(lease, 400, 60_000)) === 'object')
})

test('a lease is renewed while its call runs', { skip }, async t => {
  const { a, client } = await twoProcesses(t)
  await taken(a, 3000)
  await client.pexpire(a.name, 2500)
  await until(async () => (await client.pttl(a.name)) > 2500)
})

test('the renewal of a lease does not go beyond the time of the call', { skip }, async t => {
  const { a, client } = await twoProcesses(t)
  const startedAt = performance.now()
  await taken(a, 4000, 2000)
  let ends = 0
  await until(async () => {
    const now = performance.now() - startedAt
    const left = await client.pttl(a.name)
    ends = Math.max(ends, now + left)
    return left < 0
  })
  t.ok(ends < 3000, `after 1200 ms it is renewed for 800 ms and not for 4000, and ends at ${ends} ms`)
  t.equal(await a.stateOf(lease), 'free')
})

test('a holder whose lease has passed on does not renew or release it', { skip }, async t => {
  const { a, b, client } = await twoProcesses(t)
  const held = await taken(a, 400)
  await client.set(a.name, 'another holder')
  await elapsed(300)
  t.equal(await client.pttl(a.name), -1)
  held.release(0)
  t.equal(await a.stateOf(lease), 'taken')
  t.equal(await b.take(lease, 400, 60_000), 'taken')
})

test('a holder in the same process does not release the lease of the next one', { skip }, async t => {
  const { a, b, client } = await twoProcesses(t)
  const first = await taken(a, 10_000)
  await client.del(a.name)
  const second = await taken(a, 10_000)
  first.release(0)
  t.equal(await a.stateOf(lease), 'taken')
  second.release(0)
  await until(async () => (await b.stateOf(lease)) === 'free')
})

test('a lease that the server gives too late is released', { skip }, async t => {
  const { server, b, client } = await twoProcesses(t)
  const late = await processOf(t, server, 50)
  await client.call('CLIENT', 'PAUSE', '300', 'WRITE')
  t.equal(await late.take(lease, 60_000, 60_000), undefined)
  await until(async () => typeof (await b.take(lease, 400, 60_000)) === 'object')
})

test('a release that the server executes late frees the lease', { skip }, async t => {
  const { server, b, client } = await twoProcesses(t)
  const late = await processOf(t, server, 200)
  const held = await taken(late, 60_000)
  await client.call('CLIENT', 'PAUSE', '500', 'WRITE')
  held.release(0)
  await until(async () => (await b.stateOf(lease)) === 'free')
})

test('no lease is taken, and none is waited for, while the server is away', { skip }, async t => {
  const { server, a } = await twoProcesses(t)
  const held = await taken(a, 400)
  await server.stop()
  await until(() => !a.commands.isAvailable)
  const sent = { ...a.commands.counts }
  t.equal(await a.take(lease, 400, 60_000), undefined)
  t.equal(await a.stateOf(lease), undefined)
  held.release(0)
  t.match(a.commands.counts, { ok: sent.ok, late: sent.late })
})

test('a full server is a server without leases', { skip }, async t => {
  const { a, client } = await twoProcesses(t)
  const held = await taken(a, 10_000)
  await client.config('SET', 'maxmemory', '1')
  held.release(10_000)
  await until(async () => (await a.stateOf(lease)) === 'unshared')
  t.equal(await a.take({ ...lease, generation: 'two' }, 400, 60_000), undefined)
  t.equal(a.commands.isAvailable, true)
})
