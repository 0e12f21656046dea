import { test } from 'tap'
import { ratioOf, ratiosOf } from '../../bench/compare/report/ratios.ts'
import { measurementOf, windowOf } from '../helpers/measurement.ts'

test('a ratio is of the windows of one round, so a machine that gets slower changes nothing', async t => {
  const windows = [1, 2, 3].flatMap(round => [
    windowOf('service', 5, round, 30 * round),
    windowOf('go', 5, round, 20 * round),
  ])
  t.match(ratioOf(windows, 'service', 'go'), { median: 1.5, low: 1.5, high: 1.5, best: 1.5, count: 3 })
})

test('a round in which one of the two was dropped has no ratio', async t => {
  const windows = [
    windowOf('service', 5, 0, 30),
    windowOf('go', 5, 0, 20),
    windowOf('service', 5, 1, 90),
    windowOf('go', 5, 2, 1),
  ]
  t.match(ratioOf(windows, 'service', 'go'), { median: 1.5, count: 1 })
  t.equal(ratioOf(windows.slice(1, 3), 'service', 'go'), undefined)
})

test('the first target is compared with all, all with Pool.request, and the twins with each other', async t => {
  const {
    rows: [measured],
    targets,
  } = measurementOf(
    { service: 30, 'floor-request': 25, 'floor-dispatch': 20, go: 40, 'floor-dispatch-twin': 20 },
    '5',
    6,
  )
  t.same(
    ratiosOf(measured?.windows ?? [], targets).map(({ of, to, median }) => [of, to, median.toFixed(2)]),
    [
      ['service', 'floor-request', '1.20'],
      ['service', 'floor-dispatch', '1.50'],
      ['service', 'go', '0.75'],
      ['floor-dispatch', 'floor-request', '0.80'],
      ['go', 'floor-request', '1.60'],
      ['floor-dispatch-twin', 'floor-dispatch', '1.00'],
    ],
  )
})

test('two processes of another checkout are compared with each other, and not with the rest', async t => {
  const {
    rows: [measured],
    targets,
  } = measurementOf({ serve: 30, other: 20, 'other-twin': 25 }, '5', 6)
  t.same(
    ratiosOf(measured?.windows ?? [], targets).map(({ of, to, median }) => [of, to, median.toFixed(2)]),
    [
      ['serve', 'other', '1.50'],
      ['other-twin', 'other', '1.25'],
    ],
  )
})

test('the first target is whichever is named first', async t => {
  const {
    rows: [measured],
    targets,
  } = measurementOf({ other: 30, serve: 20, 'floor-request': 10 }, '5', 6)
  t.same(
    ratiosOf(measured?.windows ?? [], targets).map(({ of, to, median }) => [of, to, median.toFixed(2)]),
    [
      ['other', 'serve', '1.50'],
      ['other', 'floor-request', '3.00'],
      ['serve', 'floor-request', '2.00'],
    ],
  )
})
