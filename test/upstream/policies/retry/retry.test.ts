import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError, type UpstreamErrorOptions } from '../../../../src/errors.ts'
import { Abort } from '../../../../src/core/abort.ts'
import type { Call } from '../../../../src/upstream/call/call.ts'
import { defineUpstream, operation } from '../../../../src/upstream/declare.ts'
import { RetryBudget } from '../../../../src/upstream/policies/retry/retry-budget.ts'
import { pauseBefore, retry } from '../../../../src/upstream/policies/retry/retry.ts'
import { testRun } from '../../../helpers/call.ts'
import { failure } from '../../../helpers/failure.ts'
import { heldService } from '../../../helpers/held-service.ts'
import { questions } from '../../../helpers/questions.ts'
import { until } from '../../../helpers/until.ts'

const upstream = 'nobody'
const reset = (options: UpstreamErrorOptions = {}) => new UpstreamError('UPSTREAM_RESET', upstream, options)

interface Setting {
  readonly attempts?: number
  readonly delay?: number
  readonly budget?: RetryBudget
  readonly random?: () => number
  readonly deadline?: number
}

/** A retry layer above a service that marks each attempt as sent, and fails or answers it as the test says. */
function arrange({
  attempts = 3,
  delay = 0,
  budget = new RetryBudget({}, () => 0),
  random = () => 0,
  deadline = 60_000,
}: Setting = {}) {
  const bottom = heldService()
  const service = retry({ maxAttempts: attempts, initialDelay: delay, maxDelay: 250, budget, random })(call => {
    call.attempt.sent = true
    return bottom.service(call)
  })
  const run = testRun({ deadline })
  return {
    bottom,
    run,
    service,
    send: (ask: Call<unknown> = questions.ask(), abort = new Abort()) => service(run.ask(ask, { abort })),
  }
}

test('a temporary failure is followed by another attempt, until one succeeds', async t => {
  const { bottom, send } = arrange()
  const asked = send()
  bottom.held[0]?.fail(reset())
  await bottom.arrived(2)
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_TIMEOUT', upstream))
  await bottom.arrived(3)
  bottom.held[0]?.answer('at last')
  t.equal((await asked).value, 'at last')
})

test('after maxAttempts the call fails with the failure of its last attempt', async t => {
  const { bottom, send } = arrange({ attempts: 2 })
  const asked = failure(send())
  bottom.held[0]?.fail(reset())
  await bottom.arrived(2)
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_STATUS', upstream, { upstreamStatus: 500 }))
  t.match(await asked, { upstreamStatus: 500 })
  t.equal(bottom.taken, 2)
})

test('a failure that is not temporary is not retried, and comes back as it is', async t => {
  const errors = [
    new UpstreamError('UPSTREAM_SCHEMA', upstream),
    new UpstreamError('UPSTREAM_TLS', upstream),
    new UpstreamError('UPSTREAM_PROTOCOL', upstream),
    new UpstreamError('UPSTREAM_JSON', upstream),
    new UpstreamError('BREAKER_OPEN', upstream),
    new UpstreamError('BULKHEAD_FULL', upstream),
    ...[400, 401, 404, 409, 501, 505].map(
      upstreamStatus => new UpstreamError('UPSTREAM_STATUS', upstream, { upstreamStatus }),
    ),
    new TypeError('a bug'),
  ]
  for (const error of errors) {
    const { bottom, send } = arrange()
    const asked = failure(send())
    bottom.held[0]?.fail(error)
    t.equal(await asked, error)
    t.equal(bottom.taken, 1, error.message)
  }
})

test('a call that was answered 408, 425, 500, 502 or 504 is sent again, and its second answer is the value', async t => {
  for (const upstreamStatus of [408, 425, 500, 502, 504]) {
    const { bottom, send } = arrange()
    const asked = send()
    bottom.held[0]?.fail(new UpstreamError('UPSTREAM_STATUS', upstream, { upstreamStatus }))
    await bottom.arrived(2)
    bottom.held[0]?.answer('well')
    t.match(await asked, { value: 'well' }, `${upstreamStatus} is retried`)
    t.equal(bottom.taken, 2)
  }
})

test('an unsafe call without a key is sent again only when it never left', async t => {
  const { bottom, send } = arrange()
  const lost = failure(send(questions.tell({ body: {} })))
  bottom.held[0]?.fail(reset({ isIdleClose: true }))
  t.match(await lost, { code: 'UPSTREAM_RESET' })
  t.equal(bottom.taken, 1)

  const unreached = send(questions.tell({ body: {} }))
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_UNREACHABLE', upstream))
  await bottom.arrived(3)
  bottom.held[0]?.answer()
  await unreached
})

test('the bound of the pause doubles with each attempt up to maxDelay, and the pause is a random part of it', t => {
  const pauses = (random: number) =>
    Array.from({ length: 7 }, (_, at) =>
      pauseBefore({ retryAfterMs: undefined }, at + 1, { initialDelay: 10, maxDelay: 250, random: () => random }),
    )
  t.same(pauses(1), [10, 20, 40, 80, 160, 250, 250])
  t.same(pauses(0.5), [5, 10, 20, 40, 80, 125, 125])
  t.same(pauses(0), [0, 0, 0, 0, 0, 0, 0])
  t.end()
})

test('Retry-After is the pause, with a random part of initialDelay on top and without the bound of maxDelay', t => {
  for (const [random, pause] of [
    [0, 3000],
    [0.5, 3005],
  ] as const)
    t.equal(pauseBefore({ retryAfterMs: 3000 }, 4, { initialDelay: 10, maxDelay: 250, random: () => random }), pause)
  t.end()
})

test('an attempt is not sent before the pause has passed', async t => {
  const pauses: number[] = []
  const parts = [0.999, 0.5, 0, 0.1]
  const { bottom, send, run } = arrange({ attempts: 5, delay: 10, random: () => parts.shift() ?? 0 })
  const asked = send()
  for (let attempt = 1; attempt < 5; attempt++) {
    const since = run.now()
    bottom.held[0]?.fail(reset())
    await bottom.arrived(attempt + 1)
    pauses.push(run.now() - since)
  }
  bottom.held[0]?.answer()
  await asked
  const bounds = [9, 9, 0, 7]
  for (const [index, least] of bounds.entries())
    t.ok((pauses[index] as number) >= least - 1, `attempt ${index + 2} after ${pauses[index]} ms, at least ${least}`)
})

test('Retry-After replaces the pause, and a call without the time for it fails at once', async t => {
  const { bottom, send, run } = arrange({ deadline: 1000 })
  const since = run.now()
  const asked = send()
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_BUSY', upstream, { upstreamStatus: 503, retryAfterMs: 30 }))
  await bottom.arrived(2)
  t.ok(run.now() - since >= 29)
  bottom.held[0]?.answer()
  await asked

  const late = new UpstreamError('UPSTREAM_BUSY', upstream, { upstreamStatus: 429, retryAfterMs: 5000 })
  const refused = failure(send())
  bottom.held[0]?.fail(late)
  t.equal(await refused, late, 'it would come after the deadline')

  const patient = arrange({ deadline: Infinity })
  const never = failure(patient.send())
  patient.bottom.held[0]?.fail(
    new UpstreamError('UPSTREAM_BUSY', upstream, { upstreamStatus: 503, retryAfterMs: 31_000 }),
  )
  t.match(await never, { retryAfterMs: 31_000 }, 'more than half a minute is not waited for')
})

test('a failure is not retried when the retry budget has no balance', async t => {
  const { bottom, send } = arrange({ budget: new RetryBudget({ ratio: 0, minPerSecond: 0 }) })
  const asked = failure(send())
  bottom.held[0]?.fail(reset())
  t.match(await asked, { code: 'UPSTREAM_RESET' })
  t.equal(bottom.taken, 1)
})

test('a connection that was closed as idle costs one attempt on a new connection and no balance; a second one is withdrawn', async t => {
  const budget = new RetryBudget({ ratio: 0, minPerSecond: 0.1 }, () => 0)
  const { bottom, send } = arrange({ attempts: 2, budget, delay: 10_000 })
  const asked = failure(send())
  t.equal(bottom.held[0]?.call.attempt.needsNew, false)
  bottom.held[0]?.fail(reset({ isIdleClose: true }))
  await bottom.arrived(2)
  t.match(bottom.held[0]?.call, { attempt: { needsNew: true }, effort: { hadFreeRetry: true } })
  t.ok(budget.hasBalance, 'nothing was spent')
  bottom.held[0]?.fail(reset({ isIdleClose: true }))
  await bottom.arrived(3)
  t.notOk(budget.hasBalance, 'the second loss is charged')
  t.equal(bottom.held[0]?.call.attempt.needsNew, true, 'and its repetition needs a new connection too')
  bottom.held[0]?.fail(reset())
  t.match(await asked, { code: 'UPSTREAM_RESET' })
  t.equal(bottom.taken, 3)
})

test('our own refusal of the repetition does not hide what the upstream did', async t => {
  const { bottom, run } = arrange()
  let sends = 0
  const service = retry({ maxAttempts: 3, initialDelay: 0, maxDelay: 0, budget: new RetryBudget() })(call => {
    if (sends++ > 0) return Promise.reject(new UpstreamError('BREAKER_OPEN', upstream))
    call.attempt.sent = true
    return bottom.service(call)
  })
  const asked = failure(service(run.ask(questions.ask())))
  bottom.held[0]?.fail(reset())
  t.match(await asked, { code: 'UPSTREAM_RESET' })
  t.equal(sends, 2)
})

test('a call that is aborted during the pause before a retry rejects at once, and nothing is sent', async t => {
  const { bottom, send } = arrange({ delay: 250, random: () => 0.99 })
  const abort = new Abort()
  const asked = failure(send(questions.ask(), abort))
  bottom.held[0]?.fail(reset())
  await until(() => abort.size > 0)
  abort.abort('gone')
  t.equal(await asked, 'gone')
  t.equal(bottom.taken, 1)
  t.equal(abort.size, 0)
})

test('a call that was stopped is not sent again', async t => {
  const { bottom, send } = arrange()
  const abort = new Abort()
  const asked = failure(send(questions.ask(), abort))
  const lost = reset()
  const [held] = bottom.held
  abort.aborted = true
  held?.fail(lost)
  t.equal(await asked, lost)
  t.equal(bottom.taken, 1)
})

test('a call that is stopped during its second attempt rejects with the reason', async t => {
  const { bottom, send } = arrange()
  const abort = new Abort()
  const asked = failure(send(questions.ask(), abort))
  bottom.held[0]?.fail(reset())
  await bottom.arrived(2)
  abort.abort('gone')
  t.equal(await asked, 'gone')
})

test('an idempotency key makes an unsafe call repeatable', t => {
  const run = testRun()
  t.notOk(run.ask(questions.tell({ body: {} })).isRepeatable)
  t.ok(run.ask(questions.ask()).isRepeatable)
  const keyed = defineUpstream(
    'keyed',
    { origin: 'http://127.0.0.1:9' },
    { tell: operation({ method: 'POST', path: '/tell', output: z.unknown(), idempotencyKey: () => 'key' }) },
  )
  t.ok(run.ask(keyed.tell()).isRepeatable)
  t.end()
})
