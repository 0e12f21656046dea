import { test, type Test } from 'tap'
import type { AvailabilityChange } from '../../../src/redis/commands/availability.ts'
import type { RedisConfig } from '../../../src/redis-config.ts'
import { openRedis } from '../../../src/redis/serve/open-redis.ts'
import { faultyProxy } from '../../helpers/faulty-proxy.ts'
import { quietPort } from '../../helpers/quiet-port.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { elapsed, until } from '../../helpers/until.ts'

const skip = redisMissing

/** Opens the shared state of a service with the server at a port, or with another server. */
async function openAt(t: Test, port: number, config: Partial<RedisConfig> = {}) {
  const changes: AvailabilityChange[] = []
  const state = await openRedis(
    {
      server: { host: '127.0.0.1', port, db: 0, isTls: false },
      options: {},
      prefix: 'headwaters',
      patienceMs: 50,
      ...config,
    },
    { service: 'a', processes: 1, onAvailabilityChange: change => changes.push(change) },
  )
  t.teardown(() => state.close())
  return { changes, isAvailable: () => state.gauge().isAvailable }
}

test('connections that are lost without being closed are replaced', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const proxy = await faultyProxy(t, server.port as number)
  const { isAvailable } = await openAt(t, proxy.port)
  await until(isAvailable)
  await until(() => proxy.connections === 2)
  proxy.freeze()
  await until(() => !isAvailable())
  await until(() => proxy.connections === 4)
  t.pass('the connections for commands and for messages')
  await until(isAvailable)
})

test('connections whose client has given up are opened again', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const { changes, isAvailable } = await openAt(t, server.port as number, {
    patienceMs: 2000,
    options: { retryStrategy: null },
  })
  await until(isAvailable)
  const operator = await server.client(t)
  const subscribers = async () => String(await operator.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
  await until(async () => (await subscribers()) !== '')
  const before = await subscribers()
  for (const type of ['pubsub', 'normal']) await operator.call('CLIENT', 'KILL', 'TYPE', type)
  await until(() => changes.length === 3 && isAvailable())
  await until(async () => !['', before].includes(await subscribers()))
  t.same(
    changes.map(({ isAvailable }) => isAvailable),
    [true, false, true],
  )
})

test('connections without traffic are not replaced', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const proxy = await faultyProxy(t, server.port as number)
  const { isAvailable, changes } = await openAt(t, proxy.port, { patienceMs: 2000 })
  await until(isAvailable)
  await elapsed(6000)
  t.equal(proxy.connections, 2)
  t.equal(changes.length, 1)
})

test('a server that needs longer than 250 ms is used if the patience allows it', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const proxy = await faultyProxy(t, server.port as number)
  proxy.delayMs = 150
  const { isAvailable, changes } = await openAt(t, proxy.port, { patienceMs: 2000 })
  await until(isAvailable)
  await elapsed(2500)
  t.same(changes, [{ isAvailable: true }], 'the checks of a store in use have the same patience')
})

test('the reason names why there is no connection', { skip }, async t => {
  const server = await startRedis(t, { tcp: true, password: 'right' })
  const port = server.port as number
  const closed = await quietPort()
  const address = { host: '127.0.0.1', port, db: 0, isTls: false }
  const sentinels = [{ host: '127.0.0.1', port: closed }]
  for (const [config, reason] of [
    [{}, 'the server replied NOAUTH'],
    [{ server: { ...address, password: 'wrong' } }, 'the server replied WRONGPASS'],
    [{ server: { ...address, port: closed } }, 'the connection failed with ECONNREFUSED'],
    [{ options: { name: 'main', sentinels } }, 'no Sentinel can be used'],
  ] as const) {
    const { changes } = await openAt(t, port, config)
    await until(() => changes.length > 0)
    t.same(changes, [{ isAvailable: false, reason }])
  }
})
