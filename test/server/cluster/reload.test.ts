import { Agent } from 'node:http'
import tap, { test } from 'tap'
import { startService } from '../../helpers/service-process.ts'
import { until } from '../../helpers/until.ts'
import { callers } from './helpers/callers.ts'
import { definitions, whoAnswers, workersService } from './helpers/workers-service.ts'

// Each of its services starts several processes, and reloads can be slow on a busy machine.
tap.setTimeout(300_000)

const environment = { HEADWATERS_ENV: 'development' }

test('100 reloads of two workers under load fail no request, and keep the processes', async t => {
  const { ask, saidTimes, stop, define } = await workersService(t)
  const before = new Set((await whoAnswers(ask, 4)).map(({ pid }) => pid))
  const busy = callers(ask, 4)
  for (let version = 2; version <= 101; version++) {
    define(definitions({ version }))
    stop('SIGHUP')
    await saidTimes('definitions reloaded', version - 1)
  }
  const { versions, failures } = await busy.end()
  t.same(failures, [])
  t.ok(versions.size > 10, `${versions.size} versions were served`)
  t.ok((await whoAnswers(ask, 4)).every(({ pid, version }) => before.has(pid) && version === 101))
})

test('a request that begins before a reload ends with its definitions, and its connection stays open', async t => {
  const { ask, said, stop, define, upstream, answers } = await workersService(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const early = ask('/hung', agent)
  await upstream.asked(1)
  define(definitions({ version: 2 }))
  stop('SIGHUP')
  await said('definitions reloaded')
  t.equal((await whoAnswers(ask, 1))[0]?.version, 2)
  for (const answer of answers) answer()
  const { connection, body } = await early
  t.equal(body.data.version, 1)
  t.equal(connection, 'keep-alive')
  const next = await ask('/who', agent)
  t.match(next.body.data, { version: 2, pid: body.data.pid })
})

test('a faulty change is refused in all workers, and in the details of each', async t => {
  const { ask, origin, saidTimes, stop, define } = await workersService(t, { environment })
  const ready = async () => (await fetch(`${origin}/health/ready`, { headers: { connection: 'close' } })).json()
  const faulty = [
    ["throw new Error('no')", /throws when it is loaded: Error: no$/],
    [definitions({ concurrency: 1 }), /^upstream 'source': concurrency is 1, too few for 2 workers/],
    [
      definitions({ atLoad: "if (cluster.isWorker) throw new Error('only here')" }),
      /aggregates\.mjs:\d+:\d+: throws when it is loaded: Error: only here$/,
    ],
  ] as const
  for (const [index, [text, fault]] of faulty.entries()) {
    define(text)
    stop('SIGHUP')
    t.match((await saidTimes('reload failed', index + 1))[index], { level: 50, faults: [fault] })
    t.ok((await whoAnswers(ask, 4)).every(({ version }) => version === 1))
    for (let time = 0; time < 4; time++)
      await until(
        async () => ((await ready()) as { definitions: { refused?: unknown } }).definitions.refused !== undefined,
      )
  }
  const scrape = await (await fetch(`${origin}/metrics`)).text()
  t.match(scrape, /^headwaters_reloads_total\{result="refused"\} 3$/m)
  t.match(scrape, /^headwaters_reload_refused 1$/m)
  define(definitions({ version: 2 }))
  stop('SIGHUP')
  await saidTimes('definitions reloaded', 1)
  t.ok((await whoAnswers(ask, 4)).every(({ version }) => version === 2))
  t.match(await ready(), { status: 'ready', definitions: { loadedAt: /Z$/, refused: undefined } })
  t.match(await (await fetch(`${origin}/metrics`)).text(), /^headwaters_reload_refused 0$/m)
})

test('definitions that end a worker end one of them only, and are refused', async t => {
  const { ask, said, stop, define } = await workersService(t)
  define(definitions({ version: 2, atLoad: 'if (cluster.isWorker) process.exit(3)' }))
  stop('SIGHUP')
  t.match(await said('reload failed'), {
    faults: [/^a worker: worker \d gave no answer when the definitions were loaded$/],
  })
  t.equal((await whoAnswers(ask, 1))[0]?.version, 1)
  define(definitions({ version: 3 }))
  await until(async () => (await whoAnswers(ask, 4)).some(({ version }) => version === 3))
  stop('SIGHUP')
  await said('definitions reloaded')
  t.ok((await whoAnswers(ask, 4)).every(({ version }) => version === 3))
})

test('--watch reloads all workers after a change of a file', async t => {
  const { ask, said, define } = await workersService(t, { flags: ['--workers', '2', '--watch'] })
  const before = new Set((await whoAnswers(ask, 4)).map(({ pid }) => pid))
  define(definitions({ version: 2 }))
  await said('definitions reloaded')
  t.ok((await whoAnswers(ask, 4)).every(({ pid, version }) => before.has(pid) && version === 2))
})

test('the built-in aggregates of workers have no files to reload', async t => {
  const { said, stop, origin } = await startService(t, {}, ['serve', '--workers', '2'])
  await said('serving')
  stop('SIGHUP')
  await said('no reload; the built-in aggregates have no files')
  t.equal((await fetch(`${origin}/health/ready`)).status, 200)
})
