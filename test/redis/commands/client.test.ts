import { once } from 'node:events'
import { Cluster, Redis } from 'ioredis'
import { Redis as Valkey } from 'iovalkey'
import { createClient, createSentinel } from 'redis'
import { test, type Test } from 'tap'
import { connectionOf } from '../../../src/redis/commands/client.ts'
import { Commands } from '../../../src/redis/commands/commands.ts'
import { keysOf } from '../../../src/redis/commands/keys.ts'
import type { RedisClient } from '../../../src/redis/commands/redis-client.ts'
import { scriptOf } from '../../../src/redis/commands/script.ts'
import { redisMissing, startRedis, type RedisServer } from '../../helpers/redis.ts'
import { until } from '../../helpers/until.ts'

const skip = redisMissing

/** Makes a client of each package. It ends with the test. */
const clients: Readonly<Record<string, (t: Test, server: RedisServer) => Promise<RedisClient>>> = {
  async ioredis(t, { socket }) {
    const client = new Redis({ path: socket, retryStrategy: () => 50 })
    client.on('error', () => {})
    t.teardown(() => client.disconnect())
    await once(client, 'ready')
    return client
  },
  async iovalkey(t, { socket }) {
    const client = new Valkey({ path: socket, retryStrategy: () => 50, lazyConnect: true, enableOfflineQueue: false })
    client.on('error', () => {})
    t.teardown(() => client.disconnect())
    await client.connect()
    return client
  },
  async redis(t, { socket }) {
    const client = createClient({ socket: { path: socket, reconnectStrategy: () => 50 } })
    client.on('error', () => {})
    t.teardown(() => client.destroy())
    await client.connect()
    return client
  },
}

for (const [name, make] of Object.entries(clients)) {
  test(`a client of ${name} sends commands and scripts, and finds a server that was restarted`, { skip }, async t => {
    const server = await startRedis(t)
    const client = await make(t, server)
    const commands = new Commands({
      connection: connectionOf(client),
      keys: keysOf('headwaters'),
      patienceMs: 1000,
      settleMs: 0,
      onChange: () => {},
    })
    t.teardown(() => commands.close())
    await until(() => commands.isAvailable)
    t.equal(await commands.run('write', 'a', ['SET', 'a', 'ä']), 'OK')
    t.same(await commands.run('read', 'a', ['MGET', 'a', 'b']), ['ä', null])
    const script = scriptOf("return { KEYS[1], redis.call('GET', KEYS[1]), ARGV[1], 7 }")
    t.same(await commands.script(script, ['a'], ['x']), ['ä', 'x', 7])
    const operator = await server.client(t)
    await operator.script('FLUSH')
    t.same(
      await commands.script(script, ['a'], ['y']),
      ['ä', 'y', 7],
      'a script that the server has lost is loaded again',
    )
    await t.rejects(commands.run('write', 'a', ['LPUSH', 'a', '1']), { message: /^WRONGTYPE/ })
    await server.stop('SIGKILL')
    await until(() => !commands.isReachable)
    await server.restart()
    await until(() => commands.isAvailable)
    t.equal(await commands.run('read', 'a', ['GET', 'a']), null)
  })

  test(`a subscription of a client of ${name} shows when messages can be lost`, { skip }, async t => {
    const server = await startRedis(t)
    const connection = connectionOf(await make(t, server))
    const texts: string[] = []
    const states: boolean[] = []
    const end = connection.subscribe(
      'channel',
      text => texts.push(text),
      isSubscribed => states.push(isSubscribed),
    )
    t.teardown(end)
    await until(() => states.at(-1) === true)
    const first = await server.client(t)
    await first.publish('other', 'no')
    await first.publish('channel', 'one')
    await until(() => texts.length === 1)
    await server.stop('SIGKILL')
    await until(() => states.at(-1) === false)
    await server.restart()
    await until(() => states.at(-1) === true)
    const second = await server.client(t)
    await second.publish('channel', 'two')
    await until(() => texts.length === 2)
    t.same(texts, ['one', 'two'])
    const count = states.length
    end()
    await until(async () => (await second.pubsub('NUMSUB', 'channel'))[1] === 0)
    t.equal(states.length, count, 'no state is reported after the end')
  })
}

test('anything but a client is refused with an example', async t => {
  for (const value of [undefined, null, 'redis://127.0.0.1', {}, { call() {} }])
    t.throws(() => connectionOf(value as never), {
      name: 'TypeError',
      message: /^redis: client must be a client of ioredis, iovalkey or redis, for example new Redis\(url\)/,
    })
})

test('a client with options that the shared state cannot use is refused with the fix', async t => {
  const lazy = { lazyConnect: true } as const
  t.throws(() => connectionOf(new Redis({ ...lazy, keyPrefix: 'a:' })), { message: /keyPrefix: remove it/ })
  t.throws(() => connectionOf(new Cluster([{ host: '127.0.0.1', port: 1 }], { ...lazy, scaleReads: 'all' })), {
    message: /set scaleReads to 'master'/,
  })
  t.throws(() => connectionOf(new Redis({ ...lazy, stringNumbers: true })), { message: /stringNumbers.*: remove it/ })
  const redisOptions = { ...lazy, stringNumbers: true }
  t.throws(() => connectionOf(new Cluster([{ host: '127.0.0.1', port: 1 }], { ...lazy, redisOptions })), {
    message: /stringNumbers.*: remove it/,
  })
  const withSentinels = { ...lazy, name: 'a', sentinels: [{ host: '127.0.0.1', port: 1 }], tls: {} }
  t.throws(() => connectionOf(new Redis(withSentinels)), { message: /set enableTLSForSentinelMode to true/ })
  t.doesNotThrow(() => connectionOf(new Redis({ ...withSentinels, enableTLSForSentinelMode: true })))
  const sentinel = createSentinel({ name: 'a', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] })
  t.throws(() => connectionOf(sentinel as never), { message: /use ioredis with the option sentinels/ })
})
