import fc from 'fast-check'
import { test } from 'tap'
import { points } from '../../src/dashboard/model/series.ts'
import { DashboardState } from '../../src/dashboard/model/state.ts'
import type { AggregateSample, Health, Hello, Sample, UpstreamSample } from '../../src/dashboard/protocol.ts'
import type { RunRow } from '../../src/waterfall/kept-run.ts'

const start = Date.parse('2026-11-30T01:00:00Z')

const upstreamRow = (row: Partial<UpstreamSample>): UpstreamSample => ({
  index: 0,
  health: 'healthy',
  since: start,
  reason: '',
  attempts: 0,
  failedAttempts: 0,
  calls: 0,
  lostCalls: 0,
  p50: null,
  p95: null,
  p99: null,
  permits: 0,
  permitLimit: null,
  queued: 0,
  breaker: 'closed',
  hedges: 0,
  hedgesWon: 0,
  retries: 0,
  refusedResends: 0,
  cacheHits: 0,
  cacheAsked: 0,
  ...row,
})
const aggregateRow = (row: Partial<AggregateSample>): AggregateSample => ({
  index: 0,
  complete: 0,
  partial: 0,
  failed: 0,
  cancelled: 0,
  p95: null,
  topCode: null,
  topStatus: null,
  ...row,
})
const sample = (at: number, parts: Partial<Sample> = {}): Sample => ({
  type: 'sample',
  at,
  verdict: { health: 'healthy', sentences: [] },
  upstreams: [],
  aggregates: [],
  workers: [],
  ...parts,
})
const runRow = (id: string, at: number): RunRow => ({
  id,
  requestId: null,
  traceId: null,
  worker: null,
  aggregate: 'breed',
  at: new Date(at).toISOString(),
  ms: 1,
  state: 'complete',
  status: 200,
  code: null,
  isSlow: false,
  caller: 'waited',
  upstreams: [],
  lost: [],
})

function hello(names: readonly string[], parts: Partial<Hello> = {}): Hello {
  const zeros = Array.from({ length: points }, () => 0)
  const empty = { attempts: zeros, failed: zeros, p95: zeros.map(() => null) }
  return {
    type: 'hello',
    boot: 'first',
    version: '0.1.0',
    at: start,
    every: 500,
    upstreams: names.map(name => ({ name, origin: `https://${name}.example`, operations: [], usedBy: [] })),
    aggregates: [{ name: 'breed', method: 'GET', url: '/v1/breed' }],
    keptRuns: true,
    bulk: null,
    history: {
      from: start - (points - 1) * 500,
      every: 500,
      upstreams: names.map(() => empty),
      aggregates: [{ runs: zeros, partial: zeros, failed: zeros }],
    },
    breakers: [],
    runs: [],
    now: sample(start, { upstreams: names.map((_, index) => upstreamRow({ index })) }),
    ...parts,
  }
}

/** A state that has received the first event of a connection. */
function opened(...names: readonly string[]): DashboardState {
  const state = new DashboardState()
  state.apply(hello(names))
  return state
}

test('a sample adds one point to each series, and an upstream without a row has no traffic', async t => {
  const state = opened('cats', 'dogs')
  state.apply(sample(start + 500, { upstreams: [upstreamRow({ attempts: 40, failedAttempts: 10, p95: 31 })] }))
  state.apply(sample(start + 1000))
  const [cats, dogs] = state.upstreams
  t.same(cats?.series.attempts.slice(-3), new Float64Array([0, 40, 0]))
  t.same(cats?.series.p95.slice(-3), new Float64Array([NaN, 31, 31]), 'a present value stays')
  t.same(dogs?.series.attempts, new Float64Array(points))
  t.same(state.times.slice(-3), new Float64Array([start, start + 500, start + 1000]))
  t.match(cats, { rate: 4, errorShare: 0.25, p95: 31 })
  t.same(dogs?.errorShare, NaN)
})

test('the series keep their arrays, so that a chart needs no copy', async t => {
  const state = opened('cats')
  const { attempts } = state.upstreams[0]?.series ?? {}
  for (let at = 1; at <= 3 * points; at++)
    state.apply(sample(start + 500 * at, { upstreams: [upstreamRow({ attempts: at })] }))
  t.equal(state.upstreams[0]?.series.attempts, attempts)
  t.equal(attempts?.length, points)
  t.equal(attempts?.[0], 2 * points + 1)
  t.equal(attempts?.at(-1), 3 * points)
})

test('a history with a point per second is spread over the points of the samples', async t => {
  const state = new DashboardState()
  const counts = Array.from({ length: 120 }, (_, index) => index)
  state.apply(
    hello(['cats'], {
      history: {
        from: start - 119_000,
        every: 1000,
        upstreams: [{ attempts: counts, failed: counts.map(() => 2), p95: counts.map(count => count * 2) }],
        aggregates: [{ runs: counts, partial: counts.map(() => 0), failed: counts.map(() => 0) }],
      },
    }),
  )
  const { attempts, failed, p95 } = state.upstreams[0]?.series ?? {}
  t.same(attempts?.slice(-4), new Float64Array([59, 59, 59.5, 59.5]))
  t.same(failed?.slice(-2), new Float64Array([1, 1]))
  t.same(p95?.slice(-4), new Float64Array([236, 236, 238, 238]))
  t.equal(
    attempts?.reduce((sum, value) => sum + value),
    counts.reduce((sum, value) => sum + value),
    'no attempt is lost',
  )
})

test('the runs of an aggregate are counted over the last ten seconds', async t => {
  const state = opened('cats')
  const row = aggregateRow({ complete: 6, partial: 3, failed: 1, topCode: 'UPSTREAM_TIMEOUT', topStatus: 504 })
  for (let at = 1; at <= 40; at++) state.apply(sample(start + 500 * at, { aggregates: [row] }))
  t.match(state.aggregates[0], { complete: 120, partial: 60, failed: 20, runs: 200, rate: 20, topStatus: 504 })
})

test('the traffic of an upstream counts calls that its circuit breaker refuses', async t => {
  const state = opened('cats')
  for (let at = 1; at <= 4; at++)
    state.apply(sample(start + 500 * at, { upstreams: [upstreamRow({ calls: 50, lostCalls: 50, breaker: 'open' })] }))
  t.match(state.upstreams[0], { rate: 0, traffic: 100, lostShare: 1 })
})

test('an upstream has the numbers of its origins of the last sample', async t => {
  const state = opened('cats')
  t.equal(state.upstreams[0]?.origins, undefined)
  state.apply(sample(start + 500, { upstreams: [upstreamRow({ origins: { all: 10, out: 2 } })] }))
  t.same(state.upstreams[0]?.origins, { all: 10, out: 2 })
  state.apply(sample(start + 1000, {}))
  t.same(state.upstreams[0]?.origins, { all: 10, out: 2 }, 'a sample without a row changes nothing')
})

test('the sickest upstream is selected until the user selects another', async t => {
  const state = opened('cats', 'dogs', 'birds')
  const withHealth = (at: number, ...healths: readonly Health[]) =>
    state.apply(sample(at, { upstreams: healths.map((health, index) => upstreamRow({ index, health })) }))
  t.equal(state.selected?.name, 'cats')
  withHealth(start + 500, 'healthy', 'failing', 'strained')
  t.equal(state.selected?.name, 'dogs')
  withHealth(start + 1000, 'failing', 'failing', 'failing')
  t.equal(state.selected?.name, 'dogs', 'an equal one does not take its place')
  state.select('birds')
  withHealth(start + 1500, 'failing', 'failing', 'healthy')
  t.equal(state.selected?.name, 'birds')
  state.select(undefined)
  t.equal(state.selected?.name, 'cats', 'the sickest one is followed again')
  state.select('birds')
  state.apply(hello(['birds', 'cats']))
  t.equal(state.selected, state.upstreams[0], 'a chosen name stays selected after a reload')
  state.apply(hello(['cats']))
  t.equal(state.selected?.name, 'cats')
  t.equal(state.isChosen, false)
})

test('a row of a run is shown once, newest first, and old ones are dropped', async t => {
  const state = opened('cats')
  const rows = Array.from({ length: 250 }, (_, index) => runRow(`run-${index}`, start + index))
  const more = { complete: 7, partial: 0, failed: 0, cancelled: 0 }
  for (const row of rows) state.apply({ type: 'runs', rows: [row], more })
  t.equal(state.runs.rows.length, 200)
  t.equal(state.runs.rows[0]?.id, 'run-249')
  t.equal(state.runs.more.complete, 250 * 7)
  state.apply(hello(['cats'], { runs: [...rows.slice(240), runRow('run-250', start + 250)] }))
  t.same(
    state.runs.rows.slice(0, 3).map(({ id }) => id),
    ['run-250', 'run-249', 'run-248'],
  )
  state.apply({ type: 'runs', rows: [runRow('early', start + 300), runRow('late', start + 301)], more })
  t.equal(state.runs.rows[0]?.id, 'late', 'rows of one event are sorted')
})

test('a sample names the aggregates that use an upstream if they have changed', async t => {
  const state = opened('cats', 'dogs')
  state.apply(sample(start + 500, { upstreams: [upstreamRow({ index: 1, usedBy: ['breed', 'facts'] })] }))
  state.apply(sample(start + 1000, { upstreams: [upstreamRow({ index: 1 })] }))
  t.same(
    state.upstreams.map(({ users }) => users),
    [[], ['breed', 'facts']],
  )
})

test('a restart of the service is noted, and its runs are those of the new process', async t => {
  const state = opened('cats')
  state.apply({
    type: 'runs',
    rows: [runRow('old', start)],
    more: { complete: 0, partial: 0, failed: 0, cancelled: 0 },
  })
  state.apply(hello(['cats']))
  t.equal(state.restartedAt, 0)
  t.equal(state.runs.rows.length, 1)
  state.apply(hello(['cats'], { boot: 'second', at: start + 9000 }))
  t.equal(state.restartedAt, start + 9000)
  t.equal(state.runs.rows.length, 0)
})

test('at most fifty changes of circuit breakers are kept', async t => {
  const state = opened('cats')
  for (let at = 0; at < 60; at++)
    state.apply({ type: 'breaker', at, upstream: 'cats', from: 'closed', to: at % 2 === 0 ? 'open' : 'closed' })
  t.equal(state.breakers.length, 50)
  t.equal(state.breakers[0]?.at, 10)
})

test('a change of a circuit breaker shows at once, and the last changes of each upstream stay', async t => {
  const state = opened('cats', 'dogs')
  const change = { type: 'breaker', from: 'closed' } as const
  state.apply({ ...change, at: start, upstream: 'dogs', to: 'open' })
  t.equal(state.upstreams[1]?.breaker, 'open')
  state.apply({ ...change, at: start + 1, upstream: 'gone', to: 'open' })
  state.apply({ ...change, at: start + 2, upstream: 'dogs', to: 'half-open' })
  state.apply({ ...change, at: start + 3, upstream: 'dogs', to: 'closed' })
  t.same(
    state.breakerChanges('dogs', 2).map(({ to }) => to),
    ['half-open', 'closed'],
  )
  t.same(state.breakerChanges('cats', 2), [])
})

test('the rates of an upstream are those of the counts of the last ten seconds', async () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 1, maxLength: 60 }), counts => {
      const state = opened('cats')
      counts.forEach(([attempts, failed], index) =>
        state.apply(
          sample(start + 500 * (index + 1), {
            upstreams: [upstreamRow({ attempts: attempts + failed, failedAttempts: failed })],
          }),
        ),
      )
      const last = counts.slice(-20)
      const sent = last.reduce((sum, [attempts, failed]) => sum + attempts + failed, 0)
      const lost = last.reduce((sum, [, failed]) => sum + failed, 0)
      const [cats] = state.upstreams
      return cats?.rate === sent / 10 && (sent === 0 ? Number.isNaN(cats.errorShare) : cats.errorShare === lost / sent)
    }),
  )
})
