import { test } from 'tap'
import { ChartData } from '../../src/dashboard/model/chart-data.ts'
import { chartSpecs, topOf, withUnit } from '../../src/dashboard/model/chart-specs.ts'
import { createSeries, points } from '../../src/dashboard/model/series.ts'
import { UpstreamState } from '../../src/dashboard/model/upstream-state.ts'

function filled(change: (series: UpstreamState['series']) => void): ChartData {
  const upstream = new UpstreamState(0, { name: 'meow', origin: 'https://meow.example', operations: [], usedBy: [] })
  const times = createSeries(0)
  for (let at = 0; at < points; at++) times[at] = 1_000_000 + at * 500
  change(upstream.series)
  const data = new ChartData()
  data.fill(upstream, times, 500)
  return data
}

test('the lines of attempts are rates per second, averaged over one second', async t => {
  const { seconds, lines } = filled(series => {
    series.attempts.fill(10)
    series.failed[points - 1] = 4
  })
  t.equal(seconds[points - 1], 1000 + (points - 1) / 2)
  t.equal(lines.attempts[points - 1], 20)
  t.equal(lines.answered[points - 1], 16)
  t.equal(lines.answered[points - 2], 20)
  t.equal(lines.attempts[0], 20, 'the first point has no point before it')
})

test('a point without a value is null, so that its line has a gap', async t => {
  const { lines } = filled(series => {
    series.p95[points - 1] = 41
  })
  t.equal(lines.p95[points - 1], 41)
  t.equal(lines.p95[points - 2], null)
  t.equal(lines.cacheShare[points - 1], null, 'the cache was not asked')
})

test('the share of the cache is that of the last five seconds', async t => {
  const { lines } = filled(series => {
    series.cacheAsked.fill(10)
    series.cacheHits.fill(5)
    series.cacheHits[points - 1] = 10
  })
  t.equal(lines.cacheShare[points - 2], 50)
  t.equal(lines.cacheShare[points - 1], 55)
})

test('the arrays of the charts stay the same when another upstream is shown', async t => {
  const data = new ChartData()
  const before = { ...data.lines }
  const upstream = new UpstreamState(0, { name: 'meow', origin: '', operations: [], usedBy: [] })
  data.fill(upstream, createSeries(0), 500)
  for (const [name, line] of Object.entries(before)) t.equal(data.lines[name as keyof typeof before], line, name)
})

test('a chart of values that are all 0 or absent is left out', async t => {
  const data = filled(series => {
    series.retries[3] = 1
  })
  t.ok(data.has('hedges', 'retries'))
  t.notOk(data.has('hedges', 'cacheShare'))
})

test('the legend shows the failed attempts beside the answered ones', async t => {
  const data = filled(series => {
    series.attempts.fill(10)
    series.failed.fill(3)
  })
  const failed = chartSpecs[0]?.lines.find(({ label }) => label === 'failed')
  t.equal(failed?.value?.(data, points - 1), 6)
})

test('the axis of a chart has a smallest top for each unit, and room above the largest value', async t => {
  t.equal(topOf('rate', null), 1)
  t.equal(topOf('ms', 2), 10)
  t.equal(topOf('count', 0), 4)
  t.equal(topOf('percent', 12), 100)
  t.ok(topOf('ms', 200) > 200)
})

test('a value of a chart is shown with its unit', async t => {
  t.equal(withUnit(null, 'ms'), '–')
  t.match(withUnit(41, 'ms'), /^41\sms$/)
  t.equal(withUnit(12, 'rate'), '12/s')
  t.equal(withUnit(3, 'count'), '3')
  t.match(withUnit(50, 'percent'), /^50\s%$/)
})
