import { test } from 'tap'
import { keysOf } from '../../../src/redis/commands/keys.ts'
import { SharedRetryBudget } from '../../../src/upstream/policies/retry/shared-retry-budget.ts'
import { limitedProcess, limitedProcesses, type LimitedProcess } from '../../helpers/limited-process.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { elapsed, until } from '../../helpers/until.ts'

const skip = redisMissing
const key = keysOf('headwaters').budget('prices')

/** Shares a budget of one process. */
function shared(
  { budgets }: LimitedProcess,
  options: { readonly ratio: number; readonly minPerSecond: number },
): SharedRetryBudget {
  const budget = new SharedRetryBudget(options)
  budgets.share('prices', budget)
  return budget
}

/** Withdraws until a budget refuses. Returns the number of withdrawn attempts. */
function withdrawAll(budget: SharedRetryBudget): number {
  let attempts = 0
  while (budget.withdraw()) attempts++
  return attempts
}

test('processes together send no more extra attempts than one budget allows, and most of them', { skip }, async t => {
  const all = await limitedProcesses(t, await startRedis(t), 3)
  const budgets = all.map(each => shared(each, { ratio: 0.1, minPerSecond: 2 }))
  let calls = 0
  let extra = 0
  const startedAt = performance.now()
  for (let ms = 0; ms < 5000; ms = performance.now() - startedAt) {
    for (; calls < (ms * 100) / 1000; calls++) budgets[calls % 2]?.deposit()
    for (const budget of budgets) extra += withdrawAll(budget)
    await elapsed(20)
  }
  const allowed = 0.1 * calls + 20
  t.ok(extra <= allowed && extra > 0.7 * allowed, `${extra} of ${allowed}`)
})

test('a process with all failures gets more than its part of the minimum', { skip }, async t => {
  const all = await limitedProcesses(t, await startRedis(t), 3)
  const [busy] = all.map(each => shared(each, { ratio: 0, minPerSecond: 9 }))
  let extra = 0
  await until(() => (extra += withdrawAll(busy as SharedRetryBudget)) > 40)
  t.ok(extra <= 90, `${extra} of 90`)
})

test('a grant that is not used returns to the other processes', { skip }, async t => {
  const [first, second] = await limitedProcesses(t, await startRedis(t), 2)
  const unused = shared(first as LimitedProcess, { ratio: 0, minPerSecond: 1 })
  await until(() => unused.balance === 5)
  const used = shared(second as LimitedProcess, { ratio: 0, minPerSecond: 1 })
  let extra = 0
  await until(() => {
    unused.deposit()
    return (extra += withdrawAll(used)) > 5
  })
  t.ok(extra + unused.balance <= 10, `${extra} of 10, and ${unused.balance} that are granted`)
})

test('calls and extra attempts of more than 10 s ago do not count', { skip }, async t => {
  const server = await startRedis(t)
  const client = await server.client(t)
  const now = Math.floor(Date.now() / 1000)
  await client.hset(key, { [`c${now - 12}`]: 1000, [`e${now - 12}`]: 1000, [`c${now - 3}`]: 40, [`e${now - 3}`]: 8 })
  const budget = shared(await limitedProcess(t, server), { ratio: 0.5, minPerSecond: 1 })
  await until(() => budget.balance === 22)
  t.notOk(await client.hexists(key, `c${now - 12}`))
})

test('a debt of the budget is paid before an extra attempt is sent', { skip }, async t => {
  const server = await startRedis(t)
  const client = await server.client(t)
  await client.hset(key, { [`e${Math.floor(Date.now() / 1000)}`]: 14 })
  const budget = shared(await limitedProcess(t, server), { ratio: 1, minPerSecond: 1 })
  await until(() => budget.balance === -4)
  for (let call = 0; call < 5; call++) budget.deposit()
  t.equal(withdrawAll(budget), 1)
})

test(
  'without the store a budget has its part of the minimum, and reports when the store is back',
  { skip },
  async t => {
    const server = await startRedis(t)
    const all = await limitedProcesses(t, server, 2)
    const [budget, other] = all.map(each => shared(each, { ratio: 0, minPerSecond: 2 }))
    await until(() => (budget?.balance ?? 0) > 0 && (other?.balance ?? 0) > 0)
    await server.stop()
    await until(() => all.every(({ commands }) => !commands.isReachable))
    t.equal(withdrawAll(budget as SharedRetryBudget), 10)
    await server.restart()
    await until(() => (other?.balance ?? 0) < 10 && (budget?.balance ?? 0) > 0)
    const client = await server.client(t)
    const fields = await client.hgetall(key)
    t.ok(Object.values(fields).reduce((sum, value) => sum + Number(value), 0) >= 10, 'the ten attempts are recorded')
  },
)

test(
  'a grant that comes after the store became unreachable does not replace the part of the minimum',
  { skip },
  async t => {
    const server = await startRedis(t)
    const client = await server.client(t)
    await client.hset(key, { [`e${Math.floor(Date.now() / 1000)}`]: 14 })
    const process = await limitedProcess(t, server)
    const { ok } = process.commands.counts
    const budget = shared(process, { ratio: 0, minPerSecond: 1 })
    process.commands.close()
    await until(() => process.commands.counts.ok > ok)
    t.equal(budget.balance, 10, 'the grant was a debt')
  },
)

test('a budget that is shared no more sends no reports', { skip }, async t => {
  const process = await limitedProcess(t, await startRedis(t))
  const budget = new SharedRetryBudget({ ratio: 0, minPerSecond: 1 })
  const end = process.budgets.share('prices', budget)
  await until(() => budget.balance === 10)
  end()
  budget.deposit()
  await elapsed(1500)
  t.same(budget.takeCounts(), { calls: 1, extra: 0 })
})
