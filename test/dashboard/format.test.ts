import fc from 'fast-check'
import { test } from 'tap'
import {
  availableOf,
  clock,
  count,
  day,
  elapsed,
  latency,
  moment,
  rate,
  share,
} from '../../src/dashboard/model/format.ts'

/** A text with plain spaces. */
const plain = (text: string) => text.replaceAll('\u202f', ' ')

test('a count has groups of three digits', async t => {
  t.same([0, 999, 1040, 12_345, 1_234_567, 2.6].map(count).map(plain), [
    '0',
    '999',
    '1 040',
    '12 345',
    '1 234 567',
    '3',
  ])
})

test('a rate has a decimal only below ten', async t => {
  t.same([0, 0.01, 0.4, 9.94, 9.96, 148.2, 1040, 99_949, 120_000].map(rate).map(plain), [
    '0',
    '<0.1',
    '0.4',
    '9.9',
    '10',
    '148',
    '1 040',
    '99 949',
    '120k',
  ])
})

test('a share is 0 or 100 percent only if it is exact', async t => {
  t.same([0, 0.0004, 0.023, 0.0994, 0.0996, 0.94, 0.9901, 0.99999, 1, NaN].map(share).map(plain), [
    '0 %',
    '<0.1 %',
    '2.3 %',
    '9.9 %',
    '10 %',
    '94 %',
    '99.0 %',
    '99.9 %',
    '100 %',
    '–',
  ])
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }), value => {
      const text = plain(share(value))
      return text !== '0 %' && text !== '100 %' && text !== '0.0 %' && text !== '100.0 %'
    }),
  )
})

test('a duration that was measured has the unit of its size', async t => {
  t.same([0.44, 9.96, 41.2, 1200, 12_440, NaN].map(latency).map(plain), [
    '0.4 ms',
    '10 ms',
    '41 ms',
    '1 200 ms',
    '12.4 s',
    '–',
  ])
})

test('the origins of an upstream are the available ones of all', async t => {
  t.equal(availableOf({ all: 10, out: 2 }), '8/10')
})

test('the time since an event has its two largest units', async t => {
  const minute = 60_000
  t.same([-5, 8999, 60_000, 130_000, 65 * minute, 76 * 60 * minute].map(elapsed).map(plain), [
    '0 s',
    '8 s',
    '1 min',
    '2 min 10 s',
    '1 h 5 min',
    '3 d 4 h',
  ])
})

test('a moment is shown with hours, minutes and seconds of the local time', async t => {
  t.equal(clock(new Date(2026, 10, 30, 1, 2, 3).getTime()), '01:02:03')
})

test('a moment of another day is shown with its day', async t => {
  const now = new Date(2026, 10, 30, 23, 59, 59).getTime()
  t.equal(moment(new Date(2026, 10, 30, 1, 2, 3).getTime(), now), '01:02:03')
  t.equal(moment(new Date(2026, 10, 29, 1, 2, 3).getTime(), now), '29 Nov 01:02')
  t.equal(day(new Date(2026, 11, 7).getTime()), '7 Dec')
})
