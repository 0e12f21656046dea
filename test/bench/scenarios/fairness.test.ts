import { test } from 'tap'
import type { OpenLoopFigures } from '../../../bench/lib/open-loop-figures.ts'
import { capacityOf, measureFairness, variants } from '../../../bench/scenarios/fairness/measure-fairness.ts'
import type { Variant } from '../../../bench/scenarios/fairness/measure-fairness.ts'
import { summariesOf, violationsOf } from '../../../bench/scenarios/fairness/violations.ts'

const figures = (p99Ms: number, wholeRatio = 1): OpenLoopFigures => ({
  offered: 20,
  whole: 20,
  wholeRatio,
  refused: 0,
  other: 0,
  p50Ms: 1,
  p99Ms,
})
const window = (variant: Variant, p99Ms: number, wholeRatio: number, calmMs = 20) => ({
  variant,
  calm: figures(calmMs),
  flood: figures(p99Ms, wholeRatio),
  heavy: figures(500, 0.1),
})

test('each variant has the mean of its whole answers and the median of its p99 ratios in quiet rounds', t => {
  t.same(
    summariesOf([
      window('equal', 20, 1),
      window('POST', 40, 1),
      window('equal', 30, 0.5),
      window('equal', 90, 1),
      window('POST', 41, 0.1, 41),
    ]),
    [
      { variant: 'equal', quietRounds: 3, whole: 2.5 / 3, p99ToCalm: 1.5 },
      { variant: 'POST', quietRounds: 1, whole: 1, p99ToCalm: 2 },
    ],
  )
  t.end()
})

test('results at the limits are accepted, and results beyond them are violations', t => {
  t.same(violationsOf([window('equal', 40, 0.99)]), [])
  t.same(violationsOf([window('deadline 800', 42, 0.98), window('POST', NaN, 0)]), [
    'deadline 800: 98.0 % of the light requests were answered whole, below 99 %',
    'deadline 800: the p99 beside the flood is 2.1 times the calm p99, above 2',
    'POST: 0.0 % of the light requests were answered whole, below 99 %',
    'POST: the p99 beside the flood is NaN times the calm p99, above 2',
  ])
  t.end()
})

test('four permits of 50 ms allow 40 requests of two calls per second', t => {
  t.equal(capacityOf({ permits: 4, upstreamMs: 50, fanout: 2 }), 40)
  t.end()
})

test(
  'the light aggregate of each variant is measured beside a calm and a flooding one',
  { timeout: 60_000 },
  async t => {
    const windows = await measureFairness({ permits: 4, upstreamMs: 50, fanout: 2, times: 5, rounds: 1, seconds: 1 })
    t.same(
      windows.map(({ variant }) => variant),
      variants,
    )
    for (const { variant, calm, flood, heavy } of windows) {
      t.same([calm.offered, flood.offered, heavy.offered], [10, 10, 200], variant)
      t.ok(calm.wholeRatio > 0.5, `${variant}: most requests at half of the capacity have a whole answer`)
      t.ok(calm.p50Ms >= 50, `${variant}: a whole answer takes the time of a call`)
      t.ok(heavy.refused > 0, `${variant}: the flood is above what the permits allow`)
    }
  },
)
