import { test } from 'tap'
import type { OpenLoopFigures } from '../../../bench/lib/open-loop-figures.ts'
import { measurePermits } from '../../../bench/scenarios/permits/measure-permits.ts'
import { summariesOf, violationsOf } from '../../../bench/scenarios/permits/violations.ts'

const figures = (whole: number, p99Ms: number, wholeRatio = 1): OpenLoopFigures => ({
  offered: 100,
  whole,
  wholeRatio,
  refused: 0,
  other: 0,
  p50Ms: 1,
  p99Ms,
})
const round = (times: number, whole: number, p99Ms: number, calmMs = 30) => ({
  times,
  calm: figures(50, calmMs),
  overload: figures(whole, p99Ms, 0.3),
})

test('each multiple of the peak has the medians of its quiet rounds', t => {
  const windows = [round(2, 100, 60), round(3, 90, 90), round(2, 98, 30), round(2, 10, 3000), round(3, 1, 61, 61)]
  t.same(summariesOf({ peak: 100, windows }), [
    { times: 2, quietRounds: 3, wholeToPeak: 0.98, p99ToCalm: 2 },
    { times: 3, quietRounds: 1, wholeToPeak: 0.9, p99ToCalm: 3 },
  ])
  t.end()
})

test('results at the limits are accepted, and results beyond them are violations', t => {
  t.same(violationsOf({ peak: 100, windows: [round(2, 95, 150)] }), [])
  t.same(violationsOf({ peak: 100, windows: [round(3, 94, 153)] }), [
    'at 3 times the peak the whole answers are 0.94 of the peak, below 0.95',
    'at 3 times the peak the p99 is 5.1 times that at half of the peak, above 5',
  ])
  t.end()
})

test('an overload without a whole answer, and failures at half of the peak, are violations', t => {
  t.equal(violationsOf({ peak: 100, windows: [round(2, 0, NaN)] }).length, 2)
  t.same(violationsOf({ peak: 100, windows: [{ ...round(2, 100, 30), calm: figures(50, 30, 0.99) }] }), [
    'at half of the peak fewer than 99.9 % of the answers were whole in 1 windows',
  ])
  t.end()
})

test('the service answers what its permits allow, and refuses the rest', { timeout: 60_000 }, async t => {
  const { peak, windows } = await measurePermits({
    permits: 4,
    upstreamMs: 50,
    fanout: 2,
    times: [3],
    rounds: 1,
    seconds: 1,
  })
  // The permits allow 40 requests per second.
  t.ok(peak > 10 && peak <= 42, `peak ${peak}`)
  const [window] = windows
  t.equal(windows.length, 1)
  t.equal(window?.calm.offered, Math.round(peak / 2))
  t.ok((window?.calm.p99Ms ?? 0) >= 50, 'a whole answer takes the time of a call')
  t.ok((window?.overload.refused ?? 0) > 0)
  t.ok((window?.overload.offered ?? 0) > 2 * peak)
})
