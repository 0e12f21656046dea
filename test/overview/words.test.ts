import { test } from 'tap'
import { durationText, percentText, rateText } from '../../src/overview/words.ts'

test('a duration has its two largest units', async t => {
  t.same([-5, 999, 42_000, 130_000, 11_100_000, 200_000_000].map(durationText), [
    '0 s',
    '0 s',
    '42 s',
    '2 min 10 s',
    '3 h 5 min',
    '2 d 7 h',
  ])
})

test('a part is never shown as nothing or as all', async t => {
  t.same(
    [
      [0, 0],
      [0, 5],
      [5, 5],
      [1, 100_000],
      [1, 100],
      [38, 100],
      [9999, 10_000],
    ].map(([part = 0, whole = 0]) => percentText(part, whole)),
    ['0 %', '0 %', '100 %', '0.1 %', '1.0 %', '38 %', '99 %'],
  )
})

test('a rate has a decimal below 10', async t => {
  t.same([0, 0.25, 9.94, 1040, 1_234_567].map(rateText), [
    '0.0 runs/s',
    '0.3 runs/s',
    '9.9 runs/s',
    '1 040 runs/s',
    '1 234 567 runs/s',
  ])
})
