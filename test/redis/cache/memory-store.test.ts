import { test, type Test } from 'tap'
import { failure } from '../../helpers/failure.ts'
import { redisMissing, startRedis, type RedisServer } from '../../helpers/redis.ts'
import { nameOf, openStore, type OpenStore } from '../../helpers/redis-store.ts'
import { until } from '../../helpers/until.ts'

const skip = redisMissing
const memory = { maxBytes: 2 ** 20, ttl: 60_000 }

/** Opens a store whose memory level is in use. With the patience of 60 s its entries are used for 30 s after a reply. */
async function openWithMemory(t: Test, server: RedisServer, patienceMs = 60_000): Promise<OpenStore> {
  const store = await openStore(t, server, { memory, patienceMs })
  await until(async () => {
    await store.write('first', '1')
    await store.read('first')
    return store.gauge().entries > 0
  })
  return store
}

/** Returns the number of lookups that one call of `work` has answered from memory. */
async function hitsOf(store: OpenStore, work: () => Promise<unknown>): Promise<number> {
  const before = store.gauge().memoryHits
  await work()
  return store.gauge().memoryHits - before
}

test('an entry that was read is answered from memory without a command', { skip }, async t => {
  const server = await startRedis(t)
  const store = await openWithMemory(t, server)
  await store.write('a', '1')
  t.equal(await hitsOf(store, () => store.read('a')), 0, 'a stored entry is not in memory')
  const sent = store.commands.counts.ok
  const { entry } = await store.read('a')
  t.equal((await store.read('a')).entry, entry)
  t.notOk(store.store.get(nameOf('a'), nameOf('a')) instanceof Promise)
  t.equal(store.commands.counts.ok, sent)
  await store.store.delete(nameOf('a'), nameOf('a'))
  t.equal((await store.read('a')).entry, undefined)
})

test('an invalidation through another store removes an entry from memory', { skip }, async t => {
  const server = await startRedis(t)
  const [one, other] = [await openWithMemory(t, server), await openWithMemory(t, server)]
  await one.write('a', '"old"')
  for (const { read } of [one, other]) await read('a')
  t.equal(await hitsOf(other, () => other.read('a')), 1)
  await one.store.invalidate(nameOf('a'))
  await until(async () => (await hitsOf(other, () => other.read('a'))) === 0)
  const { entry, generation } = await other.read('a')
  t.not(entry?.generation, generation)
  t.equal(await hitsOf(one, () => one.read('a')), 0)
})

test('the memory level is not used without its subscription', { skip }, async t => {
  const server = await startRedis(t)
  const client = await server.client(t)
  const store = await openWithMemory(t, server)
  await store.read('first')
  t.ok((await hitsOf(store, () => store.read('first'))) > 0)
  await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until(() => store.gauge().entries === 0)
  t.ok(store.commands.isAvailable, 'the connection of commands stays')
  await until(async () => (await hitsOf(store, () => store.read('first'))) === 1)
  t.equal((await store.read('first')).entry?.body, '1', 'and it is used again after the next subscription')
})

test('the memory level is not used after a stopped server may have lost a message', { skip }, async t => {
  const server = await startRedis(t)
  const [one, other] = [await openStore(t, server, { patienceMs: 200 }), await openWithMemory(t, server, 200)]
  await other.write('a', '"old"')
  await until(async () => (await hitsOf(other, () => other.read('a'))) === 1)
  await server.stop('SIGSTOP')
  t.match(await failure(one.store.invalidate(nameOf('a')) as Promise<unknown>), { name: /^Store/ })
  const found = other.store.get(nameOf('a'), nameOf('a'))
  t.ok(found instanceof Promise || (found as { readonly generation: unknown }).generation === null)
  if (found instanceof Promise) t.match(await failure(found), { name: 'StoreLate' })
})

test('the memory level is empty after an outage', { skip }, async t => {
  const server = await startRedis(t)
  const store = await openWithMemory(t, server)
  await store.read('first')
  await server.stop()
  await until(() => !store.commands.isReachable)
  t.same({ ...store.gauge(), memoryHits: 0 }, { memoryHits: 0, entries: 0, bytes: 0 })
})
