import { join } from 'node:path'
import tap, { test } from 'tap'
import { keysOf } from '../../src/redis/commands/keys.ts'
import { doubles, inputLines, readLines, slowDouble } from '../helpers/bulk-definitions.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { redisMissing, startRedis } from '../helpers/redis.ts'
import { startService } from '../helpers/service-process.ts'
import { until } from '../helpers/until.ts'
import { definitions, whoAnswers, workersService } from './cluster/helpers/workers-service.ts'

// Reloads can be slow on a busy machine.
tap.setTimeout(300_000)

const program = 'test/server/helpers/serve-three-reloads.ts'

test('with Redis the worker is the same replica, and the process before it leaves', { skip: redisMissing }, async t => {
  const server = await startRedis(t, { tcp: true })
  const client = await server.client(t)
  const { define, stop, saidTimes, ended } = await workersService(t, {
    flags: [],
    environment: { HEADWATERS_REDIS_URL: server.url, RATE_LIMIT: '100' },
    program,
  })
  const members = () => client.zrange(keysOf('headwaters').members, '0', '-1')
  await until(async () => (await members()).length === 1)
  const [first = ''] = await members()
  for (let version = 2; version <= 5; version++) {
    define(definitions({ version }))
    stop('SIGHUP')
    await saidTimes('definitions reloaded', version - 1)
  }
  await until(async () => {
    const [only, ...others] = await members()
    return others.length === 0 && only !== undefined && only !== first
  })
  const [last = ''] = await members()
  const serviceOf = (member: string) => member.slice(0, member.indexOf('/'))
  t.equal(serviceOf(last), serviceOf(first))
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})

test('a bulk run goes on in the worker', async t => {
  const items = 400
  const { path, write } = definitionsFolder(t, { 'double.ts': slowDouble })
  const { origin, said, saidTimes, stop, ended } = await startService(
    t,
    { HEADWATERS_BULK_DIR: join(path, 'bulk') },
    ['serve', join(path, 'double.ts')],
    { program },
  )
  await said('serving')
  const created = await fetch(`${origin}/v1/bulk/double`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: inputLines(items),
  })
  const url = `${origin}/v1/bulk/runs/${((await created.json()) as { id: string }).id}`
  for (let reload = 1; reload <= 4; reload++) {
    write('double.ts', `${slowDouble}\n// ${reload}\n`)
    stop('SIGHUP')
    await saidTimes('definitions reloaded', reload)
  }
  await until(async () => ((await (await fetch(url)).json()) as { state: string }).state === 'completed')
  t.same(readLines(await (await fetch(`${url}/results`)).text()), doubles(items))
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})

test('SIGTERM after the replacement drains the requests of both processes', async t => {
  const { ask, define, stop, said, saidTimes, upstream, answers, ended } = await workersService(t, {
    flags: [],
    program,
  })
  const early = ask('/hung')
  await upstream.asked(1)
  for (let version = 2; version <= 5; version++) {
    define(definitions({ version }))
    stop('SIGHUP')
    await saidTimes('definitions reloaded', version - 1)
  }
  const late = ask('/hung')
  await upstream.asked(2)
  stop('SIGTERM')
  await said('draining')
  for (const answer of answers) answer()
  t.match(await Promise.all([early, late]), [
    { status: 200, body: { data: { version: 1 } } },
    { status: 200, body: { data: { version: 5 } } },
  ])
  t.same(await ended, { code: 0, signal: null })
})

test('SIGTERM while the worker starts ends the worker, and drains the process', async t => {
  const { ask, define, stop, said, saidTimes, upstream, answers, ended } = await workersService(t, {
    flags: [],
    program,
  })
  const early = ask('/hung')
  await upstream.asked(1)
  for (let version = 2; version <= 4; version++) {
    define(definitions({ version }))
    stop('SIGHUP')
    await saidTimes('definitions reloaded', version - 1)
  }
  define(definitions({ version: 5, atLoad: 'await new Promise(() => setInterval(() => {}, 1000))' }))
  stop('SIGHUP')
  await said('starting a worker that serves instead')
  t.match(await whoAnswers(ask, 1), [{ version: 4 }])
  stop('SIGTERM')
  await said('draining')
  for (const answer of answers) answer()
  t.match(await early, { status: 200, body: { data: { version: 1 } } })
  t.same(await ended, { code: 0, signal: null })
})
