import { test } from 'tap'
import { UpstreamError, type ErrorCode, type UpstreamErrorOptions } from '../../../../src/errors.ts'
import { adaptiveConcurrency } from '../../../../src/upstream/policies/bulkhead/adaptive-concurrency.ts'
import { testRun } from '../../../helpers/call.ts'
import { questions } from '../../../helpers/questions.ts'

/** What a call says that ended so: whether it can lower the permits, raise them, or do neither. */
function said(ms: number, error?: unknown, { deadline = 60_000, isSafe = true } = {}): 'lost' | 'answered' | 'nothing' {
  const run = testRun({ deadline })
  const call = run.ask(isSafe ? questions.ask() : questions.tell({ body: {} }))
  const adaptive = adaptiveConcurrency({ connections: 200, attemptTimeout: 1000 })
  for (let time = 0; time < 20; time++) adaptive.ended(call, adaptive.noted, ms, 20, error)
  if (adaptive.limit < 20) return 'lost'
  return adaptive.limit > 20 ? 'answered' : 'nothing'
}

const failed = (code: ErrorCode, options?: UpstreamErrorOptions) => new UpstreamError(code, 'nobody', options)

test('a call that the upstream was too busy for is lost', async t => {
  for (const error of [
    failed('UPSTREAM_BUSY', { upstreamStatus: 503 }),
    failed('UPSTREAM_BUSY', { upstreamStatus: 429 }),
    failed('UPSTREAM_TIMEOUT'),
    failed('UPSTREAM_RESET'),
    failed('UPSTREAM_UNREACHABLE'),
    failed('OUTCOME_UNKNOWN', { cause: failed('UPSTREAM_RESET') }),
  ])
    t.equal(said(5, error), 'lost', `${error.code} ${error.upstreamStatus ?? ''}`)
})

test('an answer is an answer, well or not', async t => {
  t.equal(said(5), 'answered')
  for (const error of [
    failed('UPSTREAM_STATUS', { upstreamStatus: 404 }),
    failed('UPSTREAM_STATUS', { upstreamStatus: 302 }),
    failed('UPSTREAM_SCHEMA', { upstreamStatus: 200 }),
    failed('UPSTREAM_JSON', { upstreamStatus: 200 }),
  ])
    t.equal(said(5, error), 'answered', `${error.code} ${error.upstreamStatus}`)
})

test('a failure that is unrelated to load does not change the limit', async t => {
  for (const error of [
    failed('UPSTREAM_STATUS', { upstreamStatus: 500 }),
    failed('UPSTREAM_TLS'),
    failed('UPSTREAM_PROTOCOL'),
    failed('LOCAL_RESOURCES'),
    failed('RUNTIME_CLOSED'),
    failed('OUTCOME_UNKNOWN', { cause: failed('RUNTIME_CLOSED') }),
    failed('UPSTREAM_RESET', { isIdleClose: true }),
    new Error('the caller left'),
    'gone',
  ])
    t.equal(said(5, error), 'nothing', String(error))
})

test('a call that took more than three quarters of its timeout is lost, however it ended', async t => {
  t.equal(said(750), 'answered')
  t.equal(said(751), 'lost')
  t.equal(said(751, new Error('the caller left')), 'lost')
  t.equal(said(751, failed('UPSTREAM_STATUS', { upstreamStatus: 404 })), 'lost')
  t.equal(said(5000, undefined, { isSafe: false }), 'answered', 'an unsafe call has no timeout')
})

test('a deadline is a loss where the upstream had most of it, and none where our own queue had', async t => {
  const late = failed('DEADLINE_EXCEEDED')
  t.equal(said(301, late, { deadline: 400 }), 'lost')
  t.equal(said(300, late, { deadline: 400 }), 'nothing', 'it came to its permit late')
  t.equal(said(600, late, { deadline: 900 }), 'nothing')
  t.equal(
    said(301, failed('DEADLINE_EXCEEDED', { verdict: 'ignored' }), { deadline: 400 }),
    'nothing',
    'a caller wanted it sooner',
  )
  t.equal(
    said(800, failed('OUTCOME_UNKNOWN', { cause: late }), { isSafe: false }),
    'lost',
    'an unsafe call that the deadline cut',
  )
  t.equal(said(20, failed('OUTCOME_UNKNOWN', { cause: late }), { isSafe: false }), 'nothing')
})
