import { test } from 'tap'
import { barsOfCall, barsOfStep, endOf, lookOf } from '../../src/waterfall/bars.ts'
import type { KeptAttempt } from '../../src/waterfall/kept-run.ts'
import { timelineOf } from '../../src/waterfall/timeline.ts'
import { keptCall, keptRun, keptStep } from '../helpers/kept-run.ts'

const attempt = (start: number, end: number | null, fields: Partial<KeptAttempt> = {}): KeptAttempt => ({
  number: 1,
  kind: 'first',
  start,
  end,
  status: null,
  code: null,
  ...fields,
})

/** The bars of a step of a run of 100 ms. */
const barsIn = (...args: Parameters<typeof keptStep>) => {
  const [step] = timelineOf(keptRun({ ms: 100, steps: [keptStep(...args)] })).steps
  return step === undefined ? [] : barsOfStep(step, 100)
}

test('a call has its own time, its waits and its attempts, in the order in which they are painted', async t => {
  const call = keptCall({
    start: 1,
    end: 90,
    waits: [
      { reason: 'permit', start: 1, end: 11 },
      { reason: 'retry', start: 31, end: 41 },
    ],
    attempts: [
      attempt(11, 31, { code: 'UPSTREAM_BUSY', status: 503 }),
      attempt(41, 80, { number: 2, kind: 'retry', status: 200 }),
    ],
  })
  t.same(barsOfCall(call, 100), [
    { kind: 'own', from: 1, to: 90, lane: 0 },
    { kind: 'wait', reason: 'permit', from: 1, to: 11, lane: 0 },
    { kind: 'wait', reason: 'retry', from: 31, to: 41, lane: 0 },
    { kind: 'attempt', from: 11, to: 31, end: 'failed', lane: 0 },
    { kind: 'attempt', from: 41, to: 80, end: 'answered', lane: 0 },
  ])
})

test('a hedge has a lane of its own, and the attempt that was slower is outrun', async t => {
  const hedge = { number: 2, kind: 'hedge' } as const
  const call = keptCall({
    attempts: [
      attempt(0, 60, { code: 'CANCELLED' }),
      attempt(30, 60, hedge),
      attempt(70, 80, { number: 3, kind: 'retry' }),
    ],
  })
  t.same(
    barsOfCall(call, 100).map(bar => [bar.lane, lookOf(bar)]),
    [
      [0, 'own'],
      [0, 'outrun'],
      [1, 'hedge'],
      [0, 'answered'],
    ],
  )
  t.equal(endOf(attempt(30, 60, { ...hedge, code: 'UPSTREAM_RESET' }), call), 'failed')
  t.equal(lookOf({ kind: 'hedge', end: 'failed', from: 0, to: 1, lane: 1 }), 'failed')
})

test('a call, a wait or an attempt without an end lasts until the end of the run', async t => {
  const call = keptCall({
    end: null,
    waits: [{ reason: 'shared', start: 5, end: Infinity }],
    attempts: [attempt(0, null)],
  })
  t.match(barsOfCall(call, 100), [{ to: 100 }, { to: 100 }, { to: 100, end: 'open' }])
  t.match(barsOfCall({ ...call, end: 50, attempts: [attempt(0, 50, { code: 'CANCELLED' })] }, 100), [
    { to: 50 },
    { reason: 'shared', to: 50 },
    { end: 'cancelled' },
  ])
})

test('a rehearsed delay has a bar from the answer to the end of the call', async t => {
  const calls = [keptCall({ end: 90, attempts: [attempt(0, 40)] })]
  const outcome = { ms: 90, fault: 'delay:50' }
  t.same(barsIn({ outcome, calls }).at(-1), { kind: 'fault', from: 40, to: 90, lane: 0 })
  t.same(barsIn({ outcome: { ...outcome, fault: null }, calls }).at(-1)?.kind, 'attempt')
  const notSent = [keptCall({ end: 0, code: 'UPSTREAM_RESET' })]
  t.same(barsIn({ outcome: { ms: 1, fault: 'drop' }, calls: notSent }).length, 1)
})

test('a step with several calls joins the bars that look the same, with failures on top', async t => {
  const calls = [
    keptCall({ call: 0, attempts: [attempt(0, 20)] }),
    keptCall({ call: 1, attempts: [attempt(10, 30, { code: 'UPSTREAM_RESET' })] }),
    keptCall({ call: 2, waits: [{ reason: 'permit', start: 0, end: 20 }], attempts: [attempt(20, 35)] }),
    keptCall({ call: 3, attempts: [attempt(50, 60)] }),
  ]
  t.same(barsIn({ kind: 'each', outcome: { ms: 60 }, calls }), [
    { kind: 'own', from: 0, to: 60, lane: 0 },
    { kind: 'wait', reason: 'permit', from: 0, to: 20, lane: 0 },
    { kind: 'attempt', end: 'answered', from: 0, to: 35, lane: 0 },
    { kind: 'attempt', end: 'answered', from: 50, to: 60, lane: 0 },
    { kind: 'attempt', end: 'failed', from: 10, to: 30, lane: 0 },
  ])
})

test('the bars of a step end with the step, although a call may end later', async t => {
  const calls = [
    keptCall({ call: 0, end: 80, attempts: [attempt(0, 80, { code: 'CANCELLED' })] }),
    keptCall({ call: 1, start: 60, end: 80, attempts: [attempt(60, 80)] }),
  ]
  t.same(
    barsIn({ kind: 'firstOf', outcome: { ms: 50 }, calls }).map(({ from, to }) => [from, to]),
    [
      [0, 50],
      [0, 50],
    ],
  )
})

test('a step that did not start has no bars, and one without calls has its own work', async t => {
  t.same(barsIn({ outcome: { state: 'cancelled', start: null } }), [])
  t.same(barsIn({ outcome: { start: 5, ms: 0 } }), [{ kind: 'own', from: 5, to: 5, lane: 0 }])
})
