import { test } from 'tap'
import { connectionsOpened, openConnections } from '../../../src/metrics/families.ts'
import { createSocketBudget } from '../../../src/upstream/origins/socket-budget.ts'
import { dispatch } from '../../../src/upstream/transport/dispatch.ts'
import { openPool, type Pool, type PoolSockets } from '../../../src/upstream/transport/pool.ts'
import { testRun } from '../../helpers/call.ts'
import { valuesOf } from '../../helpers/metric-values.ts'
import { declareCats, numbered, originList } from '../../helpers/origin-list.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'

test('the sockets of all origins stay within connections', async t => {
  const { runtime, cats, ask, counts } = await originList(t, [0, 1, 2].map(numbered), {
    concurrency: 2,
    connections: 2,
  })
  const open = () => Object.values(valuesOf(runtime, openConnections)).reduce((all, each) => all + each, 0)
  const seen: number[] = []
  for (let round = 0; round < 30; round++) {
    await Promise.all(['1', '2'].map(id => ask(cats.cat({ id }))))
    seen.push(open())
  }
  t.ok(Math.max(...seen) <= 2, `sockets after each round: ${seen.join()}`)
  t.ok(
    counts().every(count => count > 0),
    `each origin has calls: ${counts().join()}`,
  )
  t.ok(Number(valuesOf(runtime, connectionsOpened)['cats']) > 2, 'idle sockets were closed for other origins')
})

/** A pool of sockets, the longest idle of which is idle since a time. */
function poolOf(count: number, idleSince = Infinity) {
  const pool = {
    closed: 0,
    count: () => count - pool.closed,
    idleSince: () => idleSince,
    closeIdle: () => void pool.closed++,
  }
  return pool satisfies PoolSockets
}

test('the longest idle socket of the other pools is closed for a socket above the limit', t => {
  const pools = [poolOf(1, 10), poolOf(2, 20), poolOf(1, 15), poolOf(1)] as const
  const budget = createSocketBudget(5, () => pools)
  t.equal(budget.mayOpen(pools[0], true), true)
  t.same(
    pools.map(({ closed }) => closed),
    [0, 0, 1, 0],
    'not its own, and not one that is idle for a shorter time',
  )
  t.equal(budget.mayOpen(pools[0], true), true, 'one socket is left')
  t.same(
    pools.map(({ closed }) => closed),
    [0, 0, 1, 0],
  )
  t.end()
})

test('a pool without a socket may open one above the limit, and another pool may not', t => {
  const pools = [poolOf(2), poolOf(0)] as const
  const budget = createSocketBudget(2, () => pools)
  t.equal(budget.mayOpen(pools[0], true), false)
  t.equal(budget.mayOpen(pools[1], true), true)
  t.end()
})

test('a pool that may not close a socket of another pool opens none above the limit', t => {
  const pools = [poolOf(1, 10), poolOf(1, 20)] as const
  const budget = createSocketBudget(2, () => pools)
  t.equal(budget.mayOpen(pools[0], false), false)
  t.equal(pools[1].closed, 0)
  t.end()
})

test('a pool at the limit that needs a new socket renews its own idle one, and closes none of another pool', async t => {
  const pools: Pool[] = []
  const budget = createSocketBudget(2, () => pools.map(({ sockets }) => sockets))
  const { cat } = declareCats(undefined, { origin: 'http://cats.example' })
  const servers = [await rawUpstream(t, numbered(0)), await rawUpstream(t, numbered(1))] as const
  const [send, sendToOther] = servers.map(({ origin }) => {
    const pool: Pool = openPool(origin, {
      connections: 2,
      connect: {},
      mayOpen: mayClose => budget.mayOpen(pool.sockets, mayClose),
    })
    t.teardown(() => pool.destroy())
    pools.push(pool)
    const service = dispatch(pool, '')
    return (needsNew: boolean) => {
      const call = testRun().ask(cat({ id: '1' }))
      call.effort.hadFreeRetry = needsNew
      return service(needsNew ? call.nextAttempt() : call)
    }
  }) as [(needsNew: boolean) => Promise<unknown>, (needsNew: boolean) => Promise<unknown>]
  await sendToOther(false)
  await send(false)
  await send(true)
  t.same(
    servers[0].requests.map(({ connection }) => connection),
    [0, 1],
  )
  await sendToOther(false)
  t.same(
    servers[1].requests.map(({ connection }) => connection),
    [0, 0],
    'the other pool has kept its socket',
  )
})
