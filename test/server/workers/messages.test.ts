import tap, { test } from 'tap'
import { elapsed, until } from '../../helpers/until.ts'
import { openDashboard } from './helpers/open-dashboard.ts'
import { definitions, twoWorkers } from './helpers/two-workers.ts'

// Each of its services starts several processes.
tap.setTimeout(120_000)

type Service = Awaited<ReturnType<typeof twoWorkers>>

/** The kinds of the messages that one worker has sent. */
async function kindsOf({ ask }: Service, pid?: number): Promise<{ readonly pid: number; readonly kinds: string[] }> {
  let found: { pid: number; kinds: string[] } | undefined
  await until(async () => {
    found = (await ask<{ pid: number; kinds: string[] }>('/sent')).body.data
    return pid === undefined || found.pid === pid
  })
  return found as { pid: number; kinds: string[] }
}

test('without an open dashboard a worker sends one sample a second and nothing else', async t => {
  const service = await twoWorkers(t)
  const { pid, kinds: before } = await kindsOf(service)
  t.equal(before[0], 'listening')
  await service.askTimes('/ask', 10)
  const since = performance.now()
  await elapsed(3000)
  const { kinds } = await kindsOf(service, pid)
  const seconds = (performance.now() - since) / 1000
  const later = kinds.slice(before.length)
  t.same(new Set(later), new Set(['sample']))
  t.ok(later.length >= 2 && later.length <= seconds + 2, `${later.length} samples in ${seconds.toFixed(1)} s`)
  t.same(
    before.filter(kind => kind !== 'sample' && kind !== 'answered'),
    ['listening'],
    'the answer at the start names the upstreams',
  )
})

test('after the last dashboard has closed, a worker sends rows of runs no longer', async t => {
  const service = await twoWorkers(t)
  const dashboard = await openDashboard(t, service.adminPort)
  await dashboard.hello()
  await service.askTimes('/ask', 4)
  await until(() => dashboard.of('runs').length > 0)
  const { pid, kinds: open } = await kindsOf(service)
  t.ok(open.includes('kept'))
  dashboard.close()
  // Rows that were collected before the close may still be on their way.
  await elapsed(1500)
  const { kinds: before } = await kindsOf(service, pid)
  await service.askTimes('/ask', 4)
  await elapsed(2500)
  const { kinds } = await kindsOf(service, pid)
  const later = kinds.slice(before.length)
  t.same(new Set(later), new Set(['sample']))
  t.ok(later.length <= 4, `${later.length} samples in about 2.5 s`)
})

test('without a dashboard and kept runs a worker sends no message but that it listens', async t => {
  const service = await twoWorkers(t, { DASHBOARD: 'off', KEPT_RUNS: '0' })
  await service.askTimes('/ask', 4)
  await elapsed(1500)
  t.same((await kindsOf(service)).kinds, ['listening'])
})

/** Messages of a worker with the mark of its channel, of which each has a wrong shape or answers no question. */
const wrong = `
const counts = length => Array(length).fill(1)
const row = { name: 'source', counts: counts(10), gauges: counts(4), latency: [], failures: [] }
const wrong = [
  { kind: 'sample' },
  { kind: 'sample', sample: null },
  { kind: 'sample', sample: { upstreams: [null], aggregates: [] } },
  { kind: 'sample', sample: { upstreams: [{ ...row, counts: counts(11) }], aggregates: [] } },
  { kind: 'sample', sample: { upstreams: [{ ...row, gauges: ['1', 1, 1, 1] }], aggregates: [] } },
  { kind: 'sample', sample: { upstreams: [], aggregates: [{ name: 1 }] } },
  { kind: 'sample', sample: { upstreams: [{ ...row, name: '__proto__' }], aggregates: [] } },
  { kind: 'kept', rows: [{}], more: {} },
  { kind: 'kept', rows: 1 },
  { kind: 'breaker', change: { upstream: 'source' } },
  { kind: 'breaker', change: { type: 'breaker', at: 1, upstream: 'constructor', from: 'open', to: 'half-open' } },
  { kind: 'answered', id: 999, text: '{', isLast: true },
  { kind: 'answered', id: -1, text: '', isLast: 1 },
  { kind: 'notAnswered', id: 999 },
]
if (cluster.isWorker) {
  const { send } = process
  let mark
  process.send = function (message, ...rest) {
    if (mark === undefined && typeof message?.headwaters === 'string') {
      mark = message.headwaters
      setImmediate(() => { for (const each of wrong) send.call(process, { headwaters: mark, ...each }) })
    }
    return send.call(this, message, ...rest)
  }
}
`

test('messages of a wrong shape end no process and change nothing that the dashboard shows', async t => {
  const atLoad = `import cluster from 'node:cluster'\n${wrong}`
  const service = await twoWorkers(t, {}, definitions({ atLoad }))
  const dashboard = await openDashboard(t, service.adminPort)
  const { upstreams } = await dashboard.hello()
  t.same(
    upstreams.map(({ name }) => name),
    ['source'],
  )
  await service.askTimes('/one', 4)
  await until(() => dashboard.runs('one') === 4)
  const attempts = dashboard.of('sample').flatMap(sample => sample.upstreams.map(row => row.attempts))
  t.equal(
    attempts.reduce((sum, each) => sum + each, 0),
    0,
  )
  const { runs, incomplete } = await service.list('?aggregate=one')
  t.ok(runs.length > 0)
  t.same(incomplete, [])
  t.same(
    service.log.filter(({ level }) => level >= 40).map(({ msg }) => msg),
    [],
  )
  service.stop('SIGTERM')
  t.match(await service.ended, { code: 0 })
})
