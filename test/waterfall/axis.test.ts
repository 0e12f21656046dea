import { test } from 'tap'
import fc from 'fast-check'
import { axisOf, tickText, timeText } from '../../src/waterfall/axis.ts'

test('an axis ends with the run, or at a deadline that is close', async t => {
  t.match(axisOf({ end: 500, deadline: 800 }, 5), { end: 500, deadline: undefined })
  t.match(axisOf({ end: 720, deadline: 800 }, 5), { end: 800, deadline: 800 })
  t.match(axisOf({ end: 812.4, deadline: 800 }, 5), { end: 812.4, deadline: 800 })
  t.match(axisOf({ end: 0, deadline: 800 }, 5), { end: 0.1, ticks: [0.02, 0.04, 0.06, 0.08] })
})

test('ticks are multiples of 1, 2 or 5 times a power of ten', async t => {
  t.same(axisOf({ end: 812, deadline: Infinity }, 5).ticks, [200, 400, 600, 800])
  t.same(axisOf({ end: 812, deadline: Infinity }, 8).ticks, [100, 200, 300, 400, 500, 600, 700, 800])
  t.same(axisOf({ end: 3, deadline: Infinity }, 3).ticks, [1, 2])
  t.same(axisOf({ end: 0.7, deadline: Infinity }, 3).ticks, [0.2, 0.4, 0.6])
  t.same(axisOf({ end: 812, deadline: Infinity }, 0).ticks, [])
})

test('an axis has between a third of the wanted ticks and all of them, evenly spaced and before its end', async () => {
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 1e6, noNaN: true }), fc.integer({ min: 2, max: 20 }), (end, most) => {
      const { ticks } = axisOf({ end, deadline: Infinity }, most)
      const [step = 0] = ticks
      return (
        ticks.length <= most &&
        ticks.length >= Math.floor(most / 3) &&
        ticks.every((tick, index) => tick < end && Math.abs(tick - step * (index + 1)) < step / 1e6)
      )
    }),
  )
})

test('a time has decimals only where they are a part of its size', async t => {
  t.same([0, 0.04, 0.4, 9.94, 9.96, 98.6, 812.4, 9999, 12_540].map(timeText), [
    '0 ms',
    '0.0 ms',
    '0.4 ms',
    '9.9 ms',
    '10 ms',
    '99 ms',
    '812 ms',
    '9999 ms',
    '12.5 s',
  ])
  t.same([0.2, 50, 1000, 2500].map(tickText), ['0.2 ms', '50 ms', '1 s', '2.5 s'])
})
