import fc from 'fast-check'
import { test } from 'tap'
import { latencyHistogram } from '../../../src/commands/load/latency-histogram.ts'

test('a latency from a µs to an hour is kept to a thousandth', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3_600_000_000 }), micros => {
      const latencies = latencyHistogram()
      latencies.add(micros / 1000)
      return [50, 100].every(
        percentile => Math.abs(latencies.atMs(percentile) * 1000 - micros) <= Math.max(1, micros / 1000),
      )
    }),
  )
})

test('percentiles are of all that were added', async t => {
  const latencies = latencyHistogram()
  for (let ms = 1; ms <= 1000; ms++) latencies.add(ms)
  for (const percentile of [50, 75, 90, 99, 99.9, 100])
    t.ok(Math.abs(latencies.atMs(percentile) - percentile * 10) <= 1, `${percentile}`)
  t.equal(latencies.count, 1000)
  latencies.clear()
  t.equal(latencies.count, 0)
})

test('what is out of reach counts as the nearest, and of none there is nothing to say', async t => {
  const latencies = latencyHistogram()
  t.ok(Number.isNaN(latencies.atMs(99)))
  latencies.add(0)
  t.equal(latencies.atMs(100), 0.001)
  latencies.add(1e12)
  t.equal(latencies.count, 2)
  t.ok(Math.abs(latencies.atMs(100) - 3_600_000) < 3600)
})
