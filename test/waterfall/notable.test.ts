import { test } from 'tap'
import { isNotable, notableCalls } from '../../src/waterfall/timeline-rows.ts'
import { timelineOf, type TimedStep } from '../../src/waterfall/timeline.ts'
import { keptCall, keptRun, keptStep } from '../helpers/kept-run.ts'

const stepOf = (...args: Parameters<typeof keptStep>) =>
  timelineOf(keptRun({ steps: [keptStep(...args)] })).steps[0] as TimedStep

test('the calls that matter most are those that failed and the longest, in their order', async t => {
  const calls = [
    keptCall({ call: 0, end: 10 }),
    keptCall({ call: 1, end: 90 }),
    keptCall({ call: 2, end: 5, code: 'UPSTREAM_RESET' }),
    keptCall({ call: 3, end: null }),
    keptCall({ call: 4, end: 20 }),
  ]
  const shown = (most: number) => notableCalls(stepOf({ calls }), most).map(({ call }) => call)
  t.same(shown(5), [0, 1, 2, 3, 4])
  t.same(shown(3), [1, 2, 3])
  t.same(shown(4), [1, 2, 3, 4])
})

test('a step is of interest if it was lost, waited, sent a call again, or did not', async t => {
  const attempt = { number: 1, kind: 'first', start: 0, end: 40, status: 200, code: null } as const
  const plain = keptCall({ attempts: [attempt] })
  t.notOk(isNotable(stepOf({ calls: [plain] })))
  t.notOk(isNotable(stepOf({ outcome: { state: 'skipped' } })))
  t.ok(isNotable(stepOf({ outcome: { state: 'stale' }, calls: [plain] })))
  for (const changed of [
    { waits: [{ reason: 'permit', start: 0, end: 1 }] },
    { attempts: [attempt, { ...attempt, number: 2, kind: 'retry' }] },
    { marks: [{ at: 1, what: 'retry not sent', reason: 'budget' }] },
  ] as const)
    t.ok(isNotable(stepOf({ calls: [plain, { ...plain, ...changed }] })), Object.keys(changed).join())
})
