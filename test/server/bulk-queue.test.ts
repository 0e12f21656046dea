import { join } from 'node:path'
import tap, { test, type Test } from 'tap'
import { doubles, inputLines, readLines, slowDouble, untilChunks } from '../helpers/bulk-definitions.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { redisMissing, startRedis, type RedisServer } from '../helpers/redis.ts'
import { startService } from '../helpers/service-process.ts'
import { elapsed, until } from '../helpers/until.ts'

// Each test starts several processes, and a lost lock lasts for 10 s.
tap.setTimeout(180_000)

const skip = redisMissing
const items = 2000

function folders(t: Test, redis: RedisServer) {
  const { path } = definitionsFolder(t, { 'double.ts': slowDouble })
  const dir = join(path, 'bulk')
  const environment = { HEADWATERS_BULK_DIR: dir, HEADWATERS_BULK_URL: redis.url }
  return {
    dir,
    start: (...args: string[]) => startService(t, environment, ['serve', join(path, 'double.ts'), ...args]),
  }
}

async function create(origin: string): Promise<string> {
  const created = await fetch(`${origin}/v1/bulk/double`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: inputLines(items),
  })
  return ((await created.json()) as { id: string }).id
}

/** Checks that the run ends with every result once. */
async function completes(t: Test, origin: string, id: string): Promise<void> {
  const url = `${origin}/v1/bulk/runs/${id}`
  await until(
    async () => {
      await elapsed(50)
      // The worker of a connection may have been killed.
      const reply = await fetch(url).catch(() => undefined)
      return reply !== undefined && ((await reply.json()) as { state: string }).state === 'completed'
    },
    { withinMs: 90_000 },
  )
  t.same(readLines(await (await fetch(`${url}/results`)).text()), doubles(items))
}

test('two services share a run, and one of them survives kill -9 of the other', { skip }, async t => {
  const redis = await startRedis(t, { tcp: true })
  const { dir, start } = folders(t, redis)
  const [first, second] = await Promise.all([start(), start()])
  const id = await create(first.origin)
  await Promise.all([first.said('bulk run started'), second.said('bulk run started')])
  await untilChunks(dir, 3)
  first.stop('SIGKILL')
  await first.exited
  await completes(t, second.origin, id)
  const client = await redis.client(t)
  const jobs = () => client.keys('headwaters:bulk-*:*-*')
  await until(async () => (await jobs()).length === 0)
  t.same(await jobs(), [])
})

test('a run survives kill -9 of a worker', { skip }, async t => {
  const { dir, start } = folders(t, await startRedis(t, { tcp: true }))
  const { origin, saidTimes } = await start('--workers', '2')
  const id = await create(origin)
  const [first] = await saidTimes('bulk run started', 2)
  await untilChunks(dir, 3)
  process.kill(first?.['pid'] as number, 'SIGKILL')
  await completes(t, origin, id)
})

test('a run survives kill -9 of Redis, which comes back empty', { skip }, async t => {
  const redis = await startRedis(t, { tcp: true })
  const { dir, start } = folders(t, redis)
  const { origin, said, log } = await start()
  const id = await create(origin)
  await untilChunks(dir, 3)
  await redis.stop('SIGKILL')
  await said('bulk queue unavailable; bulk runs pause until it is available again')
  const paused = (await (await fetch(`${origin}/v1/bulk/runs/${id}/pause`, { method: 'POST' })).json()) as object
  t.match(paused, { state: 'paused' }, 'the routes need no Redis')
  await fetch(`${origin}/v1/bulk/runs/${id}/resume`, { method: 'POST' })
  await redis.restart()
  await completes(t, origin, id)
  t.equal(log.filter(({ msg }) => msg.startsWith('bulk queue unavailable')).length, 1, 'one line per outage')
})
