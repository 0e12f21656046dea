import { test } from 'tap'
import { itemClient, startCheckedLoad, untilShared } from '../../helpers/checked-load.ts'
import { nginxMissing } from '../../helpers/nginx.ts'
import { redisMissing } from '../../helpers/redis.ts'
import { startReplicas, withoutStore } from '../../helpers/replicas.ts'
import { startSentinels } from '../../helpers/sentinel.ts'
import { elapsed, until } from '../../helpers/until.ts'
import { versionedUpstream } from '../../helpers/versioned-upstream.ts'

const skip = redisMissing || nginxMissing

test('a failover costs no caller an error and serves no value from before a PUT', { skip }, async t => {
  const { primary, replica, clientOptions } = await startSentinels(t)
  const upstream = await versionedUpstream(t)
  upstream.maxAge = 600
  const { origin, replicas } = await startReplicas(t, {
    upstream: upstream.origin,
    redisOptions: clientOptions,
    // Other tests run beside this one. The replicas must find the new primary within a time that grows with the patience,
    // and must not refuse requests.
    environment: { HEADWATERS_REDIS_PATIENCE_MS: '1000', MAX_LOOP_DELAY_MS: '0' },
  })
  const ask = itemClient(t, origin)
  const asks = replicas.map(({ origin }) => itemClient(t, origin))
  const onPrimary = await primary.client(t)
  const onReplica = await replica.client(t)

  await untilShared(asks, upstream)
  t.match(await ask('lost'), { version: 1 })
  let entries: string[] = []
  await until(async () => (entries = await onReplica.keys('*:e:*')).length === 2)
  const load = startCheckedLoad(ask, {
    // On a busy machine, one replica can find the new primary later than the others use it. Until then it cannot send its
    // invalidations, and the others use answers from before: an exception of docs/replicas.md. A replica that uses the
    // store has sent all of them, so a change counts once all replicas have used the store after it.
    countsChanges: async () => (await withoutStore(replicas)) === 0,
  })
  await elapsed(500)

  // The primary confirms an invalidation that its replica never receives.
  await replica.stop('SIGSTOP')
  t.equal(await onPrimary.call('CLIENT', 'KILL', 'TYPE', 'replica'), 1)
  t.match(await ask('lost', 'PUT'), { version: 2 })
  await primary.stop('SIGKILL')
  await replica.stop('SIGCONT')
  await until(async () => (await withoutStore(replicas)) === replicas.length)
  await untilShared(asks, upstream)

  t.match(await onReplica.info('replication'), 'role:master', 'the replica is the primary')
  t.equal(await onReplica.exists(entries), entries.length, 'it has the entries from before')
  for (const ask of asks) t.match(await ask('lost'), { version: 2 })
  // The last load runs while all replicas use the new primary.
  const before = load.counted
  await until(() => load.counted > before + 10)
  const replies = await load.stop()
  t.ok(replies > 100, `${replies} replies`)
  t.same(load.wrong.slice(0, 5), [], `${load.wrong.length} of ${replies} replies`)
})
