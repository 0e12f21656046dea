import { once } from 'node:events'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { test, type Test } from 'tap'
import type { RedisClient } from '../../../src/redis/commands/redis-client.ts'
import { declareCats, openReplica, versionedCats } from '../../helpers/cache-replicas.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { startCluster } from '../../helpers/redis-cluster.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { keysIn } from '../../helpers/redis-store.ts'
import { until } from '../../helpers/until.ts'

const skip = redisMissing

/** The server and two replicas, of which the first has stored the answer of one call. */
async function replicas(t: Test) {
  const server = await startRedis(t)
  const upstream = await versionedCats(t)
  const [one, other] = [await openReplica(t, server), await openReplica(t, server)]
  const tom = upstream.cat({ id: 'tom' })
  await one.ask(tom)
  await until(async () => (await other.cacheOf(tom)) === 'hit')
  return { server, ...upstream, one, other, tom, client: await server.client(t) }
}

/** The key of the only entry of a server. */
const entryIn = async (client: Parameters<typeof keysIn>[0]) =>
  (await keysIn(client)).find(key => key.includes(':e:')) as string

test('a PUT through one replica ends the entry that the others use', { skip }, async t => {
  const { one, other, tom, put } = await replicas(t)
  for (let version = 1; version <= 5; version++) {
    const [writer, reader] = version % 2 === 0 ? [one, other] : [other, one]
    await writer.ask(put({ id: 'tom' }))
    for (const { ask } of [reader, writer]) t.match((await ask(tom)).value, { version })
  }
  t.same([...one.faults, ...other.faults], [])
})

for (const [place, memory] of [
  ['of the server', false],
  ['in memory', { maxBytes: 2 ** 20, ttl: 60_000 }],
] as const)
  test(`no replica uses an entry ${place} after a PUT that ends while the server pauses writes`, { skip }, async t => {
    const server = await startRedis(t)
    const { cat, put } = await versionedCats(t)
    const open = () => openReplica(t, server, { memory, patienceMs: 400 })
    const [writer, reader] = [await open(), await open()]
    const tom = cat({ id: 'tom' })
    await until(async () => (await reader.cacheOf(tom)) === 'hit')
    if (memory) await until(async () => (await reader.ask(tom)) !== undefined && reader.gauge().memoryHits > 0)
    const operator = await server.client(t)
    await operator.call('CLIENT', 'PAUSE', '60000', 'WRITE')
    t.match((await writer.ask(put({ id: 'tom' }))).value, { version: 1 })
    t.match(await reader.ask(tom), { value: { version: 1 }, cached: { cache: 'miss' } })
  })

test('no replica uses an entry after a PUT while the server refuses writes and answers reads', { skip }, async t => {
  const { client, one, other, tom, put } = await replicas(t)
  await client.config('SET', 'min-replicas-to-write', '1')
  await one.ask(put({ id: 'tom' }))
  t.match(await other.ask(tom), { value: { version: 1 }, cached: { cache: 'miss' } })
})

test(
  'a GET after a PUT through another replica does not join a GET of its own replica from before',
  { skip },
  async t => {
    const server = await startRedis(t)
    const held = Promise.withResolvers<void>()
    let version = 0
    const { origin, asked } = await rawUpstream(t, (socket, { method, index }) => {
      if (method === 'PUT') version++
      const answer = json({ version }, 200, { 'cache-control': 'max-age=3600' })
      if (index > 0) socket.write(answer)
      else void held.promise.then(() => socket.write(answer))
    })
    const { cat, put } = declareCats(origin)
    const [one, other] = [await openReplica(t, server), await openReplica(t, server)]
    const tom = cat({ id: 'tom' })
    const before = one.ask(tom)
    await asked(1)
    await other.ask(put({ id: 'tom' }))
    t.match((await one.ask(tom)).value, { version: 1 })
    held.resolve()
    t.match((await before).value, { version: 0 })
    t.match((await one.ask(tom)).value, { version: 1 })
  },
)

test('an entry under another key is a miss and is removed', { skip }, async t => {
  const { other, tom, cat, client } = await replicas(t)
  const tomKey = await entryIn(client)
  const jerry = cat({ id: 'jerry' })
  await other.ask(jerry)
  await until(async () => (await other.cacheOf(jerry)) === 'hit')
  const jerryKey = (await keysIn(client)).find(key => key.includes(':e:') && key !== tomKey) as string
  await client.set(tomKey, String(await client.get(jerryKey)))
  const { value, cached } = await other.ask(tom)
  t.match(value, { path: '/cats/tom' })
  t.equal(cached?.cache, 'miss')
  t.match(other.faults, [{ upstream: 'cats', function: 'get', cause: /not an entry of this key/ }])
  await until(async () => (await other.cacheOf(tom)) === 'hit')
  t.match(String(await client.get(tomKey)), 'tom')
})

test('a damaged text is a miss and is removed', { skip }, async t => {
  const { other, tom, client } = await replicas(t)
  for (const damaged of ['', 'text', '{"z":"AAAA"}', '{"key":1}', '[]']) {
    await client.set(await entryIn(client), damaged)
    const before = other.faults.length
    t.equal(await other.cacheOf(tom), 'miss', damaged)
    t.equal(other.faults.length, before + 1)
    await until(async () => (await other.cacheOf(tom)) === 'hit')
  }
})

test('a server that is killed and restarted costs no caller an error', { skip }, async t => {
  const { server, one, other, tom, put } = await replicas(t)
  await server.stop('SIGKILL')
  await one.ask(put({ id: 'tom' }))
  for (const { ask } of [one, other]) t.match(await ask(tom), { value: { version: 1 }, cached: { cache: 'miss' } })
  await server.restart()
  await until(async () => (await one.cacheOf(tom)) === 'hit' && (await other.cacheOf(tom)) === 'hit')
  t.match((await other.ask(tom)).value, { version: 1 })
})

async function clusterClient(t: Test, name: string, port: number): Promise<RedisClient> {
  if (name === 'ioredis') {
    const cluster = new Cluster([{ host: '127.0.0.1', port }])
    t.teardown(() => cluster.disconnect())
    if (cluster.status !== 'ready') await once(cluster, 'ready')
    return cluster
  }
  const cluster = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] })
  cluster.on('error', () => {})
  t.teardown(() => cluster.destroy())
  await cluster.connect()
  return cluster
}

for (const name of ['ioredis', 'redis'])
  test(`a cluster of one node shares its cache through the client of ${name}`, { skip }, async t => {
    const server = await startCluster(t)
    const { cat, put } = await versionedCats(t)
    const memory = { maxBytes: 2 ** 20, ttl: 60_000 }
    const open = async () =>
      openReplica(t, server, { client: await clusterClient(t, name, server.port), memory, patienceMs: 60_000 })
    const [one, other] = [await open(), await open()]
    const tom = cat({ id: 'tom' })
    await until(async () => (await one.cacheOf(tom)) === 'hit' && (await other.cacheOf(tom)) === 'hit')
    await until(async () => (await other.ask(tom)) !== undefined && other.gauge().memoryHits > 0)
    await one.ask(put({ id: 'tom' }))
    t.match((await one.ask(tom)).value, { version: 1 })
    await until(async () => ((await other.ask(tom)).value as { version: number }).version === 1)
    t.same([...one.faults, ...other.faults], [])
  })
