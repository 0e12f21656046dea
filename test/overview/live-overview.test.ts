import { test } from 'tap'
import type { Runs } from '../../src/dashboard/protocol.ts'
import { LiveOverview, type LiveEvent } from '../../src/overview/live-overview.ts'
import { RunRows } from '../../src/overview/run-rows.ts'
import { Ticks } from '../../src/overview/ticks.ts'
import type { RunRow } from '../../src/waterfall/kept-run.ts'
import { until } from '../helpers/until.ts'
import { upstreamRow, watched } from './helpers/samples.ts'

function row(id: string, state: RunRow['state'] = 'complete'): RunRow {
  return {
    id,
    requestId: null,
    traceId: null,
    worker: null,
    aggregate: 'pets',
    at: '2026-11-30T01:02:03.004Z',
    ms: 10,
    state,
    status: 200,
    code: null,
    isSlow: false,
    caller: 'waited',
    upstreams: ['cats'],
    lost: [],
  }
}

function arrange() {
  const isWatched: boolean[] = []
  const recent = [row('before')]
  const live = new LiveOverview({ watched, recentRuns: () => recent, onWatched: each => isWatched.push(each) })
  const events: LiveEvent[] = []
  return { live, isWatched, events, listen: () => live.listen(event => events.push(event)) }
}

const sample = { upstreams: [upstreamRow('cats', { ok: 1 })], aggregates: [] }

test('without a listener no event is made and no run is collected', async t => {
  const { live, isWatched, events, listen } = arrange()
  live.kept(row('1'))
  live.tick(Date.now(), sample)
  live.breakerChanged({ type: 'breaker', at: 1, upstream: 'cats', from: 'closed', to: 'open' })
  const stop = listen()
  live.tick(Date.now(), sample)
  t.same(
    events.map(({ type }) => type),
    ['sample'],
  )
  live.kept(row('2'))
  stop()
  stop()
  const again = listen()
  live.tick(Date.now(), sample)
  t.equal(events.length, 2, 'the run of the time before was dropped')
  again()
  t.same(isWatched, [true, false, true, false])
  t.equal(live.isWatched, false)
})

test('a listener gets samples with their runs, and changes of breakers at once', async t => {
  const { live, events, listen } = arrange()
  listen()
  live.kept(row('1'))
  live.keptElsewhere({ rows: [row('2', 'failed')], more: { complete: 7, partial: 0, failed: 0, cancelled: 0 } })
  live.breakerChanged({ type: 'breaker', at: 1, upstream: 'cats', from: 'closed', to: 'open' })
  live.tick(Date.now(), sample, [{ worker: 1, state: 'running' }])
  live.define(watched)
  t.match(events, [
    { type: 'breaker', upstream: 'cats' },
    { type: 'sample', upstreams: [{ usedBy: ['pets'] }], workers: [{ worker: 1 }] },
    { type: 'runs', rows: [{ id: '1' }, { id: '2' }], more: { complete: 7 } },
    { type: 'reloaded' },
  ])
})

test('hello has the last kept runs, and learns from them which upstreams are used', async t => {
  const { live } = arrange()
  t.ok(live.keepsRuns)
  t.match(await live.hello(), { runs: [{ id: 'before' }], upstreams: [{ usedBy: ['pets'] }, { usedBy: [] }] })
  const without = new LiveOverview({ watched, onWatched() {} })
  t.notOk(without.keepsRuns)
  t.match(await without.hello(), { runs: [] })
  t.equal(without.historyOf('cats')?.attempts.length, 240)
})

test('hello has the runs that were kept while the runs before were asked for', async t => {
  const asked = Promise.withResolvers<readonly RunRow[]>()
  const live = new LiveOverview({ watched, recentRuns: () => asked.promise, onWatched() {} })
  live.listen(() => {})
  live.kept(row('known'))
  const hello = live.hello()
  live.tick(Date.now(), sample)
  live.kept(row('late'))
  live.tick(Date.now(), sample)
  live.kept(row('next'))
  asked.resolve([row('before'), row('known')])
  t.same(
    (await hello).runs.map(({ id }) => id),
    ['before', 'known', 'late'],
    'the next one is in the next event',
  )
  const recent = Array.from({ length: 100 }, (_, index) => row(`before ${index}`))
  const full = new LiveOverview({ watched, recentRuns: async () => recent, onWatched() {} })
  full.listen(() => {})
  full.kept(row('late'))
  const other = full.hello()
  full.tick(Date.now(), sample)
  const { runs } = await other
  t.equal(runs.length, 100)
  t.equal(runs.at(-1)?.id, 'late')
})

test('after a reload only later runs show which upstreams are used', async t => {
  const { live } = arrange()
  live.define(watched)
  const usedBy = async () => (await live.hello()).upstreams.map(upstream => upstream.usedBy)
  t.same(await usedBy(), [[], []], 'the run before')
  live.kept({ ...row('after'), at: new Date().toISOString() })
  t.same(await usedBy(), [['pets'], []])
})

test('a clock that steps back makes a listener read hello again', async t => {
  const { live, events, listen } = arrange()
  live.tick(Date.now(), sample)
  listen()
  live.tick(Date.now() - 60_000, sample)
  t.same(
    events.map(({ type }) => type),
    ['reloaded', 'sample'],
  )
})

test('an event has at most 20 runs, the failed and partial ones first', async t => {
  const rows = new RunRows()
  t.equal(rows.take(), undefined)
  for (let count = 0; count < 25; count++) rows.add(row(`complete ${count}`))
  for (let count = 0; count < 8; count++) rows.add(row(`failed ${count}`, 'failed'))
  for (let count = 0; count < 4; count++) rows.add(row(`partial ${count}`, 'partial'))
  rows.add(row('cancelled', 'cancelled'))
  const { rows: taken, more } = rows.take() as Runs
  t.equal(taken.length, 20)
  const countOf = (state: RunRow['state']) => taken.filter(each => each.state === state).length
  t.same([countOf('failed'), countOf('partial'), countOf('cancelled'), countOf('complete')], [8, 4, 1, 7])
  t.same(more, { complete: 18, partial: 0, failed: 0, cancelled: 0 })
  t.equal(rows.take(), undefined)
  for (let count = 0; count < 30; count++) rows.add(row(`failed ${count}`, 'failed'))
  rows.add(row('one more'))
  t.same(rows.take()?.more, { complete: 1, partial: 0, failed: 10, cancelled: 0 })
})

test('ticks ring at multiples of their time, after an offset', async t => {
  const at: number[] = []
  const ticks = new Ticks(() => at.push(Date.now()), 20)
  t.equal(ticks.every, undefined)
  ticks.every = 100
  await until(() => at.length === 3)
  ticks.every = undefined
  const rung = at.length
  for (const moment of at) t.ok((moment - 20) % 100 < 90, `${moment % 100} ms after a multiple`)
  t.ok(new Set(at.map(moment => Math.floor((moment - 20) / 100))).size === 3, 'each multiple has one tick')
  const other = new Ticks(() => at.push(0))
  other.every = 10
  await until(() => at.length > rung + 1)
  t.equal(at.filter(moment => moment !== 0).length, rung, 'a stopped one does not ring')
  other.every = undefined
})
