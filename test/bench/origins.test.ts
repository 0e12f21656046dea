import { test } from 'tap'
import { sharesOf, usualPercentile, type OriginsWindow } from '../../bench/scenarios/origins/measure-origins.ts'
import { violationsOf } from '../../bench/scenarios/origins/violations.ts'

/** A window of two seconds. */
const window = (options: Partial<OriginsWindow> = {}): OriginsWindow => ({
  calls: 4,
  failed: 0,
  latencies: [
    [20, 20],
    [20, 20],
  ],
  attempts: [
    [1, 1],
    [99, 99],
  ],
  changes: [],
  ...options,
})
const slow = window({
  latencies: [
    [20, 30],
    [20, 20],
  ],
})

test('windows within the limits have no violation', t => {
  t.same(violationsOf([{ good: window(), bad: window() }]), [])
  t.end()
})

test('the p99 and the share of the slow origin must be within their limits in the median window', t => {
  const pair = { good: window(), bad: slow }
  t.same(violationsOf([pair, { good: window(), bad: window() }, { good: window(), bad: window() }]), [])
  t.same(violationsOf([pair, pair, { good: window(), bad: window() }]), [
    'the p99 with faulty origins is 1.50 times that with good ones',
  ])
  const much = window({
    attempts: [
      [3, 3],
      [97, 97],
    ],
  })
  t.same(violationsOf([{ good: window(), bad: much }]), ['the slow origin got 3.00 % of the attempts'])
  t.end()
})

test('a call that fails in any window is a violation', t => {
  const pairs = [1, 2, 3].map(() => ({ good: window(), bad: window() }))
  t.same(violationsOf([...pairs, { good: window(), bad: window({ failed: 1 }) }]), ['1 calls failed'])
  t.end()
})

test('shares and percentiles are those of each second', t => {
  t.same(sharesOf(window({ attempts: [[1], [3, 4], []] }), 0), [0.25, 0])
  t.same(sharesOf(window({ attempts: [[0], [0]] }), 0), [0])
  t.equal(
    usualPercentile(
      window({
        latencies: [
          [500, 1],
          [3, 2],
          [2, 4],
        ],
      }),
      0.99,
    ),
    4,
  )
  t.end()
})
