import { test } from 'tap'
import { PeakEwma } from '../../../src/upstream/origins/peak-ewma.ts'

/** An average with these latencies, each at its time. */
function averageOf(...latencies: readonly (readonly [at: number, ms: number])[]): PeakEwma {
  const latency = new PeakEwma()
  for (const [at, ms] of latencies) latency.add(ms, at)
  return latency
}

test('a latency above the average replaces it', t => {
  t.equal(averageOf([0, 5]).average, 5)
  t.equal(averageOf([0, 5], [1, 80]).average, 80)
  t.end()
})

test('a latency below the average moves it by the time since the last latency', t => {
  t.equal(averageOf([0, 100], [0, 10]).average, 100)
  // After the time constant of 2 s, 1/e of the difference is left.
  t.ok(Math.abs(averageOf([0, 100], [2000, 10]).average - (10 + 90 / Math.E)) < 1e-9)
  t.ok(averageOf([0, 100], [20_000, 10]).average < 10.01)
  t.end()
})

test('the cost of another attempt is the average times the attempts with it', t => {
  const latency = averageOf([0, 20])
  t.equal(latency.cost(0, 0), 20)
  t.equal(latency.cost(1, 0), 40)
  t.equal(latency.cost(4, 0), 100)
  t.end()
})

test('the cost falls with time only while no attempt is in flight', t => {
  const latency = averageOf([0, 20])
  t.ok(Math.abs(latency.cost(0, 10_000) - 20 / Math.E) < 1e-9)
  t.equal(latency.cost(1, 10_000), 40)
  t.equal(latency.average, 20)
  t.end()
})

test('without a latency the first attempt costs nothing, and another one more than each known origin', t => {
  const latency = new PeakEwma()
  t.equal(latency.cost(0, 0), 0)
  t.ok(latency.cost(1, 0) > averageOf([0, 60_000]).cost(1000, 0))
  t.ok(latency.cost(2, 0) > latency.cost(1, 0))
  t.end()
})
