import { join } from 'node:path'
import { test } from 'tap'
import { ControlLoop } from '../../tools/timing/control-loop.ts'
import { timingFiles } from '../../tools/timing/files.ts'
import {
  isWhole,
  judge,
  missesOf,
  mostRuns,
  noisyFrom,
  quietRuns,
  slowFrom,
  slowMemoryFrom,
  type TimingRun,
} from '../../tools/timing/judge.ts'

const quiet = (...misses: string[]): TimingRun => ({
  misses: new Set(misses),
  isWhole: true,
  lateMs: noisyFrom - 0.1,
  referenceMs: slowFrom - 0.1,
  memoryMs: slowMemoryFrom - 0.1,
})
const noisy = (...misses: string[]): TimingRun => ({ ...quiet(...misses), lateMs: noisyFrom })
const slow = (...misses: string[]): TimingRun => ({ ...quiet(...misses), referenceMs: slowFrom })
const cut = (run: TimingRun): TimingRun => ({ ...run, isWhole: false })

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

test('a bound that is missed on a slow machine alone is not judged', t => {
  t.same(judge(Array.from({ length: mostRuns }, () => slow('a'))), { state: 'not judged', misses: ['a'] })
  const slowMemory = { ...quiet('a'), memoryMs: slowMemoryFrom }
  t.same(judge(Array.from({ length: mostRuns }, () => slowMemory)), { state: 'not judged', misses: ['a'] })
  t.same(judge([slow('a'), quiet('a'), noisy('a'), quiet('a')]), { state: 'missed', misses: ['a'] })
  t.end()
})

test('a run that did not end whole holds no bound', t => {
  const crash = 'the process ended with null'
  t.equal(judge([quiet('a'), cut(quiet(crash))]), undefined, 'it has not evaluated a')
  t.equal(judge([cut(quiet(crash)), quiet('a')]), undefined)
  t.equal(judge([cut(quiet()), quiet('a')]), undefined, 'even if no assertion failed before its end')
  t.same(judge([quiet('a'), cut(quiet(crash)), quiet('a')]), { state: 'missed', misses: ['a'] })
  t.same(judge([cut(noisy(crash)), quiet()]), { state: 'held' })
  t.end()
})

test('a file of which no run ended whole is missed, on a noisy machine too', t => {
  const crashes = Array.from({ length: mostRuns }, (_, index) => cut(noisy(`end ${index % 2}`)))
  t.equal(judge(crashes.slice(1)), undefined)
  t.same(judge(crashes), { state: 'missed', misses: ['end 0', 'end 1'] })
  t.same(judge([cut(noisy('end'))], true), { state: 'missed', misses: ['end'] })
  t.end()
})

test('a miss in one quiet run is missed when there is no time for another run', t => {
  t.same(judge([quiet('a')], true), { state: 'missed', misses: ['a'] })
  t.same(judge([noisy('a'), quiet('a', 'b')], true), { state: 'missed', misses: ['a'] })
  t.same(judge([noisy('a'), noisy('a'), noisy('a'), quiet('a')]), { state: 'missed', misses: ['a'] })
  t.same(judge([noisy('a'), cut(quiet('end'))], true), { state: 'not judged', misses: ['a'] })
  t.end()
})

test('a run is whole when each test of its file ended by itself, whether assertions failed or not', t => {
  const failed = '# Subtest: a\n    not ok 1 - was 5 ms\n    1..1\nnot ok 1 - a # time=3ms\n'
  t.ok(isWhole('# Subtest: a\n    ok 1 - was 5 ms\n    1..1\nok 1 - a # time=3ms\n1..1\n', 0))
  t.ok(isWhole(`${failed}1..1\n`, 1))
  t.ok(isWhole('1..0 # without chromium\n', 0), 'a file that is skipped')
  t.notOk(isWhole(`${failed}1..1\n`, null), 'a signal ended it')
  t.notOk(isWhole(failed, 1), 'there is no plan')
  t.notOk(isWhole(`${failed}1..0 # no tests found\n`, 1))
  t.notOk(isWhole('', 0))
  t.notOk(isWhole('# Subtest: a\n    ok 1 - was 5 ms\n    1..1\nok 1 - a # time=3ms\n1..1\n', 7), 'it failed elsewhere')
  for (const end of [
    '    not ok 2 - timeout!\n',
    '    not ok 2 - test unfinished\n',
    'not ok 2 - child test left in queue: after\n',
    '    not ok 2 - no 5\n      ---\n      tapCaught: returnedPromiseRejection\n      ...\n',
    'Bail out! no\n',
    '    Bail out! no\n',
  ])
    t.notOk(isWhole(`${failed}${end}1..2\n`, 1), end)
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
