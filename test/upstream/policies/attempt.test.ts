import { test } from 'tap'
import { UpstreamError } from '../../../src/errors.ts'
import { attempt } from '../../../src/upstream/policies/attempt.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { heldService } from '../../helpers/held-service.ts'
import { questions } from '../../helpers/questions.ts'

function arrange(timeout: number) {
  const bottom = heldService()
  return { bottom, service: attempt({ upstream: 'nobody', timeout })(bottom.service) }
}

test('an attempt that takes too long is cut at its timeout', async t => {
  const { bottom, service } = arrange(20)
  const run = testRun()
  t.match(await failure(service(run.ask(questions.ask()))), {
    code: 'UPSTREAM_TIMEOUT',
    statusCode: 504,
    retryable: true,
    verdict: 'failed',
    message: /the limit of an attempt is 20 ms/,
  })
  t.ok(run.now() >= 18, 'not before')
  t.equal(bottom.held.length, 0, 'the service was aborted')
  t.equal(run.abort.aborted, false, 'the run goes on')
})

test('an attempt has no timer if its run ends earlier', async t => {
  const { bottom, service } = arrange(20_000)
  const run = testRun({ deadline: 10_000 })
  const asked = service(run.ask(questions.ask()))
  t.equal(bottom.held[0]?.call.abort, run.abort)
  bottom.held[0]?.answer()
  await asked
})

test('an unsafe call is not cut by it', async t => {
  const { bottom, service } = arrange(1)
  const run = testRun()
  const told = service(run.ask(questions.tell({ body: {} })))
  // A safe one beside it shows that the time is over.
  t.match(await failure(service(run.ask(questions.ask()))), { code: 'UPSTREAM_TIMEOUT' })
  t.equal(bottom.held.length, 1)
  bottom.held[0]?.answer('done')
  t.equal((await told).value, 'done')
})

test('each attempt of a call is counted, and its start and end are reported', async t => {
  const { bottom, service } = arrange(1000)
  const run = testRun()
  const call = run.ask(questions.ask(), { step: 2, index: 5 })
  const first = failure(service(call))
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_RESET', 'nobody'))
  await first
  const second = service(call)
  bottom.held[0]?.answer()
  await second
  t.equal(call.effort.attempts, 2)
  const of = { step: 2, call: 5, upstream: 'nobody', operation: 'nobody.ask' }
  const times = run.events.map(event => event.at)
  t.same(
    times,
    times.toSorted((a, b) => a - b),
  )
  t.same(run.events, [
    { type: 'attempt started', at: times[0], attempt: 1, kind: 'first', ...of },
    { type: 'attempt ended', at: times[1], attempt: 1, ...of, status: undefined, code: 'UPSTREAM_RESET' },
    { type: 'attempt started', at: times[2], attempt: 2, kind: 'retry', ...of },
    { type: 'attempt ended', at: times[3], attempt: 2, ...of, status: 200, code: undefined },
  ])
})

test('an attempt that may not wait is the second attempt of a hedge', async t => {
  const { bottom, service } = arrange(1000)
  const run = testRun()
  const call = run.ask(questions.ask())
  const both = [service(call), service(call.nextAttempt(call.abort, false))]
  for (const { answer } of bottom.held.slice()) answer()
  await Promise.all(both)
  t.match(run.events, [
    { type: 'attempt started', attempt: 1, kind: 'first' },
    { type: 'attempt started', attempt: 2, kind: 'hedge' },
    { type: 'attempt ended' },
    { type: 'attempt ended' },
  ])
})

test('an attempt that its caller gave up ends as cancelled, and one given up before never starts', async t => {
  const { service } = arrange(1000)
  const run = testRun()
  const asked = failure(service(run.ask(questions.ask())))
  run.abort.abort('gone')
  t.equal(await asked, 'gone')
  t.match(run.events, [{ type: 'attempt started' }, { type: 'attempt ended', code: 'CANCELLED' }])
  const late = run.ask(questions.ask())
  t.equal(await failure(service(late)), 'gone')
  t.equal(run.events.length, 2)
  t.equal(late.effort.attempts, 0)
})

test('an attempt that is aborted by a listener of its own start event is not sent', async t => {
  const { bottom, service } = arrange(20)
  const run = testRun()
  const watched = Object.assign(run, {
    emit: (event: (typeof run.events)[number]) => {
      run.events.push(event)
      if (event.type === 'attempt started') run.abort.abort('enough')
    },
  })
  t.equal(await failure(service(watched.ask(questions.ask()))), 'enough')
  t.equal(bottom.taken, 0)
  t.match(run.events, [{ type: 'attempt started' }, { type: 'attempt ended', code: 'CANCELLED' }])
})
