import { Agent } from 'node:http'
import tap, { test, type Test } from 'tap'
import { until } from '../helpers/until.ts'
import { callers } from './cluster/helpers/callers.ts'
import {
  definitions,
  whoAnswers,
  workersService,
  type WorkersServiceOptions,
} from './cluster/helpers/workers-service.ts'

// Reloads can be slow on a busy machine.
tap.setTimeout(300_000)

const program = 'test/server/helpers/serve-three-reloads.ts'

/** A service of one process that is replaced at its fourth reload. */
async function arrange(t: Test, options: WorkersServiceOptions = {}) {
  const service = await workersService(t, {
    flags: [],
    environment: { HEADWATERS_ENV: 'development' },
    program,
    ...options,
  })
  const { define, stop, saidTimes, ask, origin } = service
  let version = 1
  const reload = async (atLoad = '') => {
    version++
    define(definitions({ version, atLoad }))
    stop('SIGHUP')
    await saidTimes('definitions reloaded', version - 1)
  }
  return {
    ...service,
    reload,
    /** Reloads until a worker serves. Returns the worker. */
    replace: async () => {
      for (let time = 0; time < 4; time++) await reload()
      const [who] = await whoAnswers(ask, 1)
      t.match(who, { version: 5 })
      t.not(who?.pid, service.pid)
      return who as { readonly pid: number }
    },
    /** Returns the number of requests of a route that the metrics count. */
    counted: async (route: string): Promise<number> => {
      const lines = (await (await fetch(`${origin}/metrics`)).text()).split('\n')
      const counts = lines.filter(
        line =>
          line.startsWith('http_server_request_duration_seconds_count{') && line.includes(`http_route="${route}"`),
      )
      return counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    },
    metric: async (series: string): Promise<number> => {
      const lines = (await (await fetch(`${origin}/metrics`)).text()).split('\n')
      return Number(lines.find(line => line.startsWith(`${series} `))?.slice(series.length + 1))
    },
  }
}

test('the process that has reloaded three times is replaced by a worker, and no request fails', async t => {
  const { ask, replace, reload, stop, said, saidTimes, pid, metric, ended } = await arrange(t)
  const busy = callers(ask, 4)
  const worker = await replace()
  t.match(await said('starting a worker that serves instead'), { reloads: 3 })
  await reload()
  const [after] = await whoAnswers(ask, 1)
  t.match(after, { pid: worker.pid, version: 6 })
  stop('SIGUSR2')
  await said('rolling restart completed')
  const [replaced] = await whoAnswers(ask, 1)
  t.notOk([pid, worker.pid].includes(replaced?.pid as number))
  // The new worker is replaced when it has reloaded three times too.
  for (let time = 0; time < 3; time++) await reload()
  await saidTimes('rolling restart completed', 2)
  await until(async () => (await whoAnswers(ask, 1))[0]?.pid !== replaced?.pid)
  const { versions, failures } = await busy.end()
  t.same(failures, [])
  t.ok(versions.size > 3, `${versions.size} versions were served`)
  t.equal(await metric('headwaters_reloads_total{result="ok"}'), 8)
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})

test('requests that are in flight at the replacement end with their definitions, and are counted', async t => {
  const { ask, replace, upstream, answers, counted, stop, ended } = await arrange(t)
  await ask('/who')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const early = [ask('/hung', agent), ask('/hung')]
  await upstream.asked(2)
  const worker = await replace()
  for (const answer of answers) answer()
  for (const { status, body } of await Promise.all(early)) t.match([status, body.data.version], [200, 1])
  // A connection of the process that was replaced is closed with its next answer, or when no request comes.
  const next = [await ask('/who', agent), await ask('/who', agent)]
  t.ok(next.every(({ status }) => status === 200))
  t.equal(next[1]?.body.data.pid, worker.pid)
  t.equal(await counted('/hung'), 2, 'the requests of the process that was replaced are in the metrics')
  t.ok((await counted('/who')) >= 3, 'and those of the worker')
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})

test('a worker that is killed is replaced, and callers can connect meanwhile', async t => {
  const { ask, replace, reload, said, stop, ended } = await arrange(t)
  const worker = await replace()
  process.kill(worker.pid, 'SIGKILL')
  await said('worker exited unexpectedly; restarting')
  const [next] = await whoAnswers(ask, 1)
  t.not(next?.pid, worker.pid)
  await reload()
  t.match(await whoAnswers(ask, 1), [{ pid: next?.pid, version: 6 }])
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})

test('a faulty change is refused by the worker as by the process before', async t => {
  const { ask, replace, define, stop, said, origin, metric } = await arrange(t)
  await replace()
  define("throw new Error('no')")
  stop('SIGHUP')
  t.match(await said('reload failed'), { faults: [/aggregates\.mjs:\d+:\d+: throws when it is loaded: Error: no$/] })
  t.match(await whoAnswers(ask, 1), [{ version: 5 }])
  await until(async () => {
    const ready = await (await fetch(`${origin}/health/ready`, { headers: { connection: 'close' } })).json()
    return (ready as { definitions: { refused?: object } }).definitions.refused !== undefined
  })
  t.equal(await metric('headwaters_reload_refused'), 1)
  define(definitions({ version: 6 }))
  stop('SIGHUP')
  await until(async () => (await whoAnswers(ask, 1))[0]?.version === 6)
  t.equal(await metric('headwaters_reload_refused'), 0)
})

test('a worker that cannot serve leaves the process as it is, and the next reload tries again', async t => {
  const { ask, reload, define, stop, said, saidTimes, pid, ended } = await arrange(t)
  for (let time = 0; time < 3; time++) await reload()
  const busy = callers(ask, 4)
  define("throw new Error('no')")
  stop('SIGHUP')
  t.match(await said('reload failed'), { faults: [/throws when it is loaded: Error: no$/] })
  t.match(await whoAnswers(ask, 1), [{ pid, version: 4 }])
  define(definitions({ version: 5, atLoad: 'if (cluster.isWorker) process.exit(3)' }))
  stop('SIGHUP')
  await said('the worker did not start')
  await saidTimes('definitions reloaded', 4)
  t.match(await whoAnswers(ask, 1), [{ pid, version: 5 }])
  define(definitions({ version: 6 }))
  stop('SIGHUP')
  await saidTimes('definitions reloaded', 5)
  const [who] = await whoAnswers(ask, 1)
  t.match(who, { version: 6 })
  t.not(who?.pid, pid)
  t.same((await busy.end()).failures, [])
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})

test('--watch tries a faulty change once, before the replacement and after it', async t => {
  const { ask, define, said, saidTimes, log, origin } = await arrange(t, { flags: ['--watch'] })
  const linesOf = (text: string) => log.filter(({ msg }) => msg.includes(text)).length
  let faulty = 0
  for (let version = 2; version <= 7; version++) {
    if (version === 5 || version === 7) {
      define(version === 5 ? "throw new Error('no')" : 'process.exit(3)')
      await saidTimes('reload failed', ++faulty)
      await until(async () => (await fetch(`${origin}/who`).catch(() => undefined))?.status === 200)
    }
    define(definitions({ version }))
    await saidTimes('definitions reloaded', version - 1)
    t.match(await whoAnswers(ask, 1), [{ version }])
  }
  await said('starting a worker that serves instead')
  t.equal(linesOf('the worker did not start'), 1)
  t.equal(linesOf('reload failed'), 2)
})

test('the primary of workers evaluates no definitions at a reload, and replaces workers that have reloaded three times', async t => {
  const { ask, reload, said, saidTimes, stop, ended } = await arrange(t, { flags: ['--workers', '2'] })
  const before = new Set((await whoAnswers(ask, 4)).map(({ pid }) => pid))
  const busy = callers(ask, 4)
  for (let time = 0; time < 3; time++) await reload('if (cluster.isPrimary) process.exit(3)')
  t.match(await said('replacing all workers'), { reloads: 3 })
  await said('rolling restart completed')
  t.ok((await whoAnswers(ask, 4)).every(({ pid, version }) => !before.has(pid) && version === 4))
  const { failures } = await busy.end()
  t.same(failures, [])
  await reload()
  t.equal((await saidTimes('rolling restart completed', 1)).length, 1)
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})
