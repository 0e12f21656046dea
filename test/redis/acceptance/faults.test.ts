import { test, type Test } from 'tap'
import { itemClient, startCheckedLoad, untilShared } from '../../helpers/checked-load.ts'
import { nginxMissing } from '../../helpers/nginx.ts'
import { redisMissing, startRedis, type RedisServer } from '../../helpers/redis.ts'
import { startReplicas, withoutStore } from '../../helpers/replicas.ts'
import { swappingProxy } from '../../helpers/swapping-proxy.ts'
import { elapsed, until } from '../../helpers/until.ts'
import { versionedUpstream } from '../../helpers/versioned-upstream.ts'

const skip = redisMissing || nginxMissing

/** The time of a fault, in ms. */
const faultMs = 1500

/** Three replicas behind nginx, with Redis behind a proxy. */
async function arrange(t: Test) {
  const redis = await startRedis(t, { tcp: true })
  const proxy = await swappingProxy(t, redis.port as number)
  const upstream = await versionedUpstream(t)
  const { origin, replicas } = await startReplicas(t, {
    upstream: upstream.origin,
    redis: proxy.url,
    // Other tests run beside this one. The replicas must find the server again within a time that grows with the
    // patience, and must not refuse requests.
    environment: { HEADWATERS_REDIS_PATIENCE_MS: '500', MAX_LOOP_DELAY_MS: '0' },
  })
  const asks = replicas.map(({ origin }) => itemClient(t, origin))
  return { redis, proxy, replicas, ask: itemClient(t, origin), untilShared: () => untilShared(asks, upstream) }
}

/** Returns how many commands a server has refused because it was full. */
async function refusals(t: Test, redis: RedisServer): Promise<number> {
  const client = await redis.client(t)
  return Number(/errorstat_OOM:count=(\d+)/.exec(await client.info('errorstats'))?.[1] ?? 0)
}

test('a fault of Redis under three replicas', { skip }, async t => {
  const { redis, proxy, replicas, ask, untilShared } = await arrange(t)
  const control = await redis.client(t)

  /** Runs callers before, during and after a fault, until the replicas share answers again. */
  async function underLoad(t: Test, fault: () => Promise<void>) {
    await untilShared()
    const load = startCheckedLoad(ask)
    await elapsed(500)
    await fault()
    await untilShared()
    const replies = await load.stop()
    t.ok(replies > 100, `${replies} replies`)
    t.same(load.wrong.slice(0, 5), [], `${load.wrong.length} of ${replies} replies`)
  }
  const isOut = () => until(async () => (await withoutStore(replicas)) === replicas.length)

  await t.test('kill -9 costs no caller an error or a wrong value', async t => {
    await underLoad(t, async () => {
      await redis.stop('SIGKILL')
      await isOut()
      await elapsed(faultMs)
      await redis.restart()
    })
  })

  await t.test('SIGSTOP costs no caller an error or a wrong value', async t => {
    await underLoad(t, async () => {
      await redis.stop('SIGSTOP')
      await isOut()
      await elapsed(faultMs)
      await redis.stop('SIGCONT')
    })
  })

  await t.test('CLIENT PAUSE for writes costs no caller an error or a wrong value', async t => {
    await underLoad(t, async () => {
      await control.call('CLIENT', 'PAUSE', '60000', 'WRITE')
      await isOut()
      await elapsed(faultMs)
      await control.call('CLIENT', 'UNPAUSE')
    })
  })

  await t.test('a full server costs no caller an error or a wrong value', async t => {
    await underLoad(t, async () => {
      const before = await refusals(t, redis)
      await control.config('SET', 'maxmemory', '1')
      await elapsed(faultMs)
      await control.config('SET', 'maxmemory', '0')
      t.ok((await refusals(t, redis)) > before, 'the server has refused commands')
    })
  })

  for (const [mode, exchanged] of [
    ['entries', 'the keys of entries'],
    ['reads', 'keys in reads'],
  ] as const)
    await t.test(`a proxy that exchanges ${exchanged} costs no caller an error or a wrong value`, async t => {
      await underLoad(t, async () => {
        const before = proxy.swapped
        proxy.mode = mode
        await elapsed(faultMs)
        proxy.mode = 'none'
        t.ok(proxy.swapped > before, `${proxy.swapped - before} keys`)
      })
    })
})
