import { test } from 'tap'
import { ratioOf, violationsOf, type Pair } from '../../../bench/scenarios/dashboard/violations.ts'

const pairs = (ratio: number, events = 2): Pair[] =>
  Array.from({ length: 30 }, (_, index) => ({ without: 100 + index, withReader: (100 + index) * ratio, events }))

test('a median at the limit is accepted, and one above it is a violation', async t => {
  t.same(violationsOf(pairs(1.04)), [])
  t.same(violationsOf(pairs(1.06)), ['with a reader a run costs 1.060 of the CPU time, not 1.05'])
})

test('the median of the pairs decides, not single pairs', async t => {
  const mixed = [...pairs(1.01), ...pairs(3).slice(0, 10)]
  t.ok(Math.abs(ratioOf(mixed).median - 1.01) < 1e-9)
  t.same(violationsOf(mixed), [])
})

test('a reader that does not follow the service is a violation', async t => {
  t.same(violationsOf(pairs(1, 0.2)), ['the reader received 0.2 events per second, not 1.5'])
})
