import { once } from 'node:events'
import { Redis as Valkey } from 'iovalkey'
import { createClient } from 'redis'
import { test, type Test } from 'tap'
import type { RedisClient } from '../../../src/redis/commands/redis-client.ts'
import { machineClock } from '../../../src/upstream/policies/cache/entry.ts'
import { failure } from '../../helpers/failure.ts'
import { redisMissing, startRedis, type RedisServer } from '../../helpers/redis.ts'
import { entryFor, keysIn, nameOf, openStore } from '../../helpers/redis-store.ts'
import { elapsed, until } from '../../helpers/until.ts'

const skip = redisMissing

/** A client of each package that is ready. */
async function clientsOf(t: Test, server: RedisServer): Promise<Readonly<Record<string, RedisClient>>> {
  const valkey = new Valkey({ path: server.socket })
  t.teardown(() => valkey.disconnect())
  await once(valkey, 'ready')
  const redis = createClient({ socket: { path: server.socket, tls: false } })
  t.teardown(() => redis.destroy())
  await redis.connect()
  return { ioredis: await server.client(t), iovalkey: valkey, redis }
}

test('an entry stored by one client is read through each of the three clients', { skip }, async t => {
  const server = await startRedis(t)
  const clients = await clientsOf(t, server)
  for (const [writer, client] of Object.entries(clients)) {
    const one = await openStore(t, server, { client })
    const body = JSON.stringify({ writer, text: 'é\u2028😀' })
    await one.write(writer, body)
    for (const [reader, other] of Object.entries(clients)) {
      const { read } = await openStore(t, server, { client: other })
      const { entry, generation } = await read(writer)
      t.equal(entry?.body, body, `${writer} to ${reader}`)
      t.equal(entry?.generation, generation)
      t.equal(entry?.key, nameOf(writer))
    }
  }
})

test('an invalidation through one store ends the entries of the others', { skip }, async t => {
  const server = await startRedis(t)
  const [one, other] = [await openStore(t, server), await openStore(t, server)]
  await one.write('a', '1', { uri: 'cats' })
  await one.write('b', '2', { uri: 'cats' })
  await one.write('c', '3', { uri: 'dogs' })
  const { generation: before } = await other.read('a', 'cats')
  await one.store.invalidate(nameOf('cats'))
  for (const { read } of [one, other])
    for (const key of ['a', 'b']) {
      const { entry, generation } = await read(key, 'cats')
      t.equal(entry?.generation, before)
      t.not(generation, before)
    }
  const { entry, generation } = await other.read('c', 'dogs')
  t.equal(entry?.generation, generation, 'the entries of other URIs stay valid')
})

test('an answer requested before an invalidation is not stored after it', { skip }, async t => {
  const server = await startRedis(t)
  const client = await server.client(t)
  const { store, keys, commands, read } = await openStore(t, server)
  const { generation = '' } = await read('a')
  const late = entryFor('a', String(generation), '"old"')
  await store.invalidate(nameOf('a'))
  await store.set(nameOf('a'), nameOf('a'), late, 60_000)
  t.equal((await read('a')).entry, undefined)

  await client.del(keys.generation(String(commands.epoch), nameOf('a')))
  await store.set(nameOf('a'), nameOf('a'), late, 60_000)
  t.same(await keysIn(client), [], 'not even if the server has lost the generation')
})

test('a lookup creates the generation of its URI once for all replicas', { skip }, async t => {
  const server = await startRedis(t)
  const stores = [await openStore(t, server), await openStore(t, server)]
  const found = await Promise.all(stores.flatMap(({ read }) => [read('a', 'cats'), read('b', 'cats')]))
  t.equal(new Set(found.map(({ generation }) => generation)).size, 1)
  const client = await server.client(t)
  const [key = ''] = await keysIn(client)
  const left = await client.pttl(key)
  t.ok(left > 100_000 && left <= 120_000, `${left}`)
  await stores[0]?.write('a', '1', { uri: 'cats' })
  t.ok((await client.pttl(key)) > 3_600_000, 'and it outlives the entries')
})

test('an entry is removed by the server after its time, which has a limit', { skip }, async t => {
  const server = await startRedis(t)
  const { store, keys, commands, read, write } = await openStore(t, server)
  const { generation } = await read('a')
  const client = await server.client(t)
  const week = 7 * 24 * 3_600_000
  for (const [given, least, most] of [
    [90_000.4, 80_000, 90_001],
    [90 * week, week - 60_000, week],
  ] as const) {
    await store.set(nameOf('a'), nameOf('a'), entryFor('a', String(generation), '1'), given)
    const left = await client.pttl(keys.entry(String(commands.epoch), nameOf('a'), nameOf('a')))
    t.ok(left > least && left <= most, `${left}`)
  }
  await write('b', '1')
  await store.delete(nameOf('b'), nameOf('b'))
  t.equal((await read('b')).entry, undefined)
  t.equal(await store.set(nameOf('c'), nameOf('c'), entryFor('c', 'any', '1'), 0), false)
})

test('the age of an entry does not depend on the error of a clock when its process started', { skip }, async t => {
  const server = await startRedis(t)
  const slow = { wall: () => Date.now(), steady: () => machineClock.steady() - 600_000 }
  const [one, other] = [await openStore(t, server, { clock: slow }), await openStore(t, server)]
  const receivedAt = slow.steady()
  await one.write('a', '1', { rest: { requestedAt: receivedAt - 50, receivedAt } })
  for (const [clock, { read }] of [
    [slow, one],
    [machineClock, other],
  ] as const) {
    const { entry } = await read('a')
    const age = clock.steady() - (entry?.receivedAt ?? NaN)
    t.ok(age > -1000 && age < 30_000, `${age}`)
    t.ok(Math.abs((entry?.receivedAt ?? NaN) - (entry?.requestedAt ?? NaN) - 50) < 0.01)
  }
})

test('an entry of a replica whose wall clock is more than 1 s ahead is a miss for the others', { skip }, async t => {
  const server = await startRedis(t)
  const fast = { wall: () => Date.now() + 600_000, steady: () => machineClock.steady() }
  const [one, other] = [await openStore(t, server, { clock: fast }), await openStore(t, server)]
  await one.write('a', '"ahead"')
  t.equal((await one.read('a')).entry?.body, '"ahead"')
  const { entry, generation } = await other.read('a')
  t.equal(entry, undefined)
  t.equal(typeof generation, 'string')
  await other.write('a', '"present"')
  t.equal((await other.read('a')).entry?.body, '"present"')
})

test('an entry above maxEntryBytes is not stored, and the one before it is removed', { skip }, async t => {
  const server = await startRedis(t)
  const { read, write } = await openStore(t, server, { maxEntryBytes: 1000 })
  for (const large of [`"${'x'.repeat(999)}"`, `"${'é'.repeat(500)}"`]) {
    await write('a', '"small"')
    t.equal((await read('a')).entry?.body, '"small"')
    await write('a', large)
    t.equal((await read('a')).entry, undefined)
  }
  await write('a', `"${'é'.repeat(498)}"`)
  t.equal((await read('a')).entry?.body?.length, 500)
})

test('a large body is not stored while 64 others are being written', { skip }, async t => {
  const server = await startRedis(t)
  const { store, read } = await openStore(t, server, { compressAbove: 10 })
  const { generation } = await read('0', 'cats')
  const body = JSON.stringify('x'.repeat(70_000))
  const sets = Array.from({ length: 66 }, (_, index) =>
    store.set(nameOf(`${index}`), nameOf('cats'), entryFor(`${index}`, String(generation), body), 60_000),
  )
  const stored = await Promise.all(sets)
  t.equal(stored.filter(isStored => isStored === false).length, 2)
  t.equal((await read('63', 'cats')).entry?.body, body)
  t.equal(await store.set(nameOf('a'), nameOf('cats'), entryFor('a', String(generation), body), 60_000), true)
})

test('a store that is unreachable for one process still receives its invalidations', { skip }, async t => {
  const server = await startRedis(t)
  const [one, other] = [await openStore(t, server), await openStore(t, server)]
  await one.write('a', '"old"')
  // It probes no more, and its connection stays.
  one.commands.close()
  t.match(await failure(one.store.invalidate(nameOf('a')) as Promise<unknown>), { name: 'StoreUnavailable' })
  await until(async () => {
    const { entry, generation } = await other.read('a')
    return entry?.generation !== generation
  })
  t.notOk(one.commands.isReachable)
})

test('a lookup replaces a generation that is damaged, of another URI or of another type', { skip }, async t => {
  const server = await startRedis(t)
  const { read, write, keys, commands } = await openStore(t, server)
  const client = await server.client(t)
  await write('b', '2')
  const { generation: ofOther } = await read('b')
  const key = keys.generation(String(commands.epoch), nameOf('a'))
  for (const damage of [
    () => client.set(key, 'damaged', 'PX', 60_000),
    () => client.set(key, String(ofOther)),
    () => client.del(key).then(() => client.hset(key, 'field', 'value')),
  ]) {
    await write('a', '1')
    const { generation: before } = await read('a')
    await damage()
    const { entry, generation } = await read('a')
    t.not(generation, before)
    t.not(generation, ofOther)
    t.not(entry?.generation, generation, 'the entry from before is not valid')
    await write('a', '3')
    const stored = await read('a')
    t.equal(stored.entry?.body, '3')
    t.equal(stored.entry?.generation, stored.generation)
  }
  t.same({ ...commands.counts, ok: 0 }, { ok: 0, failed: 0, late: 0, skipped: 0 })
  t.equal((await read('b')).entry?.body, '2')
})

test('a lookup removes an entry of another type', { skip }, async t => {
  const server = await startRedis(t)
  const { read, write, keys, commands } = await openStore(t, server)
  const client = await server.client(t)
  const key = keys.entry(String(commands.epoch), nameOf('a'), nameOf('a'))
  await client.hset(key, 'field', 'value')
  t.equal((await read('a')).entry, undefined)
  t.equal(await client.exists(key), 0)
  await write('a', '1')
  t.equal((await read('a')).entry?.body, '1')
})

test('no entry is looked up while the server owes the reply to a late command', { skip }, async t => {
  const server = await startRedis(t)
  const { store, read, write, commands } = await openStore(t, server, { patienceMs: 100 })
  await until(async () => {
    await write('a', '1').catch(() => {})
    return (await read('a').catch(() => undefined))?.entry !== undefined
  })
  await server.stop('SIGSTOP')
  t.match(await failure(read('a')), { name: 'StoreLate' })
  t.same(store.get(nameOf('a'), nameOf('a')), { generation: null })
  await server.stop('SIGCONT')
  await until(() => !commands.hasOverdue)
  await until(async () => (await read('a').catch(() => undefined))?.entry?.body === '1')
})

test('calls that share a lookup receive the same frozen entry', { skip }, async t => {
  const { read, write } = await openStore(t, await startRedis(t))
  await write('a', '1')
  const found = await Promise.all(Array.from({ length: 3 }, () => read('a')))
  t.equal(found[1]?.entry, found[2]?.entry)
  t.ok(found.every(({ entry }) => entry?.body === '1' && Object.isFrozen(entry)))
})

test('an entry whose store becomes unavailable while it is compressed is not stored', { skip }, async t => {
  const { store, commands, read } = await openStore(t, await startRedis(t), { compressAbove: 10 })
  const { generation } = await read('a')
  const stored = store.set(nameOf('a'), nameOf('a'), entryFor('a', String(generation), `"${'x'.repeat(100)}"`), 60_000)
  commands.suspend('a test')
  t.equal(await stored, false)
})

test('an unavailable server is a miss that is not sent, and an invalidation is refused at once', { skip }, async t => {
  const server = await startRedis(t)
  const { store, read, write, commands } = await openStore(t, server)
  await write('a', '1')
  await server.stop()
  await until(() => !commands.isReachable)
  const { failed, late } = commands.counts
  t.same(store.get(nameOf('a'), nameOf('a')), { generation: null })
  t.equal(await store.set(nameOf('a'), nameOf('a'), entryFor('a', 'any', '1'), 60_000), false)
  await store.delete(nameOf('a'), nameOf('a'))
  t.match(await failure(store.invalidate(nameOf('a')) as Promise<unknown>), { name: 'StoreUnavailable' })
  t.same({ failed: commands.counts.failed, late: commands.counts.late }, { failed, late })
  await server.restart()
  await until(() => commands.isAvailable)
  t.equal((await read('a')).entry, undefined, 'the new server has no entry')
})

test(
  'after a failed invalidation no entry from before is used by a store once the server is back',
  { skip },
  async t => {
    const server = await startRedis(t)
    const [one, other] = [await openStore(t, server, { patienceMs: 50 }), await openStore(t, server)]
    for (const key of ['a', 'b']) await one.write(key, '"old"')
    await server.stop('SIGSTOP')
    t.match(await failure(one.store.invalidate(nameOf('a')) as Promise<unknown>), { name: 'StoreLate' })
    t.same(one.store.get(nameOf('a'), nameOf('a')), { generation: null }, 'this process uses none from now on')
    await until(() => !one.commands.isReachable)
    await t.rejects(one.store.invalidate(nameOf('b')) as Promise<unknown>)
    await server.stop('SIGCONT')
    await until(() => one.commands.isAvailable && other.commands.isAvailable)
    for (const { read } of [one, other])
      for (const key of ['a', 'b']) {
        const { entry, generation } = await read(key)
        t.not(entry?.generation, generation)
      }
  },
)

test('an invalidation reaches processes that have not found out about a new epoch', { skip }, async t => {
  const server = await startRedis(t, { config: ['enable-debug-command yes'] })
  const client = await server.client(t)
  const { store, write, keys, commands } = await openStore(t, server)
  await write('a', '"old"')
  const before = String(commands.epoch)
  const generation = () => client.get(keys.generation(before, nameOf('a')))
  const old = await generation()
  await client.call('DEBUG', 'CHANGE-REPL-ID')
  await until(() => commands.isAvailable && commands.epoch !== before)
  await store.invalidate(nameOf('a'))
  t.not(await generation(), old)
})

test('a full server still accepts an invalidation, and refuses entries without further commands', { skip }, async t => {
  const server = await startRedis(t)
  const client = await server.client(t)
  const { store, read, write, commands } = await openStore(t, server)
  await write('a', '1')
  const { generation } = await read('a')
  await client.config('SET', 'maxmemory', '1')
  await client.config('SET', 'maxmemory-policy', 'noeviction')
  t.match(await failure(write('a', '2')), /OOM/)
  t.equal((await read('a')).entry?.body, '1', 'entries are still read')
  const sent = commands.counts.failed
  t.equal(await store.set(nameOf('a'), nameOf('a'), entryFor('a', String(generation), '2'), 60_000), false)
  t.same(await read('new'), { generation: null })
  t.equal(commands.counts.failed, sent)
  await store.invalidate(nameOf('a'))
  t.not((await read('a')).generation, generation)
  t.ok(commands.isAvailable)
})

test('a restart from a snapshot brings no entry back', { skip }, async t => {
  const server = await startRedis(t)
  const client = await server.client(t)
  const { store, read, write, commands } = await openStore(t, server)
  await write('a', '"old"')
  await client.save()
  const snapshot = (await keysIn(client)).sort()
  await store.invalidate(nameOf('a'))
  await server.stop('SIGKILL')
  await until(() => !commands.isReachable)
  await server.restart()
  await until(() => commands.isAvailable && client.status === 'ready')
  t.same((await keysIn(client)).sort(), snapshot, 'the server has the entry and the generation from before')
  t.equal((await read('a')).entry, undefined)
})

test('a cache that closes waits for the server to receive its invalidations', { skip }, async t => {
  const server = await startRedis(t)
  const [one, other] = [await openStore(t, server, { patienceMs: 50 }), await openStore(t, server)]
  await other.write('a', '"old"')
  await server.stop('SIGSTOP')
  await failure(one.store.invalidate(nameOf('a')) as Promise<unknown>)
  let isClosed = false
  const closed = one.close().then(() => void (isClosed = true))
  await elapsed(200)
  t.equal(isClosed, false)
  await server.stop('SIGCONT')
  await closed
  t.ok(one.commands.isReachable, 'it has written them')
  await until(() => other.commands.isAvailable)
  const { entry, generation } = await other.read('a')
  t.not(entry?.generation, generation)
})

test('a cache that closes ends its subscription', { skip }, async t => {
  const server = await startRedis(t)
  const client = await server.client(t)
  const store = await openStore(t, server, { memory: { maxBytes: 1000, ttl: 100 } })
  const subscribers = async () => ((await client.call('PUBSUB', 'NUMSUB', 'test:1:i')) as [string, number])[1]
  await until(async () => (await subscribers()) === 1)
  await store.close()
  await until(async () => (await subscribers()) === 0)
  t.equal(await subscribers(), 0)
})
