import { test } from 'tap'
import { sentPoints } from '../../src/overview/overview.ts'
import { aggregateRow, HandOverview, start, upstreamRow, watched } from './helpers/samples.ts'

test('a sample has the rows of the names that have changed, and hello has all', async t => {
  const hand = new HandOverview()
  hand.tick()
  t.same(hand.overview.sample().upstreams, [], 'no name has changed')
  t.same(hand.overview.sample().aggregates, [])
  hand.tick({
    upstreams: [upstreamRow('dogs', { ok: 2, failed: 1 })],
    aggregates: [aggregateRow('facts', { counts: { partial: 1 } })],
  })
  t.match(hand.overview.sample(), {
    type: 'sample',
    at: hand.now,
    upstreams: [
      {
        index: 1,
        attempts: 3,
        failedAttempts: 1,
        calls: 3,
        lostCalls: 1,
        permitLimit: 16,
        breaker: 'closed',
        p50: null,
      },
    ],
    aggregates: [{ index: 1, complete: 0, partial: 1, failed: 0, cancelled: 0 }],
    workers: [],
  })
  const { now } = hand.overview.hello()
  t.same(
    now.upstreams.map(({ index }) => index),
    [0, 1],
  )
  t.same(
    now.aggregates.map(({ index }) => index),
    [0, 1],
  )
})

test('a name that is not defined is left out', async t => {
  const hand = new HandOverview()
  hand.tick({
    upstreams: [upstreamRow('__proto__', { ok: 1 })],
    aggregates: [aggregateRow('constructor', { counts: { failed: 1 } })],
  })
  t.same(hand.overview.sample().upstreams, [])
  t.equal(hand.overview.historyOf('__proto__'), undefined)
  t.equal(hand.overview.historyOf('toString'), undefined)
})

test('the history has the points of two minutes, the oldest first', async t => {
  const hand = new HandOverview()
  hand.ticks(300, { upstreams: [upstreamRow('cats', { ok: 4 })] })
  hand.tick({ upstreams: [upstreamRow('cats', { ok: 1, failed: 2, permits: 7, counts: { hedges: 3, hedgesWon: 1 } })] })
  const { history, now } = hand.overview.hello()
  t.equal(history.every, 500)
  t.equal(history.from + 239 * 500, now.at - (now.at % 500), 'the last point is the one of the last sample')
  const [cats, dogs] = history.upstreams
  t.same([...(cats?.attempts ?? [])], [...Array<number>(239).fill(4), 3])
  t.same([...(cats?.failed ?? [])], [...Array<number>(239).fill(0), 2])
  t.same(sentPoints(dogs?.p95 as Float32Array), Array<null>(240).fill(null))
  t.match(hand.overview.historyOf('cats'), { permits: [...Array<number>(239).fill(0), 7] })
  t.equal(hand.overview.historyOf('cats')?.hedges.at(-1), 3)
  t.equal(hand.overview.historyOf('cats')?.breaker.at(-1), 'closed')
  t.equal(hand.overview.historyOf('cats')?.permitLimit.at(-1), 16)
  t.equal(hand.overview.historyOf('dogs')?.permitLimit.at(-1), null)
})

test('a sample of a second fills two points, and two samples of one point are added', async t => {
  const hand = new HandOverview()
  hand.tick({ upstreams: [upstreamRow('cats', { ok: 6 })] }, 1000)
  hand.tick({ upstreams: [upstreamRow('cats', { ok: 3 })] })
  hand.tick({ upstreams: [upstreamRow('cats', { ok: 1 })] }, 1)
  const attempts = hand.overview.historyOf('cats')?.attempts
  t.same(attempts?.slice(-4), [0, 3, 3, 4])
  hand.tick({ upstreams: [upstreamRow('cats', { ok: 600 })] }, 300_000)
  t.equal(
    hand.overview.historyOf('cats')?.attempts.every(count => count === 1),
    true,
    'a pause of 5 minutes fills all points',
  )
})

test('the runs of an aggregate have their codes, statuses and percentile of 10 s', async t => {
  const hand = new HandOverview()
  const failing = aggregateRow('pets', {
    counts: { failed: 3, complete: 2 },
    codes: [['UPSTREAM_STATUS', 3]],
    statuses: [['502', 3]],
    ms: 100,
  })
  hand.tick({ aggregates: [failing] })
  const [row] = hand.overview.sample().aggregates
  t.match(row, { index: 0, failed: 3, complete: 2, topCode: 'UPSTREAM_STATUS', topStatus: 502 })
  t.ok(Math.abs((row?.p95 ?? 0) - 100) < 5)
  hand.ticks(19)
  t.match(hand.overview.hello().now.aggregates[0], { failed: 0, topCode: 'UPSTREAM_STATUS' })
  hand.tick()
  t.match(
    hand.overview.sample().aggregates,
    [{ index: 0, topCode: null, topStatus: null, p95: null }],
    'its end is a change',
  )
})

test('the aggregates that use an upstream are learnt, and shown once', async t => {
  const hand = new HandOverview()
  hand.overview.used('pets', 'cats')
  hand.overview.used('birds', 'cats')
  hand.overview.used('pets', 'birds')
  hand.tick()
  t.match(hand.overview.sample().upstreams, [{ index: 0, usedBy: ['pets'] }])
  hand.overview.used('pets', 'cats')
  hand.tick()
  t.same(hand.overview.sample().upstreams, [])
  t.same(
    hand.overview.hello().upstreams.map(({ usedBy }) => usedBy),
    [['pets'], []],
  )
})

test('a reload forgets which aggregates use an upstream', async t => {
  const hand = new HandOverview()
  hand.overview.used('pets', 'cats')
  hand.overview.define(watched)
  t.same(
    hand.overview.hello().upstreams.map(({ usedBy }) => usedBy),
    [[], []],
  )
  hand.overview.used('facts', 'cats')
  hand.tick()
  t.match(hand.overview.sample().upstreams, [{ index: 0, usedBy: ['facts'] }])
})

test('a clock that steps back begins the windows and the points again', async t => {
  const hand = new HandOverview()
  hand.overview.used('pets', 'cats')
  hand.overview.breakerChanged({ type: 'breaker', at: hand.now, upstream: 'cats', from: 'closed', to: 'open' })
  hand.ticks(20, {
    upstreams: [upstreamRow('cats', { failed: 5, permits: 3 })],
    aggregates: [aggregateRow('pets', { counts: { failed: 5 } })],
  })
  t.match(hand.upstream('cats'), { health: 'failing' })
  t.equal(hand.tick({}, -400), 'continued', 'a small step')
  t.equal(hand.tick({}, -3_600_000), 'begun again')
  t.match(hand.upstream('cats'), { health: 'idle', since: hand.now, permits: 3, permitLimit: 16 })
  const { history, now, upstreams, breakers } = hand.overview.hello()
  t.equal(history.from + 239 * 500, now.at - (now.at % 500))
  t.same([...(history.upstreams[0]?.attempts ?? [])], Array<number>(240).fill(0))
  t.same([...(history.aggregates[0]?.failed ?? [])], Array<number>(240).fill(0))
  t.match(now.aggregates[0], { topCode: null, p95: null })
  t.same(upstreams[0]?.usedBy, ['pets'])
  t.same(breakers, [], 'they have times of the clock before')
  hand.ticks(2, { upstreams: [upstreamRow('cats', { ok: 2 })] })
  t.match(hand.upstream('cats'), { health: 'healthy' })
  t.equal(hand.overview.historyOf('cats')?.attempts.at(-1), 2)
})

test('a breaker of one worker makes the joined state worse at once, and better with the next sample', async t => {
  const hand = new HandOverview()
  const change = (from: 'open' | 'closed', to: 'half-open' | 'open') =>
    hand.overview.breakerChanged({ type: 'breaker', at: hand.now, upstream: 'cats', from, to })
  const open = { upstreams: [upstreamRow('cats', { ok: 1, breaker: 'open' })] }
  hand.workers = [
    { worker: 1, state: 'running' },
    { worker: 2, state: 'running' },
  ]
  hand.tick({ upstreams: [upstreamRow('cats', { ok: 1 })] })
  change('closed', 'open')
  t.match(hand.upstream('cats'), { breaker: 'open' })
  hand.tick(open)
  change('open', 'half-open')
  t.match(hand.upstream('cats'), { breaker: 'open' }, 'the breaker of the other worker is open')
  hand.tick({ upstreams: [upstreamRow('cats', { ok: 1, breaker: 'half-open' })] })
  t.match(hand.upstream('cats'), { breaker: 'half-open' })
  hand.workers = []
  hand.tick(open)
  change('open', 'half-open')
  t.match(hand.upstream('cats'), { breaker: 'half-open' }, 'one process')
})

test('the last 50 changes of breakers are kept', async t => {
  const hand = new HandOverview()
  for (let at = 0; at < 60; at++)
    hand.overview.breakerChanged({ type: 'breaker', at, upstream: 'cats', from: 'closed', to: 'open' })
  const { breakers } = hand.overview.hello()
  t.equal(breakers.length, 50)
  t.equal(breakers[0]?.at, 10)
})

test('a reload drops the names that have vanished', async t => {
  const hand = new HandOverview()
  hand.tick({ upstreams: [upstreamRow('dogs', { ok: 2 })] })
  hand.overview.define({ upstreams: watched.upstreams.slice(1), aggregates: [] })
  t.match(hand.overview.hello(), {
    upstreams: [{ name: 'dogs' }],
    aggregates: [],
    now: { upstreams: [{ index: 0, attempts: 2 }] },
  })
  t.equal(hand.overview.historyOf('cats'), undefined)
  t.equal(hand.now, start + 500)
})
