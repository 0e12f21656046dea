import { test } from 'tap'
import { median, percentile } from '../../bench/lib/percentile.ts'

test('the median of values in any order is one of them: of an even count the higher one in the middle', t => {
  const values = [10, 9, 100]
  t.equal(median(values), 10)
  t.same(values, [10, 9, 100], 'the list is not sorted itself')
  t.equal(median([4, 1, 3, 2]), 3)
  t.same(median([]), NaN)
  t.end()
})

test('a percentile is a value of the sorted list', t => {
  const sorted = Array.from({ length: 100 }, (_, at) => at)
  t.same(
    [0, 0.5, 0.99, 1].map(share => percentile(sorted, share)),
    [0, 50, 99, 99],
  )
  t.end()
})
