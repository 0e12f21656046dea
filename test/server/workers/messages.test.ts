import tap, { test } from 'tap'
import { elapsed, until } from '../../helpers/until.ts'
import { openDashboard } from './helpers/open-dashboard.ts'
import { twoWorkers } from './helpers/two-workers.ts'

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
