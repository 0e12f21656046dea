import { join } from 'node:path'
import { test } from 'tap'
import { ControlLoop } from '../../tools/timing/control-loop.ts'
import { timingFiles } from '../../tools/timing/files.ts'
import { judge, missesOf, mostRuns, noisyFrom, quietRuns, type TimingRun } from '../../tools/timing/judge.ts'

const quiet = (...misses: string[]): TimingRun => ({ misses: new Set(misses), lateMs: noisyFrom - 0.1 })
const noisy = (...misses: string[]): TimingRun => ({ misses: new Set(misses), lateMs: noisyFrom })

test('a bound is held when one run holds it, whether the machine was quiet or not', t => {
  t.same(judge([quiet()]), { state: 'held' })
  t.same(judge([noisy()]), { state: 'held' })
  t.same(judge([quiet('a'), quiet('b')]), { state: 'held' })
  t.same(judge([noisy('a'), noisy('a', 'b'), quiet('b')]), { state: 'held' })
  t.end()
})

test('a bound is missed when every run misses it, enough of them on a quiet machine', t => {
  t.equal(judge([]), undefined)
  t.equal(judge([quiet('a')]), undefined, 'one run is not enough')
  t.equal(quietRuns, 2)
  t.same(judge([quiet('b', 'a'), quiet('a', 'b', 'c')]), { state: 'missed', misses: ['a', 'b'] })
  t.same(judge([noisy('a'), quiet('a'), noisy('a'), quiet('a')]), { state: 'missed', misses: ['a'] })
  t.end()
})

test('a bound that is missed on a noisy machine alone is not judged, after the last run', t => {
  const runs = Array.from({ length: mostRuns }, () => noisy('a'))
  t.equal(judge(runs.slice(1)), undefined)
  t.same(judge(runs), { state: 'not judged', misses: ['a'] })
  t.same(judge([noisy('a')], true), { state: 'not judged', misses: ['a'] })
  t.end()
})

test('a miss is named by the titles around it, its text without numbers, and its line', t => {
  const tap = (ms: number, index: number) => `TAP version 14
# Subtest: B. Heads
    ok ${index} - another
    # Subtest: 11. never answers
        ok 1 - status
        not ok ${index} - required: answered after ${ms} ms, which is within 0 to 20
          ---
          at:
            fileName: test/faults/helpers/run-line.ts
            lineNumber: 97
          ...
        1..${index}
    not ok 1 - 11. never answers # time=35.1ms
    # Subtest: 12. closes
        1..0
    ok 2 - 12. closes # time=1ms
    1..2
not ok 1 - B. Heads # time=42.5ms
`
  const misses = missesOf(tap(22.5, 7))
  t.same(
    [...misses],
    ['B. Heads > 11. never answers > required: answered after N ms, which is within N to N (line 97)'],
  )
  t.same(missesOf(tap(31, 2)), misses)
  t.equal(missesOf('ok 1 - a\n1..1\n').size, 0)
  t.end()
})

test('the files with exact bounds are those that reach the helper of timing', t => {
  const files = timingFiles(join(import.meta.dirname, '../..'))
  for (const file of ['test/faults/b-heads.test.ts', 'test/upstream/tail.test.ts', 'test/app/caller-gone.test.ts'])
    t.ok(files.includes(file), file)
  t.notOk(files.includes('test/tests.test.ts'))
  t.end()
})

test('the control loop sees that the machine is held up', async t => {
  const loop = new ControlLoop()
  await new Promise(resolve => {
    setImmediate(resolve)
  })
  for (const until = performance.now() + 60; performance.now() < until;);
  await new Promise(resolve => {
    setImmediate(resolve)
  })
  t.ok(loop.end() >= 40)
})
