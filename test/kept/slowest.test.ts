import { test } from 'tap'
import { RateCap } from '../../src/kept/rate-cap.ts'
import { Slowest } from '../../src/kept/slowest.ts'

const minutes = 60_000

test('the 20 slowest runs of an aggregate are slow, when 50 runs are known', t => {
  const slowest = new Slowest(() => 0)
  const add = (ms: number) => slowest.add('a', ms)
  t.same(Array.from({ length: 50 }, (_, index) => add(index)).filter(Boolean), [], 'the first runs are not compared')
  t.equal(add(29), false, '20 runs took longer')
  t.equal(add(31), true)
  t.equal(add(31), false, 'now 20 runs took at least as long')
  t.equal(add(1000), true)
  t.equal(slowest.add('b', 2000), false, 'each aggregate has its own runs')
  t.end()
})

test('equal durations are not slow', t => {
  const slowest = new Slowest(() => 0)
  t.same(Array.from({ length: 500 }, () => slowest.add('a', 10)).filter(Boolean), [])
  t.end()
})

test('the slowest runs are those of the present 5 minutes, measured against the 5 minutes before', t => {
  const clock = { now: 0 }
  const slowest = new Slowest(() => clock.now)
  const add = (ms: number) => slowest.add('a', ms)
  for (let ms = 0; ms < 100; ms++) add(ms)
  clock.now = 5 * minutes
  t.equal(add(79), false, 'below the slowest of the last window')
  t.equal(add(80), true)
  clock.now = 20 * minutes
  t.equal(add(1000), false, 'after a pause nothing is known')
  t.end()
})

test('a cap lets through its number of runs in each span of time', t => {
  const cap = new RateCap(2, 100)
  t.same(
    [0, 10, 20, 99, 100, 150, 160, 500].map(now => cap.passes(now)),
    [true, true, false, false, true, true, false, true],
  )
  t.end()
})
