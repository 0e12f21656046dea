import { test } from 'tap'
import { createCounter, type RateCount } from '../../../src/http/guard/shared-rate-store.ts'
import { limitedProcess, limitedProcesses, type LimitedProcess } from '../../helpers/limited-process.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { elapsed, until } from '../../helpers/until.ts'

const skip = redisMissing

type Count = ReturnType<LimitedProcess['rateLimit']>

/** Counts single requests until one is refused. Returns the number of admitted ones. */
async function admitAll(count: Count, limit: number, client = 'c'): Promise<number> {
  for (let admitted = 0; ; admitted++) if ((await count(client)).current > limit) return admitted
}

interface Sent {
  readonly isAdmitted: boolean
  readonly endsAt: number
}

/** Groups requests by the window that counted them. */
function windowsOf(sent: readonly Sent[], windowMs: number): Sent[][] {
  const windows: Sent[][] = []
  for (const request of sent.toSorted((a, b) => a.endsAt - b.endsAt)) {
    const last = windows.at(-1)
    if (last === undefined || request.endsAt - (last[0] as Sent).endsAt > windowMs / 2) windows.push([request])
    else last.push(request)
  }
  return windows
}

test('three processes admit the limit to within 2 %, also when one dies', { skip }, async t => {
  const windowMs = 2000
  const all = await limitedProcesses(t, await startRedis(t), 3, { windowMs })
  const clients = [100, 1000].map(perSecond => {
    const limit = 1.5 * perSecond
    return { perSecond, limit, counts: all.map(({ rateLimit }) => rateLimit(limit)), sent: [] as Promise<Sent>[] }
  })
  const startedAt = performance.now()
  let alive = all
  for (let ms = 0; ms < 3.1 * windowMs; ms = performance.now() - startedAt) {
    if (ms > 1.3 * windowMs && alive.length === 3) {
      alive.at(-1)?.die()
      alive = alive.slice(0, 2)
    }
    for (const { perSecond, limit, counts, sent } of clients)
      while (sent.length < (ms * perSecond) / 1000) {
        const counted = counts[sent.length % alive.length]?.(`client of ${perSecond}`)
        sent.push(
          (counted as ReturnType<Count>).then(({ current, ttl }) => ({
            isAdmitted: current <= limit,
            endsAt: performance.now() + ttl,
          })),
        )
      }
    await elapsed(5)
  }
  for (const { perSecond, limit, sent } of clients) {
    const windows = windowsOf(await Promise.all(sent), windowMs).slice(0, 3)
    const counted = windows.map(window => window.length)
    const admitted = windows.map(window => window.filter(({ isAdmitted }) => isAdmitted).length)
    t.ok(counted.length === 3 && counted.every(count => count > limit), `${counted.join()} requests at ${perSecond}/s`)
    t.ok(
      admitted.every(count => count >= 0.98 * limit && count <= limit),
      `${admitted.join()} of ${limit} are admitted at ${perSecond}/s`,
    )
  }
})

test('a client above its limit costs no command', { skip }, async t => {
  const { commands, rateLimit } = await limitedProcess(t, await startRedis(t))
  const count = rateLimit(3)
  t.equal(await admitAll(count, 3), 3)
  const { ok } = commands.counts
  const counted = await Promise.all(Array.from({ length: 100 }, () => count('c')))
  t.ok(counted.every(({ current, ttl }) => current === 4 && ttl > 50_000 && ttl <= 60_000))
  t.ok(commands.counts.ok - ok < 3, 'only heartbeats')
})

test('requests that wait share one command, and are served in their order', { skip }, async t => {
  const { commands, rateLimit } = await limitedProcess(t, await startRedis(t))
  const count = rateLimit(40)
  const { ok } = commands.counts
  const counted = await Promise.all(Array.from({ length: 60 }, () => count('c')))
  t.same(
    counted.map(({ current }) => current <= 40),
    counted.map((_, index) => index < 40),
  )
  t.ok(commands.counts.ok - ok < 6, `${commands.counts.ok - ok} commands for 60 requests`)
})

test('the requests of a batch are counted together or not at all', { skip }, async t => {
  const { rateLimit } = await limitedProcess(t, await startRedis(t))
  const count = rateLimit(10)
  const isAdmitted = async (requests: number) => (await count('c', requests)).current <= 10
  t.ok(await isAdmitted(8))
  t.notOk(await isAdmitted(5))
  t.ok(await isAdmitted(2))
  t.notOk(await isAdmitted(1))
  t.notOk((await count('d', 11)).current <= 10, 'more than the limit')
  t.ok((await count('d', 10)).current <= 10)
})

test('batches that are larger than what is left are refused together', { skip }, async t => {
  const { commands, rateLimit } = await limitedProcess(t, await startRedis(t))
  const count = rateLimit(100)
  t.ok((await count('c', 90)).current <= 100)
  const { ok } = commands.counts
  const counted = await Promise.all(Array.from({ length: 50 }, () => count('c', 20)))
  t.ok(counted.every(({ current }) => current === 101))
  t.ok(commands.counts.ok - ok < 6, `${commands.counts.ok - ok} commands for 50 batches`)
  t.ok((await count('c', 10)).current <= 100, 'what is left')
})

test('each client has a limit of its own, and the least recent client is forgotten', { skip }, async t => {
  const { commands, rateLimit } = await limitedProcess(t, await startRedis(t), { maxClients: 1 })
  const count = rateLimit(2)
  t.equal(await admitAll(count, 2, 'a'), 2)
  t.equal(await admitAll(count, 2, 'b'), 2)
  const { ok } = commands.counts
  t.equal(await admitAll(count, 2, 'a'), 0, 'the store still counts it')
  t.ok(commands.counts.ok > ok)
})

test('without the store each process admits the limit divided by the processes last seen', { skip }, async t => {
  const server = await startRedis(t)
  const all = await limitedProcesses(t, server, 3)
  await server.stop()
  await until(() => all.every(({ commands }) => !commands.isReachable))
  for (const { rateLimit } of all) t.equal(await admitAll(rateLimit(10), 10), 4)
})

test('without the store a process that has admitted most has its part of the rest', { skip }, async t => {
  const server = await startRedis(t)
  const all = await limitedProcesses(t, server, 3)
  const [first, second] = all.map(({ rateLimit }) => rateLimit(90)) as [Count, Count]
  for (let request = 0; request < 40; request++) t.ok((await first('c')).current <= 90)
  await server.stop()
  await until(() => all.every(({ commands }) => !commands.isReachable))
  t.equal(await admitAll(first, 90), 16, 'of the 50 that are left')
  t.equal(await admitAll(second, 90), 30, 'a process that has admitted none has its part of the limit')
})

test('requests admitted without the store count when it is back', { skip }, async t => {
  const server = await startRedis(t)
  const all = await limitedProcesses(t, server, 2)
  const [first, second] = all.map(({ rateLimit }) => rateLimit(30)) as [Count, Count]
  await server.stop()
  await until(() => all.every(({ commands }) => !commands.isReachable))
  let admitted = 0
  for (const count of [first, second]) for (let i = 0; i < 7; i++) if ((await count('c')).current <= 30) admitted++
  t.equal(admitted, 14)
  await server.restart()
  await until(() => all.every(({ commands }) => commands.isReachable))
  // Each process reports its own with its next command.
  for (const count of [first, second]) if ((await count('c')).current <= 30) admitted++
  admitted += await admitAll(first, 30)
  admitted += await admitAll(second, 30)
  t.equal(admitted, 30)
})

test('a request is not delayed longer than the patience of its command', { skip }, async t => {
  const server = await startRedis(t)
  const { rateLimit } = await limitedProcess(t, server, { patienceMs: 50 })
  const count = rateLimit(1)
  const other = await server.client(t)
  await other.client('PAUSE', 4000, 'ALL')
  const startedAt = performance.now()
  t.equal((await count('c')).current, 1)
  t.ok(performance.now() - startedAt < 2000)
  t.equal((await count('c')).current, 2)
})

test('requests are counted within the time that an app waits, with each patience', { skip }, async t => {
  const server = await startRedis(t)
  const { commands, rateLimit } = await limitedProcess(t, server, { patienceMs: 10_000 })
  const failures: Error[] = []
  const count = createCounter(rateLimit(1), error => failures.push(error))
  const other = await server.client(t)
  await other.client('PAUSE', 4000, 'ALL')
  const ask = () => new Promise<RateCount | undefined>(resolve => count('c', 1, (_, counted) => resolve(counted)))
  const first = ask()
  // The second request arrives while the question of the first one is in flight.
  await elapsed(50)
  const counted = await Promise.all([first, ask()])
  t.same(failures, [])
  t.same(
    counted.map(each => each?.current),
    [1, 2],
  )
  t.ok(commands.counts.late > 0)
})

test('a full server still counts', { skip }, async t => {
  const server = await startRedis(t, { config: ['maxmemory 1', 'maxmemory-policy noeviction'] })
  const [first, second] = await limitedProcesses(t, server, 2)
  await t.rejects((first as LimitedProcess).client.set('key', 'value'), { message: /^OOM/ })
  const counts = [first, second].map(each => (each as LimitedProcess).rateLimit(10))
  let admitted = 0
  for (const count of counts) admitted += await admitAll(count, 10)
  t.equal(admitted, 10)
})
