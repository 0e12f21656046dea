import { test } from 'tap'
import { keysOf } from '../../../src/redis/commands/keys.ts'
import { limitedProcess, limitedProcesses } from '../../helpers/limited-process.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { until } from '../../helpers/until.ts'

const skip = redisMissing

test('two processes of one service are one replica', { skip }, async t => {
  const server = await startRedis(t)
  const first = await limitedProcess(t, server, { service: 'b' })
  t.same(first.members.services, { index: 0, count: 1 })
  const second = await limitedProcess(t, server, { service: 'b' })
  const other = await limitedProcess(t, server, { service: 'a/b' })
  const all = [first, second, other]
  await until(() => all.every(({ members }) => members.processes === 3))
  t.same(
    all.map(({ members }) => members.services),
    [
      { index: 1, count: 2 },
      { index: 1, count: 2 },
      { index: 0, count: 2 },
    ],
  )
})

test('the processes of the own service count before they are seen', { skip }, async t => {
  const server = await startRedis(t)
  const own = { service: 'a', ownProcesses: 2 }
  const first = await limitedProcess(t, server, own)
  t.equal(first.members.processes, 2)
  const other = await limitedProcess(t, server, { service: 'b' })
  await until(() => first.members.processes === 3)
  const second = await limitedProcess(t, server, own)
  await until(() => other.members.processes === 3)
  await until(() => second.members.processes === 3)
  t.equal(first.members.processes, 3)
})

test('a process that leaves is gone at the next heartbeat, and a listener is called', { skip }, async t => {
  const [first, second] = await limitedProcesses(t, await startRedis(t), 2)
  let changes = 0
  const stop = first?.members.onChange(() => changes++)
  first?.members.onChange(() => changes++)
  stop?.()
  await second?.members.close()
  await until(() => first?.members.processes === 1)
  t.equal(changes, 1)
  t.same(first?.members.services, { index: 0, count: 1 })
})

test('a process that has left does not return when the store does', { skip }, async t => {
  const server = await startRedis(t)
  const { commands, members } = await limitedProcess(t, server)
  const client = await server.client(t)
  const count = () => client.zcard(keysOf('headwaters').members)
  await until(async () => (await count()) === 1)
  await members.close()
  t.equal(await count(), 0)
  commands.suspend('a test')
  await until(() => commands.isAvailable)
  t.equal(await count(), 0)
})

test('a process that dies is gone after its lifetime', { skip }, async t => {
  const [first, second] = await limitedProcesses(t, await startRedis(t), 2)
  second?.die()
  const diedAt = performance.now()
  await until(() => first?.members.processes === 1)
  const ms = performance.now() - diedAt
  t.ok(ms > 1800 && ms < 8000, `${ms} ms`)
})

test('an outage of the store changes no member, although its list is lost', { skip }, async t => {
  const server = await startRedis(t)
  const all = await limitedProcesses(t, server, 3)
  const seen: number[] = []
  for (const { members } of all) members.onChange(() => seen.push(members.processes))
  await server.stop()
  await until(() => all.every(({ commands }) => !commands.isReachable))
  await server.restart()
  const client = await server.client(t)
  await until(async () => (await client.zcard(keysOf('headwaters').members)) === 3)
  await until(() => all.every(({ commands }) => commands.isAvailable))
  t.same(seen, [])
  t.same(
    all.map(({ members }) => members.processes),
    [3, 3, 3],
  )
})
