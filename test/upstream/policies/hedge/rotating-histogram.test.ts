import fc from 'fast-check'
import { test } from 'tap'
import { RotatingHistogram } from '../../../../src/upstream/policies/hedge/rotating-histogram.ts'

test('a percentile is never below the true one, and at most a sixteenth of a doubling above it', t => {
  const times = fc.array(fc.double({ min: 0.07, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(times, fc.integer({ min: 50, max: 99 }), (all, percent) => {
      const latencies = new RotatingHistogram(1000, () => 0)
      for (const ms of all) latencies.add(ms)
      const sorted = all.toSorted((a, b) => a - b)
      const most = Math.floor(all.length * (1 - percent / 100) + 1e-9)
      const truth = sorted[all.length - 1 - most] as number
      const read = latencies.percentile(percent / 100)
      return read >= truth * 0.999 && read <= truth * 2 ** (1 / 16) * 1.001
    }),
  )
  t.end()
})

test('a latency outside the range counts in the first or the last bucket', t => {
  const latencies = new RotatingHistogram(1000, () => 0)
  latencies.add(0)
  t.ok(latencies.percentile(0.5) < 0.1)
  latencies.add(1e12)
  t.ok(latencies.percentile(0.99) > 1e7)
  t.equal(new RotatingHistogram(1000, () => 0).percentile(0.98), 1 / 16, 'of nothing it is the least there is')
  t.end()
})

test('a latency is kept for one span and forgotten after two, or after a span without calls', t => {
  let now = 0
  const latencies = new RotatingHistogram(1000, () => now)
  latencies.add(50)
  now = 1000
  t.equal(latencies.size, 1)
  latencies.add(1)
  t.equal(latencies.size, 2)
  t.ok(latencies.percentile(0.9) >= 50)
  now = 2000
  t.equal(latencies.size, 1)
  t.ok(latencies.percentile(0.9) < 2)
  now = 10_000
  t.equal(latencies.size, 0)
  latencies.add(7)
  t.equal(latencies.size, 1)
  t.end()
})
