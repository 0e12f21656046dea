import { test } from 'tap'
import { UpstreamError } from '../../../src/errors.ts'
import { keyOf } from '../../../src/upstream/transport/dispatch.ts'
import { attempt } from '../../../src/upstream/policies/attempt.ts'
import { coalesce } from '../../../src/upstream/policies/coalesce.ts'
import { stack } from '../../../src/upstream/call/layer.ts'
import { observe, type Counts } from '../../../src/upstream/policies/observe.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { heldService } from '../../helpers/held-service.ts'
import { questions } from '../../helpers/questions.ts'

function arrange() {
  const counts: Counts = { calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, queuedMs: 0 }
  const bottom = heldService()
  return {
    counts,
    bottom,
    service: stack([observe(counts), attempt({ upstream: 'nobody', timeout: 90_000 })], bottom.service),
  }
}

test('an answered call is ok, and its end is reported with its status', async t => {
  const { counts, bottom, service } = arrange()
  const run = testRun()
  const call = run.ask(questions.ask(), { step: 1, index: 2 })
  call.effort.queuedMs = 4
  const asked = service(call)
  bottom.held[0]?.answer('x', 203)
  await asked
  t.same(counts, { calls: 1, ok: 1, failed: 0, ignored: 0, attempts: 1, queuedMs: 4 })
  t.match(run.events.at(-1), { type: 'call ended', step: 1, call: 2, attempts: 1, status: 203, code: undefined })
})

test('the error of a failed call decides how it is counted', async t => {
  for (const [error, verdict, status] of [
    [new UpstreamError('UPSTREAM_STATUS', 'nobody', { upstreamStatus: 500 }), 'failed', 500],
    [new UpstreamError('UPSTREAM_STATUS', 'nobody', { upstreamStatus: 404 }), 'ignored', 404],
    [new UpstreamError('DEADLINE_EXCEEDED', 'nobody'), 'failed', undefined],
    [new UpstreamError('DEADLINE_EXCEEDED', 'nobody', { verdict: 'ignored' }), 'ignored', undefined],
    [new UpstreamError('BULKHEAD_FULL', 'nobody'), 'ignored', undefined],
  ] as const) {
    const { counts, bottom, service } = arrange()
    const run = testRun()
    const asked = failure(service(run.ask(questions.ask())))
    bottom.held[0]?.fail(error)
    t.equal(await asked, error)
    t.match(counts, { calls: 1, ok: 0, failed: 0, ignored: 0, [verdict]: 1 }, `${error.message} is ${verdict}`)
    t.match(run.events.at(-1), { type: 'call ended', status, code: error.code })
  }
})

test('a call that its caller gave up says nothing about the upstream', async t => {
  const { counts, service } = arrange()
  const run = testRun()
  const asked = failure(service(run.ask(questions.ask())))
  run.abort.abort('gone')
  t.equal(await asked, 'gone')
  t.match(counts, { calls: 1, failed: 0, ignored: 1 })
  t.match(run.events.at(-1), { type: 'call ended', attempts: 1, status: undefined, code: 'CANCELLED' })
})

test('a deadline that found the call not yet sent says nothing about the upstream', async t => {
  const { counts, service } = arrange()
  const run = testRun()
  run.abort.abort(new UpstreamError('DEADLINE_EXCEEDED', 'nobody'))
  t.match(await failure(service(run.ask(questions.ask()))), { code: 'DEADLINE_EXCEEDED' })
  t.match(counts, { calls: 1, failed: 0, ignored: 1, attempts: 0 })
  t.match(run.events, [{ type: 'call ended', attempts: 0, code: 'DEADLINE_EXCEEDED' }])
})

test('a deadline that cuts a call on the wire says something of the upstream, also for one that shares the call of another', async t => {
  const counts: Counts = { calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, queuedMs: 0 }
  const bottom = heldService()
  const service = stack(
    [observe(counts), coalesce({ keyOf }), attempt({ upstream: 'nobody', timeout: 30_000 })],
    bottom.service,
  )
  const [began, joined] = [testRun(), testRun()]
  const asked = [began, joined].map(run => failure(service(run.ask(questions.shared({ id: 'one' })))))
  t.equal(bottom.held.length, 1, 'it is on the wire')
  began.abort.abort('gone')
  joined.abort.abort(new UpstreamError('DEADLINE_EXCEEDED', 'nobody'))
  await Promise.all(asked)
  t.match(counts, { calls: 2, failed: 1, ignored: 1, attempts: 1 })
})
