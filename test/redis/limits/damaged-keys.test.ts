import type { Redis } from 'ioredis'
import { test } from 'tap'
import { keysOf } from '../../../src/redis/commands/keys.ts'
import { SharedRetryBudget } from '../../../src/upstream/policies/retry/shared-retry-budget.ts'
import { limitedProcess } from '../../helpers/limited-process.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { until } from '../../helpers/until.ts'

const skip = redisMissing
const keys = keysOf('headwaters')

const seconds = () => Math.floor(Date.now() / 1000)

/** The ways in which a key can be damaged. */
const damages: Readonly<Record<string, (client: Redis, key: string) => Promise<unknown>>> = {
  'has another type': async (client, key) => client.set(key, 'x'),
  'has other fields': async (client, key) => {
    await client.del(key)
    await client.hset(key, { used: 'x', '-': 'y', c: 'z', cx: '1', [`e${seconds()}`]: '1.5x' })
  },
}

for (const [damage, harm] of Object.entries(damages)) {
  test(`a key of the shared limits that ${damage} is replaced`, { skip }, async t => {
    const server = await startRedis(t)
    const operator = await server.client(t)
    const client = keys.client('c')
    for (const key of [keys.members, keys.budget('prices'), client]) await harm(operator, key)

    const { commands, members, budgets, rateLimit } = await limitedProcess(t, server)
    const other = await limitedProcess(t, server)
    await until(() => members.processes === 2 && other.members.processes === 2)
    const budget = new SharedRetryBudget({ ratio: 0, minPerSecond: 2 })
    budgets.share('prices', budget)
    const fields = () => operator.hkeys(keys.budget('prices')).catch(() => [])
    await until(async () => (await fields()).some(field => /^c\d/.test(field)))
    const count = rateLimit(10)
    for (let request = 1; request <= 10; request++) t.equal((await count('c')).current, request)
    t.equal((await other.rateLimit(10)('c')).current, 11, 'the two processes count together')
    t.ok(commands.isReachable)
    t.equal(commands.counts.failed, 0)
  })
}

test('members and counts of a server whose clock was ahead are not used', { skip }, async t => {
  const server = await startRedis(t)
  const operator = await server.client(t)
  await operator.zadd(keys.members, 1000 * (seconds() + 3600), 'dead/1')
  await operator.hset(keys.budget('prices'), { [`e${seconds() + 3600}`]: '1000' })
  const { members, budgets } = await limitedProcess(t, server)
  const budget = new SharedRetryBudget({ ratio: 0, minPerSecond: 2 })
  budgets.share('prices', budget)
  await until(() => budget.balance === 20)
  t.equal(members.processes, 1)
})
