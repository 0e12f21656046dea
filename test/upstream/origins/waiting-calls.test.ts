import { test } from 'tap'
import { Abort } from '../../../src/core/abort.ts'
import { createWaitingCalls } from '../../../src/upstream/origins/waiting-calls.ts'
import { testRun } from '../../helpers/call.ts'
import { questions } from '../../helpers/questions.ts'

/** Two calls that wait; `log` has what happened to them. The first one does `act` when it leaves. */
function twoWaiting(act: () => void) {
  const run = testRun()
  const waiting = createWaitingCalls(60_000, () => new Error('late'))
  const log: unknown[] = []
  const second = new Abort()
  const wait = (abort: Abort, resume: () => void, reject: (error: unknown) => void) =>
    waiting.add(run.ask(questions.ask(), { abort }), { resolve: () => {}, reject }, resume)
  const left = (what: unknown) => {
    log.push(what)
    act()
  }
  wait(new Abort(), () => left('first resumed'), left)
  wait(
    second,
    () => log.push('second resumed'),
    error => log.push(error),
  )
  return { waiting, log, second }
}

test('a call that is aborted while the calls before it are resumed is not resumed', t => {
  const { waiting, log, second } = twoWaiting(() => second.abort('second aborted'))
  waiting.resume()
  t.same(log, ['first resumed', 'second aborted'])
  t.equal(second.size, 0)
  t.end()
})

test('a call that is aborted while the calls before it are rejected is rejected once', t => {
  const { waiting, log, second } = twoWaiting(() => second.abort('second aborted'))
  waiting.reject(() => 'rejected')
  t.same(log, ['rejected', 'second aborted'])
  t.end()
})

test('calls that were resumed do not wait any more', t => {
  const { waiting, log } = twoWaiting(() => {})
  waiting.resume()
  waiting.resume()
  waiting.reject(() => 'rejected')
  t.same(log, ['first resumed', 'second resumed'])
  t.equal(process.getActiveResourcesInfo().filter(name => name === 'Timeout').length, 0)
  t.end()
})
