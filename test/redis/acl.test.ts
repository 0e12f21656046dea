import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { test, type Test } from 'tap'
import { redisState } from '../../src/redis/redis-state.ts'
import { SharedRetryBudget } from '../../src/upstream/policies/retry/shared-retry-budget.ts'
import type { CacheLeases } from '../../src/upstream/policies/cache/store.ts'
import type { SharedState } from '../../src/upstream/shared-state.ts'
import { entryFor, nameOf } from '../helpers/redis-store.ts'
import { redisMissing, startRedis, type RedisServer } from '../helpers/redis.ts'
import { until } from '../helpers/until.ts'

const skip = redisMissing
const key = nameOf('key')
const uri = nameOf('uri')

/** The line of docs/replicas.md that creates the user. */
function userLine(): string {
  const page = readFileSync(new URL('../../docs/replicas.md', import.meta.url), 'utf8')
  const [, lines = ''] = /^```text\n(user headwaters [^`]+)```$/m.exec(page) ?? []
  return lines.replaceAll(/\s+/g, ' ').trim()
}

/** Opens the state of a replica with the user of the line. */
async function openState(t: Test, { socket }: RedisServer) {
  const client = new Redis({ path: socket, username: 'headwaters', password: 'PASSWORD' })
  t.teardown(() => client.disconnect())
  await once(client, 'ready')
  const state = redisState({ client, patience: 2000 })
  t.teardown(() => state.close())
  return { client, state }
}

async function useCache(t: Test, a: SharedState, b: SharedState) {
  const { generation } = (await a.cacheStore.get(key, uri)) ?? {}
  await a.cacheStore.set(key, uri, entryFor('key', generation as string, 'body'), 60_000)
  await until(async () => {
    t.match(await b.cacheStore.get(key, uri), { entry: { body: 'body' } })
    return b.gauge().memoryHits > 0
  })
  await a.cacheStore.invalidate(uri)
  await until(async () => (await b.cacheStore.get(key, uri))?.generation !== generation)
  await a.cacheStore.delete(key, uri)
}

async function useLeases(t: Test, admin: Redis, a: SharedState, b: SharedState) {
  const [ours, theirs] = [a.cacheStore.leases, b.cacheStore.leases] as [CacheLeases, CacheLeases]
  const name = { key, uri, generation: 'any' }
  const lease = await ours.take(name, 3000, 60_000)
  const [stored = ''] = await admin.keys('*:l:*')
  // A renewal sets the time that the lease has in the server.
  await admin.pexpire(stored, 60_000)
  await until(async () => (await admin.pttl(stored)) <= 3000)
  t.equal(await theirs.stateOf(name), 'taken', 'the lease was renewed')
  if (typeof lease === 'object') await lease.release(0)
  await until(async () => (await theirs.stateOf(name)) === 'free')
}

test('the user of docs/replicas.md has the permissions for all of the shared state', { skip }, async t => {
  const line = userLine()
  t.match(line, /^user headwaters on >PASSWORD .* -@all /)
  const server = await startRedis(t, { config: [line] })
  const admin = await server.client(t)
  const { state: a, client } = await openState(t, server)
  const { state: b } = await openState(t, server)

  await until(() => [a, b].every(({ replicas, gauge }) => replicas.processes === 2 && gauge().isAvailable))
  await useCache(t, a, b)
  await useLeases(t, admin, a, b)
  t.match(await a.rateLimit(10)('caller'), { current: 1 })
  const budget = new SharedRetryBudget({ ratio: 0, minPerSecond: 1 })
  a.shareBudget('prices', budget)
  await until(() => budget.balance === 5)
  await b.close()
  await until(() => a.replicas.processes === 1)

  t.equal(a.gauge().commands.failed + b.gauge().commands.failed, 0)
  t.same(await admin.call('ACL', 'LOG'), [], 'no command was refused')
  await t.rejects(client.call('KEYS', '*'), { message: /^NOPERM/ }, 'other commands are refused')
  await t.rejects(client.call('GET', 'other'), { message: /^NOPERM/ }, 'other keys are refused')
})
