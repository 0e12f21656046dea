import { join } from 'node:path'
import tap, { test, type Test } from 'tap'
import { doubles, inputLines, readLines, slowDouble, untilChunks } from '../helpers/bulk-definitions.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { redisMissing, startRedis, type RedisServer } from '../helpers/redis.ts'
import { quietPort } from '../helpers/quiet-port.ts'
import { runCommand, startService } from '../helpers/service-process.ts'
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
  const jobs = () => client.keys(`headwaters:bulk-*:${id}-*`)
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

test('the service and the check refuse a server that may evict jobs', { skip }, async t => {
  const redis = await startRedis(t, { tcp: true, config: ['maxmemory-policy volatile-lru'], password: '5ecret' })
  const { path } = definitionsFolder(t, { 'double.ts': slowDouble })
  const environment = {
    HEADWATERS_BULK_DIR: join(path, 'bulk'),
    HEADWATERS_BULK_URL: `redis://:5ecret@127.0.0.1:${redis.port}`,
  }
  for (const command of ['serve', 'check']) {
    const { code, errors } = await runCommand(t, [command, join(path, 'double.ts')], environment)
    t.equal(code, 2)
    t.match(errors, /HEADWATERS_BULK_URL: the maxmemory-policy of the server is volatile-lru/)
    t.notMatch(errors, '5ecret')
  }
})

test('a service starts without its queue, and no line of its log has the password', async t => {
  const { path } = definitionsFolder(t, { 'double.ts': slowDouble })
  const port = await quietPort()
  const { said, log } = await startService(
    t,
    { HEADWATERS_BULK_DIR: join(path, 'bulk'), HEADWATERS_BULK_URL: `redis://shop:5ecret@127.0.0.1:${port}/2` },
    ['serve', join(path, 'double.ts')],
  )
  t.match(await said('bulk queue unavailable'), { level: 40, reason: 'the connection failed with ECONNREFUSED' })
  const { set } = (await said('configuration')) as unknown as { readonly set: Readonly<Record<string, unknown>> }
  t.equal(set['HEADWATERS_BULK_URL'], `redis://[redacted]@127.0.0.1:${port}/2`)
  t.notMatch(JSON.stringify(log), '5ecret')
})

/** Makes the package look as if it were not installed. */
const withoutBullmq = `
import { registerHooks } from 'node:module'
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'bullmq') throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
    return next(specifier, context)
  },
})
`

test('a missing package is a fault of the configuration that names its installation', async t => {
  const { path } = definitionsFolder(t, { 'double.ts': slowDouble, 'hooks.mjs': withoutBullmq })
  const { code, errors } = await runCommand(t, ['check', join(path, 'double.ts')], {
    HEADWATERS_BULK_DIR: join(path, 'bulk'),
    HEADWATERS_BULK_URL: 'redis://127.0.0.1:1',
    NODE_OPTIONS: `--import ${join(path, 'hooks.mjs')}`,
  })
  t.equal(code, 2)
  t.match(errors, 'HEADWATERS_BULK_URL: the package bullmq or its client ioredis cannot be loaded: install them with')
  t.match(errors, 'npm install bullmq ioredis')
})
