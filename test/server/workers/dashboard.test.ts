import tap, { test } from 'tap'
import type { Hello } from '../../../src/dashboard/protocol.ts'
import { isExact } from '../../helpers/timing.ts'
import { until } from '../../helpers/until.ts'
import { openDashboard } from './helpers/open-dashboard.ts'
import { definitions, twoWorkers } from './helpers/two-workers.ts'

// Each of its services starts several processes.
tap.setTimeout(200_000)

const running = [
  { worker: 1, state: 'running' },
  { worker: 2, state: 'running' },
]

/** The number of runs of an aggregate in the two minutes that a dashboard shows at first. */
async function runsIn(dashboard: Awaited<ReturnType<typeof openDashboard>>, aggregate: string): Promise<number> {
  const { aggregates, history } = await dashboard.hello()
  const points = history.aggregates[aggregates.findIndex(({ name }) => name === aggregate)]?.runs ?? []
  return Math.round(points.reduce((sum, runs) => sum + runs, 0))
}

test('the dashboard shows the sums, the runs and the breakers of both workers', async t => {
  const { adminPort, upstream, askTimes } = await twoWorkers(t, {
    HEADWATERS_UPSTREAM_SOURCE_CONCURRENCY: '8',
  })
  await askTimes('/ask', 6)
  const dashboard = await openDashboard(t, adminPort)
  const { upstreams, keptRuns, runs } = await dashboard.hello()
  t.equal(keptRuns, true)
  t.match(upstreams, [{ name: 'source', operations: ['ask'], usedBy: ['ask'] }])
  t.same(new Set(runs.map(({ worker }) => worker)), new Set([1, 2]))
  await dashboard.sample(({ workers }) => JSON.stringify(workers) === JSON.stringify(running))
  await askTimes('/ask', 10)
  await until(() => dashboard.runs('ask') >= 10)
  const { upstreams: rows } = await dashboard.sample(sample => sample.upstreams.some(({ attempts }) => attempts > 0))
  t.match(rows, [{ permitLimit: 8, health: 'healthy' }], 'the permits of both workers')

  upstream.isFailing = true
  await until(async () => {
    await askTimes('/ask', 2)
    return dashboard.of('breaker').length === 2
  })
  t.match(dashboard.of('breaker'), [
    { upstream: 'source', from: 'closed', to: 'open' },
    { upstream: 'source', from: 'closed', to: 'open' },
  ])
  await dashboard.sample(sample =>
    sample.upstreams.some(({ health, breaker }) => health === 'failing' && breaker === 'open'),
  )
  const rowsOfRuns = () => dashboard.of('runs').flatMap(({ rows: each }) => each)
  await until(() => new Set(rowsOfRuns().map(({ worker, state }) => `${worker} ${state}`)).size >= 4)
  // So many runs have failed at once that some of them have no row.
  const before = dashboard.of('sample').length
  await until(() => dashboard.of('sample').length > before + 2)
  const [reply] = await askTimes('/ask', 1)
  await until(() => rowsOfRuns().some(({ requestId }) => requestId === reply?.requestId))
})

test('an upstream that begins to fail is failing within 2 s, and its breakers are open within 6 s', async t => {
  const { adminPort, origin, upstream } = await twoWorkers(t)
  const dashboard = await openDashboard(t, adminPort)
  const timer = setInterval(
    () =>
      void fetch(`${origin}/ask`).then(
        reply => reply.text(),
        () => {},
      ),
    20,
  )
  t.teardown(() => clearInterval(timer))
  await dashboard.sample(({ upstreams }) =>
    upstreams.some(({ health, attempts }) => health === 'healthy' && attempts > 10),
  )
  upstream.isFailing = true
  const failedAt = Date.now()
  const slack = isExact ? 1 : 3
  const { at } = await dashboard.sample(({ upstreams }) => upstreams.some(({ health }) => health === 'failing'))
  t.ok(at - failedAt < 2000 * slack, `failing after ${at - failedAt} ms`)
  await until(() => dashboard.of('breaker').filter(({ to }) => to === 'open').length >= 2)
  t.ok(Date.now() - failedAt < 6000 * slack, `open after ${Date.now() - failedAt} ms`)
})

test('the counts of a worker that crashes stay in the sums, and its state is shown until it runs again', async t => {
  const { adminPort, ask, askTimes, said } = await twoWorkers(t)
  const dashboard = await openDashboard(t, adminPort)
  await askTimes('/one', 10)
  await until(() => dashboard.runs('one') === 10)
  await ask('/crash').catch(() => {})
  await said('worker exited unexpectedly; restarting')
  await dashboard.sample(({ workers }) => workers.some(({ state }) => state === 'starting'))
  await until(() => JSON.stringify(dashboard.of('sample').at(-1)?.workers) === JSON.stringify(running))
  await askTimes('/one', 4)
  await until(() => dashboard.runs('one') === 14)
  t.equal(await runsIn(await openDashboard(t, adminPort), 'one'), 14, 'a new reader has all of them')
})

test('a worker that hangs is shown, also if it has no heartbeat', async t => {
  const { adminPort, ask } = await twoWorkers(t)
  const dashboard = await openDashboard(t, adminPort)
  const blocked = ask('/block')
  const { workers } = await dashboard.sample(sample => sample.workers.some(({ state }) => state === 'hung'))
  t.same(workers.map(({ state }) => state).sort(), ['hung', 'running'])
  const since = performance.now()
  await (await openDashboard(t, adminPort)).hello()
  const ms = performance.now() - since
  t.ok(ms < 3000, `a new reader waits ${Math.round(ms)} ms for the first event`)
  await blocked
  await until(() => JSON.stringify(dashboard.of('sample').at(-1)?.workers) === JSON.stringify(running))
})

test('a dashboard stays open during a restart, and shows the new definitions', async t => {
  const { adminPort, askTimes, define, stop, said } = await twoWorkers(t)
  const dashboard = await openDashboard(t, adminPort)
  const names = ({ aggregates }: Hello) => aggregates.map(({ name }) => name).sort()
  t.same(names(await dashboard.hello()), ['ask', 'block', 'crash', 'one', 'sent', 'stall'])
  await askTimes('/one', 6)
  define(definitions({ name: 'next' }))
  stop('SIGUSR2')
  await said('rolling restart completed')
  await dashboard.hello(hello => names(hello).includes('next'))
  await dashboard.sample(({ workers }) => workers.some(({ state }) => state === 'stopping' || state === 'starting'))
  await until(() => JSON.stringify(dashboard.of('sample').at(-1)?.workers) === JSON.stringify(running))
  await askTimes('/next', 4)
  await until(() => dashboard.runs('next') === 4)
  t.equal(dashboard.runs('one'), 6, 'the counts of the workers that were replaced')
  t.same(dashboard.of('bye'), [])
})

test('a dashboard stays open during a reload, and shows the new definitions with the counts from before', async t => {
  const { adminPort, askTimes, define, stop, said } = await twoWorkers(t)
  const dashboard = await openDashboard(t, adminPort)
  await dashboard.hello()
  await askTimes('/one', 6)
  // A sample that arrives while the next hello is made is in its points, and not sent as an event.
  await until(() => dashboard.runs('one') === 6)
  define(definitions({ name: 'next' }))
  stop('SIGHUP')
  await said('definitions reloaded')
  await dashboard.hello(({ aggregates }) => aggregates.some(({ name }) => name === 'next'))
  await askTimes('/next', 4)
  await until(() => dashboard.runs('next') === 4)
  t.equal(dashboard.runs('one'), 6)
  t.equal(await runsIn(await openDashboard(t, adminPort), 'one'), 6, 'the points of a new reader')
  t.same(dashboard.of('bye'), [])
})

test('a drain ends the dashboard with bye, after the last counts', async t => {
  const { adminPort, askTimes, stop, ended } = await twoWorkers(t)
  const dashboard = await openDashboard(t, adminPort)
  await dashboard.hello()
  await askTimes('/one', 2)
  stop('SIGTERM')
  await dashboard.ended
  t.match(dashboard.events.at(-1), { type: 'bye', reason: 'draining' })
  t.match(await ended, { code: 0 })
})

test('with DASHBOARD=off the primary has no dashboard, and the kept runs of its workers', async t => {
  const { admin, list, askTimes, ask } = await twoWorkers(t, { DASHBOARD: 'off' })
  await askTimes('/one', 2)
  for (const path of ['/dashboard', '/dashboard/events']) t.match(await admin(path), { status: 404 })
  t.equal((await list()).incomplete.length, 0)
  const { body } = await ask<{ kinds: string[] }>('/sent')
  t.same(new Set(body.data.kinds), new Set(['listening', 'answered']))
})
