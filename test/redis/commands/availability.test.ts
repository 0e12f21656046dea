import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { test, type Test } from 'tap'
import type { AvailabilityChange } from '../../../src/redis/commands/availability.ts'
import { connectionOf } from '../../../src/redis/commands/client.ts'
import { Commands, type CommandsOptions } from '../../../src/redis/commands/commands.ts'
import { keysOf } from '../../../src/redis/commands/keys.ts'
import { redisMissing, startRedis, type RedisServer } from '../../helpers/redis.ts'
import { elapsed, until } from '../../helpers/until.ts'

const skip = redisMissing
const keys = keysOf('headwaters')

/** Commands to a server, and the changes of their availability. */
async function commandsTo(t: Test, server: RedisServer, options: Partial<CommandsOptions> = {}) {
  const changes: AvailabilityChange[] = []
  const client = await server.client(t)
  const commands = new Commands({
    connection: connectionOf(client),
    keys,
    patienceMs: 250,
    settleMs: 0,
    onChange: change => changes.push(change),
    ...options,
  })
  t.teardown(() => commands.close())
  const isUnreachable = () => !commands.isReachable
  return { client, commands, changes, isUnreachable }
}

/** Sends reads until one is rejected at once, and returns the names of the errors. */
async function failures(commands: Commands, count: number): Promise<string[]> {
  const names: string[] = []
  for (let sent = 0; sent < count; sent++)
    await commands.run('read', 'a', ['GET', 'a']).catch((error: unknown) => names.push((error as Error).name))
  return names
}

test('a server that is up is available, and its restart begins another epoch', { skip }, async t => {
  const server = await startRedis(t)
  const { commands, changes } = await commandsTo(t, server)
  t.equal(commands.isAvailable, false, 'not before the first probe')
  await until(() => commands.isAvailable)
  const first = commands.epoch as string
  t.match(first, /^[0-9a-f]{8}$/)
  await server.stop('SIGKILL')
  await until(() => commands.epoch === undefined)
  t.equal(commands.isAvailable, false)
  await server.restart()
  await until(() => commands.isAvailable)
  t.match(commands.epoch, /^[0-9a-f]{8}$/)
  t.not(commands.epoch, first)
  t.same(
    changes.map(({ isAvailable }) => isAvailable),
    [true, false, true],
  )
})

test('a server that stops costs three late commands, and then nothing', { skip }, async t => {
  const server = await startRedis(t)
  const { commands, changes } = await commandsTo(t, server)
  await until(() => commands.isAvailable)
  await server.stop('SIGSTOP')
  t.same(await failures(commands, 3), ['StoreLate', 'StoreLate', 'StoreLate'])
  t.equal(commands.isReachable, false)
  let isNextTurn = false
  setImmediate(() => (isNextTurn = true))
  t.same(
    await failures(commands, 1000),
    Array.from({ length: 1000 }, () => 'StoreUnavailable'),
  )
  t.equal(isNextTurn, false, 'none of them waited')
  t.same(commands.counts, { ok: 0, failed: 0, late: 3, skipped: 1000 })
  t.same(changes.at(-1), { isAvailable: false, reason: 'the shared store sent no reply within 250 ms' })
  await server.stop('SIGCONT')
  await until(() => commands.isAvailable)
  t.equal(await commands.run('read', 'a', ['GET', 'a']), null)
})

test('a server that pauses writes is unreachable although it answers reads', { skip }, async t => {
  const server = await startRedis(t)
  const { commands } = await commandsTo(t, server)
  await until(() => commands.isAvailable)
  const other = await server.client(t)
  await other.call('CLIENT', 'PAUSE', '30000', 'WRITE')
  for (let sent = 0; sent < 3; sent++)
    await t.rejects(commands.run('write', 'a', ['SET', 'a', '1']), { name: 'StoreLate' })
  t.equal(commands.isReachable, false)
  t.equal(await other.get('b'), null, 'reads are answered')
  await elapsed(1000)
  t.equal(commands.isReachable, false, 'the probe writes too')
  await other.call('CLIENT', 'UNPAUSE')
  await until(() => commands.isAvailable)
})

test('a server that becomes a replica is unreachable at its first refusal of a write', { skip }, async t => {
  const [server, primary] = await Promise.all([startRedis(t), startRedis(t, { tcp: true })])
  const { commands, changes } = await commandsTo(t, server)
  await until(() => commands.isAvailable)
  const operator = await server.client(t)
  await operator.replicaof('127.0.0.1', primary.port as number)
  await commands.run('write', 'a', ['SET', 'a', '1']).catch(() => {})
  await until(() => !commands.isReachable, { withinMs: 5000 })
  await elapsed(500)
  t.equal(commands.isReachable, false, 'a replica is not used')
  t.equal(changes.at(-1)?.isAvailable, false)
  await operator.replicaof('NO', 'ONE')
  await until(() => commands.isAvailable)
})

test('a promotion without the loss of a connection begins another epoch within seconds', { skip }, async t => {
  const [server, primary] = await Promise.all([startRedis(t), startRedis(t, { tcp: true })])
  const { commands } = await commandsTo(t, server)
  await until(() => commands.isAvailable)
  const first = commands.epoch
  const operator = await server.client(t)
  await operator.replicaof('127.0.0.1', primary.port as number)
  await operator.replicaof('NO', 'ONE')
  await until(() => commands.isAvailable && commands.epoch !== first, { withinMs: 10_000 })
  t.not(commands.epoch, first)
})

test('two processes do not use the cache in two epochs of one server at a time', { skip }, async t => {
  const server = await startRedis(t, { config: ['enable-debug-command yes'] })
  const first = await commandsTo(t, server, { settleMs: 3000 })
  await until(() => first.commands.isAvailable)
  // The two check the epoch at different times.
  await elapsed(500)
  const second = await commandsTo(t, server, { settleMs: 3000 })
  await until(() => second.commands.isAvailable)
  const all = [first.commands, second.commands]
  const { epoch } = first.commands
  // The id also changes without the loss of a connection when a server gets its first replica.
  const operator = await server.client(t)
  await operator.call('DEBUG', 'CHANGE-REPL-ID')
  let isMixed = false
  await until(() => {
    const used = all.filter(({ isAvailable }) => isAvailable).map(commands => commands.epoch)
    isMixed ||= new Set(used).size > 1
    return used.length === 2 && !used.includes(epoch)
  })
  t.equal(isMixed, false)
  t.equal(first.commands.epoch, second.commands.epoch)
})

test('a full server is reachable, because it reads and frees memory', { skip }, async t => {
  const server = await startRedis(t, { config: ['maxmemory 1', 'maxmemory-policy noeviction'] })
  const { commands } = await commandsTo(t, server)
  await until(() => commands.isAvailable)
  for (let sent = 0; sent < 4; sent++)
    await t.rejects(commands.run('write', 'a', ['SET', 'a', '1']), { message: /^OOM/ })
  t.equal(commands.isAvailable, true)
  t.equal(commands.counts.failed, 4)
})

test('a reply of another form counts as a failure of the server', { skip }, async t => {
  const server = await startRedis(t)
  const { commands, changes } = await commandsTo(t, server)
  await until(() => commands.isAvailable)
  for (let sent = 0; sent < 3; sent++)
    await t.rejects(commands.run('read', 'a', ['GET', 'a'], { check: reply => reply === 1 }), {
      name: 'StoreReplyInvalid',
      message: 'the shared store sent a reply to GET that is not one of this command',
    })
  t.match(changes.at(-1), { isAvailable: false, reason: /a reply to GET/ })
})

test(
  'after an outage, the cache is used when the listeners have ended and other processes had time',
  { skip },
  async t => {
    const server = await startRedis(t)
    const { commands } = await commandsTo(t, server, { settleMs: 1000 })
    const listened = { count: 0, waits: Promise.resolve() }
    commands.onAvailable(async () => {
      listened.count++
      await listened.waits
      await commands.run('write', 'a', ['SET', 'a', '1'])
    })
    await until(() => commands.isAvailable)
    t.equal(listened.count, 1)
    const gate = Promise.withResolvers<void>()
    listened.waits = gate.promise
    commands.suspend('an invalidation was late')
    t.equal(commands.isReachable, false)
    await until(() => commands.isReachable)
    await until(() => listened.count === 2)
    t.equal(commands.isAvailable, false, 'its listener has not ended')
    gate.resolve()
    const ended = performance.now()
    await until(() => commands.isAvailable)
    t.ok(performance.now() - ended > 900, 'the other processes had time')
  },
)

test('a process that starts waits for the others while the epoch is new', { skip }, async t => {
  const server = await startRedis(t)
  const settleMs = 60_000
  const first = await commandsTo(t, server, { settleMs })
  await until(() => first.commands.isReachable)
  const mark = keys.epochMark(String(first.commands.epoch))
  await until(async () => (await first.client.exists(mark)) === 1)
  await elapsed(300)
  t.equal(first.commands.isAvailable, false)

  const lifetime = 8 * 24 * 3_600_000
  const setAt = performance.now()
  await first.client.pexpire(mark, lifetime - settleMs + 1000)
  const second = await commandsTo(t, server, { settleMs })
  await until(() => second.commands.isAvailable)
  t.ok(performance.now() - setAt > 900, 'the rest of the time')
  t.equal(first.commands.isAvailable, false)

  await first.client.pexpire(mark, lifetime - 3_600_000)
  const third = await commandsTo(t, server, { settleMs: 600_000 })
  await until(() => third.commands.isAvailable)
  t.same(third.changes, [{ isAvailable: true }])
})

test('commands above the largest number in flight are refused at once', { skip }, async t => {
  const server = await startRedis(t)
  const { commands } = await commandsTo(t, server, { patienceMs: 60_000 })
  await until(() => commands.isAvailable)
  await server.stop('SIGSTOP')
  const inFlight = Array.from({ length: 1000 }, () => commands.run('read', 'a', ['GET', 'a']))
  await t.rejects(commands.run('read', 'a', ['GET', 'a']), { name: 'StoreUnavailable' })
  await server.stop('SIGCONT')
  t.same(new Set(await Promise.all(inFlight)), new Set([null]))
  t.match(commands.counts, { ok: 1000, skipped: 1 })
})

test('a listener that fails makes the store unreachable, and is called again', { skip }, async t => {
  const server = await startRedis(t)
  const { commands } = await commandsTo(t, server)
  let calls = 0
  commands.onAvailable(async () => {
    if (++calls < 3) throw new Error('not yet')
  })
  await until(() => commands.isAvailable)
  t.equal(calls, 3)
})

test('a store that is down at the start is reported once, and used when it is up', { skip }, async t => {
  const server = await startRedis(t)
  const client = await server.client(t)
  await server.stop('SIGKILL')
  await until(() => client.status !== 'ready')
  const changes: AvailabilityChange[] = []
  const commands = new Commands({
    connection: connectionOf(client),
    keys,
    patienceMs: 250,
    settleMs: 0,
    onChange: change => changes.push(change),
  })
  t.teardown(() => commands.close())
  await until(() => changes.length > 0)
  await elapsed(500)
  t.same(changes, [{ isAvailable: false, reason: 'the connection failed with ECONNREFUSED' }])
  await t.rejects(commands.run('read', 'a', ['GET', 'a']), { name: 'StoreUnavailable' })
  await server.restart()
  await until(() => commands.isAvailable)
  t.same(changes.length, 2)
})

test('a client that is not connected is reported, and used when it is connected', { skip }, async t => {
  const server = await startRedis(t)
  const client = new Redis({ path: server.socket, lazyConnect: true })
  t.teardown(() => client.disconnect())
  const changes: AvailabilityChange[] = []
  const onChange = (change: AvailabilityChange) => changes.push(change)
  const commands = new Commands({ connection: connectionOf(client), keys, patienceMs: 250, settleMs: 0, onChange })
  t.teardown(() => commands.close())
  await until(() => changes.length > 0)
  t.same(changes, [{ isAvailable: false, reason: 'the client is not connected' }])
  await client.connect()
  await until(() => commands.isAvailable)
})

for (const [fault, fail] of [
  ['throws', () => assert.fail('a fault of the callback')],
  ['rejects', () => Promise.reject(new Error('a fault of the callback'))],
] as const)
  test(`a callback that ${fault} does not change the availability`, { skip }, async t => {
    const server = await startRedis(t)
    const changes: boolean[] = []
    const { commands } = await commandsTo(t, server, {
      onChange({ isAvailable }) {
        changes.push(isAvailable)
        return fail()
      },
    })
    await until(() => commands.isAvailable)
    await elapsed(500)
    t.equal(commands.isAvailable, true)
    await server.stop('SIGKILL')
    await until(() => !commands.isReachable)
    await server.restart()
    await until(() => commands.isAvailable)
    t.same(changes, [true, false, true])
  })

test('closed commands leave no listener at the client and send nothing more', { skip }, async t => {
  const server = await startRedis(t)
  const client = await server.client(t)
  const listeners = () => client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0)
  const before = listeners()
  const commands = new Commands({
    connection: connectionOf(client),
    keys,
    patienceMs: 250,
    settleMs: 0,
    onChange: () => {},
  })
  await until(() => commands.isAvailable)
  commands.close()
  t.equal(listeners(), before)
  t.equal(commands.isReachable, false)
  await t.rejects(commands.run('read', 'a', ['GET', 'a']), { name: 'StoreUnavailable' })
  t.equal(client.status, 'ready', 'the client belongs to its owner')
})

test(
  'a user without the permission for INFO has one epoch for all servers, which the change names',
  { skip },
  async t => {
    const server = await startRedis(t, { config: ['user default on nopass ~* &* +@all -info'] })
    const { commands, changes } = await commandsTo(t, server)
    await until(() => commands.isAvailable)
    t.equal(commands.epoch, 'none')
    t.same(changes, [{ isAvailable: true, reason: 'without INFO, entries outlive a failover' }])
  },
)

test('a server that does not permit the keys to the user is not used', { skip }, async t => {
  const server = await startRedis(t)
  const { commands, changes } = await commandsTo(t, server)
  await until(() => commands.isAvailable)
  const operator = await server.client(t)
  await operator.call('ACL', 'SETUSER', 'default', 'resetkeys', '~other:*')
  await until(async () => {
    await commands.run('write', 'a', ['SET', 'a', '1']).catch(() => {})
    return !commands.isReachable
  })
  await elapsed(300)
  t.same(changes.at(-1), { isAvailable: false, reason: 'the server replied NOPERM' })
})
