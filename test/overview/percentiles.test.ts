import fc from 'fast-check'
import { test } from 'tap'
import { LatencyCounts, latencyBucketOf, latencyBuckets } from '../../src/metrics/latency-counts.ts'
import { percentilesOf } from '../../src/overview/percentiles.ts'
import { WindowCounts } from '../../src/overview/window-counts.ts'

/** Returns the smallest of the durations that at least this share of them does not exceed. */
function exact(durations: readonly number[], share: number): number {
  const sorted = durations.toSorted((a, b) => a - b)
  return sorted[Math.ceil(share * sorted.length) - 1] as number
}

function windowOf(durations: readonly number[]): WindowCounts {
  const window = new WindowCounts(10_000)
  for (const [at, ms] of durations.entries()) window.add(at, [latencyBucketOf(ms), 1])
  return window
}

test('percentiles are within 5 % of the exact ones', t => {
  const duration = fc.double({ min: 0.1, max: 60_000, noNaN: true })
  fc.assert(
    fc.property(fc.array(duration, { minLength: 5, maxLength: 500 }), durations => {
      const found = percentilesOf(windowOf(durations))
      for (const [name, share] of [
        ['p50', 0.5],
        ['p95', 0.95],
        ['p99', 0.99],
      ] as const) {
        const wanted = exact(durations, share)
        t.ok(Math.abs((found[name] as number) - wanted) <= wanted * 0.05, `${name} ${found[name]} of ${wanted}`)
      }
    }),
    { numRuns: 200 },
  )
  t.end()
})

test('fewer than five durations have no percentiles', async t => {
  t.same(percentilesOf(windowOf([1, 2, 3, 4])), { p50: null, p95: null, p99: null })
  t.not(percentilesOf(windowOf([1, 2, 3, 4, 5])).p50, null)
})

test('each duration has a bucket', async t => {
  const counts = new LatencyCounts()
  for (const ms of [0, 0.001, 1, 70_000, 1e12]) counts.add(ms)
  t.equal(counts.counts[0], 2)
  t.equal(counts.counts[latencyBuckets - 1], 2)
  t.equal(
    counts.counts.reduce((sum, count) => sum + count, 0),
    5,
  )
})

test('a window forgets the counts of the time before it', async t => {
  const window = new WindowCounts(1000)
  window.add(0, [0, 5])
  window.add(500, [0, 1, 3, 2])
  t.same([window.of(0), window.of(3), window.of(9), window.total], [6, 2, 0, 8])
  window.add(1000, [])
  t.same([window.of(0), window.total], [1, 3])
  window.add(1500, [])
  t.same([window.of(0), window.of(3), window.total], [0, 0, 0])
})
