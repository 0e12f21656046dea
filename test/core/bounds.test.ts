import { test } from 'tap'
import { wholeNumber } from '../../src/core/bounds.ts'

test('a whole number within its bounds comes back', t => {
  for (const value of [1, 7, 2 ** 31 - 1]) t.equal(wholeNumber('x', 'concurrency', value), value)
  t.equal(wholeNumber('x', 'queue', 0, { min: 0 }), 0)
  t.end()
})

test('any other is refused, with owner, option, value and what is allowed', t => {
  for (const value of [
    0,
    -1,
    1.5,
    2 ** 31,
    Number.NaN,
    Infinity,
    '7' as unknown as number,
    null as unknown as number,
  ]) {
    t.throws(() => wholeNumber("upstream 'cats'", 'concurrency', value), {
      name: 'TypeError',
      message: `upstream 'cats': concurrency must be a whole number from 1 to 2147483647, got ${value}`,
    })
  }
  t.throws(() => wholeNumber('x', 'timeout', 4, { min: 5, unit: 'ms' }), {
    message: 'x: timeout must be a whole number of ms from 5 to 2147483647, got 4',
  })
  t.end()
})
