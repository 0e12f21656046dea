import { Agent, request } from 'undici'
import { test, type Test } from 'tap'
import { nginxMissing } from '../../helpers/nginx.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { startReplicas } from '../../helpers/replicas.ts'
import { elapsed, until } from '../../helpers/until.ts'
import { versionedUpstream } from '../../helpers/versioned-upstream.ts'

const skip = redisMissing || nginxMissing

/** How many requests are sent at once. */
const burst = 3000

/** The status of a request and the version in its body; 0 without a body of an item. */
interface Reply {
  readonly status: number
  readonly version: number
}

const failuresOf = (replies: readonly Reply[]) => replies.filter(({ status }) => status !== 200)

async function arrange(t: Test) {
  const redis = await startRedis(t, { tcp: true })
  const upstream = await versionedUpstream(t)
  const { origin, replicas } = await startReplicas(t, {
    upstream: upstream.origin,
    redis: redis.url,
    // Other tests run beside this one: a reply of Redis can take longer than usual, and no replica refuses requests.
    environment: { HEADWATERS_REDIS_PATIENCE_MS: '2000', MAX_LOOP_DELAY_MS: '0' },
  })
  const dispatcher = new Agent({ connections: burst })
  t.teardown(() => dispatcher.destroy())
  async function ask(key: string, from = origin): Promise<Reply> {
    const { statusCode, body } = await request(`${from}/items/${key}`, { dispatcher })
    const text = await body.text()
    return { status: statusCode, version: statusCode === 200 ? (JSON.parse(text) as Reply).version : 0 }
  }
  return {
    upstream,
    replicas,
    ask,
    askAll: (key: string) => Promise.all(Array.from({ length: burst }, () => ask(key))),
  }
}

test('three replicas behind nginx', { skip }, async t => {
  const { upstream, replicas, ask, askAll } = await arrange(t)

  await t.test('3,000 equal requests with an empty cache are one call to the upstream', async t => {
    upstream.latencyMs = 300
    const replies = await askAll('cold')
    t.same(failuresOf(replies), [])
    t.equal(upstream.callsOf('cold').length, 1)
  })

  await t.test('the end of the freshness of an answer that all replicas use is one call', async t => {
    upstream.latencyMs = 50
    upstream.maxAge = 3
    await ask('hot')
    const storedAt = performance.now()
    const replies: Promise<Reply>[] = []
    for (let sent = 0; upstream.callsOf('hot').length < 2 && sent < 3000; sent++) {
      replies.push(ask('hot'), ask('hot'), ask('hot'))
      await elapsed(5)
    }
    t.same(failuresOf(await Promise.all(replies)), [])
    t.ok(performance.now() - storedAt > 1000, 'the answer was fresh for a time')
    t.equal(upstream.callsOf('hot').length, 2, 'one refresh')
    upstream.maxAge = 60
  })

  await t.test('a PUT through one replica is seen by the others', async t => {
    upstream.latencyMs = 0
    for (const { origin } of replicas) t.equal((await ask('item', origin)).version, 1)
    t.equal(upstream.callsOf('item').length, 1)
    for (const [index, { origin }] of replicas.entries()) {
      const version = index + 2
      t.equal((await fetch(`${origin}/items/item`, { method: 'PUT' })).status, 200)
      for (const replica of replicas) {
        await until(async () => (await ask('item', replica.origin)).version === version)
        t.equal((await ask('item', replica.origin)).version, version, 'an older version does not come back')
      }
      t.equal(upstream.callsOf('item').length, version, 'one call per version')
    }
  })

  await t.test('at most three calls are sent if the replica that sends the call is killed', async t => {
    upstream.latencyMs = 300
    const asked = askAll('killed')
    await until(() => upstream.callsOf('killed').length > 0)
    const pid = upstream.callsOf('killed')[0]?.pid as number
    process.kill(pid, 'SIGKILL')
    const failures = failuresOf(await asked)
    const calls = upstream.callsOf('killed').length
    t.ok(calls > 1 && calls <= 3, `${calls} calls`)
    // nginx answers 502 for the connections of the killed one, which are a third of all.
    t.same([...new Set(failures.map(({ status }) => status))], [502])
    t.ok(failures.length <= burst / 3, `${failures.length} failures`)
    for (const { origin } of replicas.filter(replica => replica.pid !== pid))
      t.match(await ask('killed', origin), { status: 200, version: 1 })
    t.equal(upstream.callsOf('killed').length, calls, 'the answer is stored')
  })
})
