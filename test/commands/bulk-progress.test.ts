import { test } from 'tap'
import { barLine, progressLine } from '../../src/commands/bulk/progress-text.ts'

const none = { succeeded: 0, partial: 0, failed: 0 }
const plain = { color: false, unicode: false }

test('the progress has the rate of this start and the time that is left', async t => {
  const counts = { succeeded: 295, partial: 3, failed: 2 }
  t.equal(
    progressLine({ items: 1000, earlier: none, counts, ms: 2000 }),
    '300 of 1000 items, 150 items/s, 3 partial, 2 failed, 5 s left',
  )
  t.equal(
    progressLine({ items: 1000, earlier: counts, counts, ms: 0 }),
    '300 of 1000 items, 0.0 items/s, 3 partial, 2 failed',
  )
  const done = { succeeded: 10, partial: 0, failed: 0 }
  t.match(progressLine({ items: 2010, earlier: none, counts: done, ms: 1000 }), /3 min 20 s left/)
  t.match(progressLine({ items: 75_010, earlier: none, counts: done, ms: 1000 }), /2 h 5 min left/)
  t.equal(progressLine({ items: 10, earlier: none, counts: done, ms: 1000 }), '10 of 10 items, 10 items/s, 0 failed')
})

test('a bar has the width of the terminal at most', async t => {
  const progress = { items: 100, earlier: none, counts: { succeeded: 50, partial: 0, failed: 0 }, ms: 1000 }
  t.match(barLine(progress, 200, plain), /^#{15}\.{15} 50 of 100 items, /)
  t.match(barLine(progress, 200, { ...plain, unicode: true }), /^█{15}░{15} 50/)
  t.equal(barLine(progress, 40, plain).length, 39)
})
