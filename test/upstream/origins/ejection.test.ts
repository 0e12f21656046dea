import { test } from 'tap'
import { Ejection } from '../../../src/upstream/origins/ejection.ts'
import { LatencyWindow, outliersOf } from '../../../src/upstream/origins/latency-window.ts'
import { startShare } from '../../../src/upstream/origins/slow-start.ts'

const options = { consecutiveFailures: 5, latencyRatio: 5, duration: 1000, maxDuration: 6000, maxRatio: 0.5 }

/** The lengths of ejections that start when the pause since the end of the one before has passed. */
function lengthsAfter(...pauses: readonly number[]): number[] {
  const ejection = new Ejection()
  let at = 0
  return pauses.map(pause => {
    at += pause
    ejection.start(at, options)
    const length = (ejection.until as number) - at
    at += length
    ejection.end(at, options)
    return length
  })
}

test('an ejection soon after the last one is twice as long, up to the limit', t => {
  t.same(lengthsAfter(0, 10, 10, 10, 10), [1000, 2000, 4000, 6000, 6000])
  t.end()
})

test('each duration between two ejections halves the next one, down to the first length', t => {
  t.same(lengthsAfter(0, 10, 10, 1000), [1000, 2000, 4000, 4000])
  t.same(lengthsAfter(0, 10, 10, 2500), [1000, 2000, 4000, 2000])
  t.same(lengthsAfter(0, 10, 10, 1e9), [1000, 2000, 4000, 1000])
  t.end()
})

test('an origin grows from a tenth to its full share', t => {
  t.same(
    [0, 500, 1000, 5000, 10_000, 20_000].map(age => startShare(age, 10_000)),
    [0.1, 0.1, 0.1, 0.5, 1, 1],
  )
  t.equal(startShare(0, 0), 1)
  t.end()
})

/** A member whose window has these latencies. */
function memberWith(...latencies: readonly number[]) {
  const window = new LatencyWindow()
  for (const ms of latencies) window.add(ms)
  return { window }
}
const times = (count: number, ms: number) => Array.from({ length: count }, () => ms)

test('a member whose median is above the multiple of the usual median is an outlier', t => {
  const usual = () => memberWith(...times(10, 10))
  const slow = memberWith(...times(10, 60))
  const slower = memberWith(...times(10, 70))
  const slightly = memberWith(...times(10, 50))
  t.same(outliersOf([usual(), slow, usual(), slower, usual(), usual(), slightly], 5), [slower, slow])
  t.end()
})

test('a member that is at most 10 ms slower than usual is not an outlier', t => {
  const usual = () => memberWith(...times(10, 1))
  const slow = memberWith(...times(10, 12))
  t.same(outliersOf([usual(), usual(), memberWith(...times(10, 11)), slow], 5), [slow])
  t.end()
})

test('fewer than ten latencies of a member and fewer than three members are not evidence', t => {
  const usual = () => memberWith(...times(10, 10))
  t.same(outliersOf([usual(), usual(), usual(), memberWith(...times(9, 500))], 5), [])
  t.same(outliersOf([usual(), memberWith(...times(10, 500))], 5), [])
  t.same(outliersOf([], 5), [])
  t.end()
})

test('one slow operation of ten does not make a member an outlier', t => {
  const mixed = memberWith(...times(18, 1), 300, 300)
  t.same(outliersOf([memberWith(...times(20, 1)), memberWith(...times(20, 1)), mixed], 5), [])
  t.end()
})

test('the median of a window is that of its last 32 latencies', t => {
  const { window } = memberWith(...times(100, 5), ...times(32, 80))
  t.equal(window.median, 80)
  window.clear()
  t.equal(window.median, undefined)
  for (const ms of times(10, 3)) window.add(ms)
  t.equal(window.median, 3)
  t.end()
})
