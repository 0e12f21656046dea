import { test } from 'tap'
import { rowsOf } from '../../src/waterfall/timeline-rows.ts'
import { timelineOf } from '../../src/waterfall/timeline.ts'
import { keptCall, keptRun, keptStep } from '../helpers/kept-run.ts'

const hedged = keptCall({
  attempts: [
    { number: 1, kind: 'first', start: 0, end: 40, status: null, code: 'CANCELLED' },
    { number: 2, kind: 'hedge', start: 20, end: 40, status: 200, code: null },
  ],
  marks: [{ at: 10, what: 'hedge not sent', reason: 'permit' }],
})
const run = keptRun({
  ms: 50,
  steps: [
    keptStep({ name: 'one', calls: [hedged] }),
    keptStep({ name: 'many', kind: 'each', needs: ['one'], calls: [hedged, keptCall({ call: 1 })] }),
    keptStep({ name: 'never', outcome: { state: 'cancelled', start: null } }),
  ],
})

test('a run has a row per step, and rows of the calls that are asked for below their step', async t => {
  const timeline = timelineOf(run)
  t.same(
    rowsOf(timeline).map(({ step }) => step.name),
    ['one', 'many', 'never'],
  )
  const rows = rowsOf(timeline, ({ calls }) => calls)
  t.same(
    rows.map(row => (row.type === 'step' ? row.step.name : row.call.call)),
    ['one', 0, 'many', 0, 1, 'never'],
  )
  t.same(
    rows.map(({ lanes }) => lanes),
    [2, 2, 1, 2, 1, 1],
    'a step with several calls is one lane high',
  )
  t.same(
    rows.map(({ marks }) => marks.length),
    [1, 1, 1, 1, 0, 0],
  )
})

test('the times of a step are those of its entry in sources', async t => {
  t.match(timelineOf(run), {
    end: 50,
    deadline: 800,
    steps: [
      { start: 0, end: 40, needs: [] },
      { start: 0, end: 40, needs: ['one'] },
      { start: null, end: null },
    ],
  })
})
