import { Redis } from 'ioredis'
import { Redis as Valkey } from 'iovalkey'
import { createClient } from 'redis'
import { test, type Test } from 'tap'
import type { AvailabilityChange } from '../../../src/redis/commands/availability.ts'
import { connectionOf } from '../../../src/redis/commands/client.ts'
import { Commands } from '../../../src/redis/commands/commands.ts'
import { keysOf } from '../../../src/redis/commands/keys.ts'
import type { RedisClient } from '../../../src/redis/commands/redis-client.ts'
import { scriptOf } from '../../../src/redis/commands/script.ts'
import { redisMissing, startRedis, type RedisServer } from '../../helpers/redis.ts'
import { until } from '../../helpers/until.ts'

const skip = redisMissing

/** Makes a client of each package with a database. It ends with the test. */
const clients: Readonly<Record<string, (t: Test, server: RedisServer, db: number) => RedisClient>> = {
  ioredis(t, { socket }, db) {
    const client = new Redis({ path: socket, db, username: 'shared', password: 'p', retryStrategy: () => 50 })
    t.teardown(() => client.disconnect())
    return client.on('error', () => {})
  },
  iovalkey(t, { socket }, db) {
    const client = new Valkey({ path: socket, db, username: 'shared', password: 'p', retryStrategy: () => 50 })
    t.teardown(() => client.disconnect())
    return client.on('error', () => {})
  },
  redis(t, { socket: path }, database) {
    const socket = { path, reconnectStrategy: () => 50 }
    const client = createClient({ socket, database, username: 'shared', password: 'p' })
    client.on('error', () => {})
    client.connect().catch(() => {})
    t.teardown(() => client.destroy())
    return client
  },
}

for (const [name, make] of Object.entries(clients)) {
  test(`a client of ${name} uses its database and no other one`, { skip }, async t => {
    const server = await startRedis(t, { config: ['databases 4', 'user shared on >p ~* &* +@all'] })
    const operator = await server.client(t)
    const changesOf = (db: number) => {
      const changes: AvailabilityChange[] = []
      const commands = new Commands({
        connection: connectionOf(make(t, server, db)),
        keys: keysOf('headwaters'),
        patienceMs: 1000,
        settleMs: 0,
        onChange: change => changes.push(change),
      })
      t.teardown(() => commands.close())
      return { commands, changes }
    }
    const missing = changesOf(9)
    await until(() => missing.changes.length > 0)
    t.same(missing.changes, [{ isAvailable: false, reason: 'the server does not have the database of the client' }])
    missing.commands.post(scriptOf("redis.call('SET', KEYS[1], '1'); return { KEYS[1] }"), ['a'], [])

    await operator.call('ACL', 'SETUSER', 'shared', '-select')
    const refused = changesOf(3)
    await until(() => refused.changes.length > 0)
    t.same(refused.changes, [{ isAvailable: false, reason: 'the server replied NOPERM' }])
    t.same(await operator.keys('*'), [], 'nothing is written to database 0')
    await operator.call('ACL', 'SETUSER', 'shared', '+select')
    await until(() => refused.commands.isAvailable)
    t.equal(await refused.commands.run('write', 'a', ['SET', 'a', '1']), 'OK')
    t.same(await operator.keys('*'), [])
    await operator.select(3)
    t.equal(await operator.get('a'), '1')
    t.notOk(missing.commands.isReachable)
  })
}
