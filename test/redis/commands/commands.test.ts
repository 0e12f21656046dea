import { test } from 'tap'
import { connectionOf } from '../../../src/redis/commands/client.ts'
import { Commands } from '../../../src/redis/commands/commands.ts'
import { keysOf } from '../../../src/redis/commands/keys.ts'
import { scriptOf } from '../../../src/redis/commands/script.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { until } from '../../helpers/until.ts'

const skip = redisMissing

/** Replies its key. */
const key = scriptOf('return { KEYS[1] }')

test('a script is loaded when the server does not have it', { skip }, async t => {
  const server = await startRedis(t)
  const commands = new Commands({
    connection: connectionOf(await server.client(t)),
    keys: keysOf('headwaters'),
    patienceMs: 1000,
    onChange: () => {},
  })
  t.teardown(() => commands.close())
  await until(() => commands.isAvailable)
  const double = scriptOf('return { KEYS[1], ARGV[1] * 2 }')
  t.same(await commands.script(double, ['a'], ['21']), [42])
  t.same(await commands.script(double, ['a'], ['4']), [8])
  t.same(commands.counts, { ok: 2, failed: 0, late: 0, skipped: 0 })
})

test('an invalidation is sent when as many commands as possible have no reply', { skip }, async t => {
  const server = await startRedis(t)
  const client = await server.client(t)
  const commands = new Commands({
    connection: connectionOf(await server.client(t)),
    keys: keysOf('headwaters'),
    patienceMs: 10_000,
    onChange: () => {},
  })
  t.teardown(() => commands.close())
  await until(() => commands.isAvailable)
  await client.call('CLIENT', 'PAUSE', '60000', 'WRITE')
  const waiting = Array.from({ length: 1000 }, () => commands.run('write', 'a', ['DEL', 'a']))
  await t.rejects(commands.run('read', 'a', ['GET', 'a']), { name: 'StoreUnavailable' })
  await t.rejects(commands.script(key, ['a'], []), { name: 'StoreUnavailable' })
  const invalidation = commands.script(key, ['a'], [], { isInvalidation: true })
  await client.call('CLIENT', 'UNPAUSE')
  t.same(await invalidation, [])
  await Promise.all(waiting)
})
