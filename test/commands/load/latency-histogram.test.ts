import fc from 'fast-check'
import { test } from 'tap'
import { createLatencyHistogram } from '../../../src/commands/load/metrics.ts'

test('a latency from a µs to an hour is kept to a thousandth', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3_600_000_000 }), micros => {
      const latencies = createLatencyHistogram()
      latencies.record(micros / 1000)
      return [50, 100].every(
        percentile => Math.abs(latencies.percentileMs(percentile) * 1000 - micros) <= Math.max(1, micros / 1000),
      )
    }),
  )
})

test('percentiles are of all that were added', async t => {
  const latencies = createLatencyHistogram()
  for (let ms = 1; ms <= 1000; ms++) latencies.record(ms)
  for (const percentile of [50, 75, 90, 99, 99.9, 100])
    t.ok(Math.abs(latencies.percentileMs(percentile) - percentile * 10) <= 1, `${percentile}`)
  t.equal(latencies.count, 1000)
  latencies.reset()
  t.equal(latencies.count, 0)
})

test('a latency outside the range counts as the nearest bound, and an empty histogram has no percentile', async t => {
  const latencies = createLatencyHistogram()
  t.ok(Number.isNaN(latencies.percentileMs(99)))
  latencies.record(0)
  t.equal(latencies.percentileMs(100), 0.001)
  latencies.record(1e12)
  t.equal(latencies.count, 2)
  t.ok(Math.abs(latencies.percentileMs(100) - 3_600_000) < 3600)
})
