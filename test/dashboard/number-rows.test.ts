import { test } from 'tap'
import { numberRows } from '../../src/dashboard/model/number-rows.ts'
import { createSeries, points } from '../../src/dashboard/model/series.ts'
import { UpstreamState } from '../../src/dashboard/model/upstream-state.ts'

/** Returns an upstream, and times of which the last is `last`. */
function upstreamUntil(last: number) {
  const upstream = new UpstreamState(0, { name: 'meow', origin: 'https://meow.example', operations: [], usedBy: [] })
  const times = createSeries(0)
  for (let at = 0; at < points; at++) times[at] = last - (points - 1 - at) * 500
  return { upstream, times }
}

test('the rows of two whole minutes are twelve, newest first, each from a full ten seconds', async t => {
  const { upstream, times } = upstreamUntil(1_200_000)
  const rows = numberRows(upstream, times, 500)
  t.equal(rows.length, 12)
  t.same(
    rows.slice(0, 2).map(row => row.from),
    [1_190_000, 1_180_000],
  )
})

test('the newest row covers the time since its start, and the oldest row is left out if it is cut', async t => {
  const { upstream, times } = upstreamUntil(1_203_000)
  upstream.series.attempts.fill(5)
  const rows = numberRows(upstream, times, 500)
  t.equal(rows.length, 12)
  t.equal(rows[0]?.from, 1_200_000)
  t.equal(rows[0]?.attempts, 10, 'per second, although the row has six samples')
  t.equal(rows.at(-1)?.from, 1_090_000)
})

test('a row has the shares of its sums, its last percentiles and its largest permits', async t => {
  const { upstream, times } = upstreamUntil(1_200_000)
  const { series } = upstream
  series.attempts.fill(4)
  series.failed[points - 1] = 8
  series.cacheAsked[points - 2] = 10
  series.cacheHits[points - 2] = 5
  series.p95[points - 2] = 90
  series.p95[points - 1] = 70
  series.permits.fill(1)
  series.permits[points - 3] = 9
  series.breaker[points - 4] = 3
  const [newest, older] = numberRows(upstream, times, 500)
  t.equal(newest?.failedShare, 0.1)
  t.equal(newest?.cacheShare, 0.5)
  t.equal(newest?.p95, 70)
  t.equal(newest?.permits, 9)
  t.equal(newest?.breaker, 3)
  t.ok(Number.isNaN(newest?.queued), 'without a value')
  t.ok(Number.isNaN(older?.cacheShare), 'the cache was not asked')
  t.equal(older?.permits, 1)
})
