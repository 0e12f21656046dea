import tap, { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/index.ts'
import { openKeptRuns } from '../../../src/server/process/kept-runs.ts'
import { until } from '../../helpers/until.ts'
import { twoWorkers } from './helpers/two-workers.ts'

// Each of its services starts several processes.
tap.setTimeout(120_000)

test('the admin listener lists the failed runs of both workers, and has each of them with its calls', async t => {
  const { upstream, askTimes, list, admin } = await twoWorkers(t)
  await askTimes('/ask', 2)
  upstream.isFailing = true
  const replies = await askTimes('/ask', 4)
  t.same(
    replies.map(({ status }) => status),
    [502, 502, 502, 502],
  )
  const { runs, kept, next, incomplete } = await list('?state=failed')
  t.equal(kept.failed, 4)
  t.equal(next, null)
  t.same(incomplete, [])
  t.same(runs.map(({ worker }) => String(worker)).sort(), ['1', '1', '2', '2'])
  t.same(
    runs.map(({ requestId }) => requestId),
    replies.map(({ requestId }) => requestId).toReversed(),
    'the newest first',
  )
  for (const { id, worker } of runs) {
    const { status, body } = await admin(`/requests/${id}`)
    t.equal(status, 200)
    t.match(body, {
      id,
      worker,
      aggregate: 'ask',
      steps: [{ name: 'it', calls: [{ operation: 'source.ask', status: 500 }] }],
    })
  }
  const first = await list('?state=failed&limit=3')
  t.equal(first.runs.length, 3)
  const rest = await list(`?state=failed&limit=3&before=${first.next}`)
  t.same([...first.runs, ...rest.runs], runs)
  t.equal(rest.next, null)
  t.same(
    (await list('?state=failed&worker=2')).runs,
    runs.filter(({ worker }) => worker === 2),
  )
  const [{ requestId, id }] = runs as [(typeof runs)[number]]
  t.match((await list(`?request=${requestId}`)).runs, [{ id }])
  t.match(await admin('/requests/7'), {
    status: 404,
    body: { code: 'NOT_FOUND', detail: /^No run with this id is kept/ },
  })
})

test('a worker that hangs is named, and the runs of the other one are there within its second', async t => {
  const { upstream, ask, askTimes, list, admin } = await twoWorkers(t)
  upstream.isFailing = true
  await askTimes('/ask', 2)
  const { runs } = await list()
  t.equal(runs.length, 2)
  const blocked = ask<number>('/block')
  await until(async () => (await list()).incomplete.length === 1)
  const since = performance.now()
  const { runs: ofOther, incomplete } = await list()
  const ms = performance.now() - since
  t.ok(ms > 990 && ms < 3000, `the list took ${Math.round(ms)} ms`)
  t.equal(ofOther.length, 1)
  t.same(new Set([...incomplete, ofOther[0]?.worker]), new Set([1, 2]))
  const [hung] = incomplete
  const own = runs.find(({ worker }) => worker !== hung)
  t.match(await admin(`/requests/${own?.id}`), { status: 200, body: { id: own?.id } })
  const lost = runs.find(({ worker }) => worker === hung)
  t.match(await admin<object>(`/requests/${lost?.id}`), {
    status: 404,
    body: {
      detail: `No other worker has kept this run, and worker ${hung} did not answer within a second: ask again.`,
    },
  })
  t.equal((await blocked).status, 200)
  t.same((await list()).incomplete, [])
  t.match(await admin(`/requests/${lost?.id}`), { status: 200, body: { id: lost?.id } })
})

test('the runs of a worker that has exited are gone, and those of its successor are kept', async t => {
  const { upstream, ask, askTimes, list, said, saidTimes } = await twoWorkers(t)
  upstream.isFailing = true
  await askTimes('/ask', 2)
  await ask('/crash').catch(() => {})
  await said('worker exited unexpectedly; restarting')
  const left = await list('?state=failed')
  t.equal(left.runs.length, 1)
  t.same(left.incomplete, [])
  await saidTimes('Server listening', 3)
  await until(async () => {
    await askTimes('/ask', 2)
    return new Set((await list('?state=failed')).runs.map(({ worker }) => worker)).size === 2
  })
})

test('without kept runs the admin listener has no list of them', async t => {
  const { admin, ask } = await twoWorkers(t, { KEPT_RUNS: '0' })
  t.equal((await ask('/one')).status, 200)
  t.match(await admin('/requests'), { status: 404 })
})

test('KEPT_RUNS is divided among the workers, and each keeps at least one run', async t => {
  const limits = (keptRuns: number) =>
    [0, 1].map(index => {
      const admin = { listener: { host: '127.0.0.1', port: 0 }, dashboard: true, keptRuns }
      const kept = openKeptRuns({ admin }, { index, count: 2 })
      const run = aggregate('cats', { url: '/cats' }).reply(z.unknown(), () => 1)
      const end = { state: 'failed', at: 1, status: 502, code: 'UPSTREAM_STATUS', cancelledBy: undefined } as const
      const request = { requestId: undefined, traceId: undefined, method: 'GET', target: '/cats' }
      for (let runs = 0; runs < 10; runs++) kept?.start(run, request).ended(end, { deadline: 1000, outcomes: {} })
      return kept?.list({ limit: 20 }).kept.failed
    })
  t.same(limits(7), [4, 3])
  t.same(limits(1), [1, 1])
  t.same(limits(0), [undefined, undefined])
})
