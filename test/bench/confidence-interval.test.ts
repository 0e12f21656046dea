import fc from 'fast-check'
import { test } from 'tap'
import { medianInterval } from '../../bench/lib/confidence-interval.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

test('fifteen values have their interval from the fourth to the twelfth, whatever their order', async t => {
  const { median, low, high, confidence } = medianInterval(upTo(15).toReversed())
  t.same([median, low, high], [8, 4, 12])
  // 1 − 2 · (1 + 15 + 105 + 455) / 2¹⁵
  t.equal(confidence.toFixed(5), '0.96484')
})

test('the median of an even number of values lies between the two in the middle', async t => {
  t.match(medianInterval([1, 2, 10, 20, 30, 40]), { median: 15, low: 1, high: 40, count: 6 })
})

test('fewer than six values have no 95 % interval: the interval is their range, with a lower confidence', async t => {
  t.match(medianInterval(upTo(5)), { median: 3, low: 1, high: 5, confidence: 0.9375 })
  t.match(medianInterval([7]), { median: 7, low: 7, high: 7, confidence: 0 })
  t.match(medianInterval([]), { median: NaN, low: NaN, high: NaN, confidence: 0, count: 0 })
})

test('the interval is the narrowest of its kind that is sure enough, and holds the median', async t => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 6, maxLength: 80 }), values => {
      const { median, low, high, confidence } = medianInterval(values)
      return low <= median && median <= high && confidence >= 0.95 && values.includes(low) && values.includes(high)
    }),
  )
  for (let count = 6; count <= 80; count++) {
    const { low, confidence } = medianInterval(upTo(count))
    t.equal(confidence.toFixed(9), coverage(count, low).toFixed(9), `${count} values`)
    if (low + 1 <= count / 2) t.ok(coverage(count, low + 1) < 0.95, `${count} values, one place further in`)
  }
})

/**
 * The probability that the true median is between the `from`th value from below and that from above, by counting coins.
 */
function coverage(count: number, from: number) {
  let outside = 0
  for (let heads = 0; heads < from; heads++) outside += choose(count, heads) / 2 ** count
  return 1 - 2 * outside
}

function choose(count: number, heads: number): number {
  return heads === 0 ? 1 : (choose(count, heads - 1) * (count - heads + 1)) / heads
}
