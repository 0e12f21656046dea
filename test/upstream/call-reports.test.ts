import { test } from 'tap'
import { Abort } from '../../src/core/abort.ts'
import { UpstreamError } from '../../src/errors.ts'
import type { CallEvent } from '../../src/upstream/call/events.ts'
import { LiveCall } from '../../src/upstream/call/live-call.ts'
import { bulkhead } from '../../src/upstream/policies/bulkhead/bulkhead.ts'
import { coalesce } from '../../src/upstream/policies/coalesce.ts'
import { hedge } from '../../src/upstream/policies/hedge/hedge.ts'
import { keyBatch } from '../../src/upstream/policies/key-batch/key-batch.ts'
import { RetryBudget } from '../../src/upstream/policies/retry/retry-budget.ts'
import { retry } from '../../src/upstream/policies/retry/retry.ts'
import { stack, type Layer, type Service } from '../../src/upstream/call/layer.ts'
import { keyOf } from '../../src/upstream/transport/dispatch.ts'
import { testRun, type TestRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { heldService } from '../helpers/held-service.ts'
import { idsOf, pricedUpstream, pricesOf } from '../helpers/priced-upstream.ts'
import { questions } from '../helpers/questions.ts'
import { turn } from '../helpers/turn.ts'
import { until } from '../helpers/until.ts'

const nobody = { upstream: 'nobody', operation: 'nobody.ask' }
const busy = (retryAfterMs?: number) =>
  new UpstreamError('UPSTREAM_BUSY', 'nobody', { upstreamStatus: 503, retryAfterMs })

/** A run that calls a function with each of its events. */
function listening(listener: (event: CallEvent) => void): TestRun {
  const run = testRun()
  return Object.assign(run, {
    emit(event: CallEvent) {
      run.events.push(event)
      listener(event)
    },
  })
}

test('a call that joins an equal call reports it once, and the first call does not', async t => {
  const bottom = heldService()
  const service = coalesce({ keyOf })(bottom.service)
  const [first, second] = [testRun(), testRun({ now: () => 7 })]
  const asked = [
    service(first.ask(questions.shared({ id: 'one' }))),
    service(second.ask(questions.shared({ id: 'one' }), { step: 3, index: 4 })),
  ]
  bottom.held[0]?.answer()
  await Promise.all(asked)
  t.same(first.events, [])
  t.same(second.events, [
    { type: 'call joined', at: 7, step: 3, call: 4, upstream: 'nobody', operation: 'nobody.shared', reason: 'shared' },
  ])
})

test('a listener that aborts the first caller when another one joins does not end the shared call', async t => {
  const bottom = heldService()
  const service = coalesce({ keyOf })(bottom.service)
  const gone = new Abort()
  const first = failure(service(testRun().ask(questions.shared({ id: 'one' }), { abort: gone })))
  const second = service(listening(() => gone.abort('gone')).ask(questions.shared({ id: 'one' })))
  t.equal(await first, 'gone')
  t.equal(bottom.held[0]?.call.abort.aborted, false)
  bottom.held[0]?.answer('well')
  t.equal((await second).value, 'well')
})

test('a call that no observer watches reports neither that it joins nor that it is not sent again', async t => {
  const bottom = heldService()
  const run = { ...testRun(), isWatched: false }
  const call = () => new LiveCall(questions.shared({ id: 'one' }), run.abort, run, 0, 0)
  const shared = coalesce({ keyOf })(bottom.service)
  const asked = [shared(call()), shared(call())]
  bottom.held[0]?.answer()
  await Promise.all(asked)
  const refused = failure(retried({ minPerSecond: 0 }, bottom.service)(call()))
  bottom.held[0]?.fail(busy())
  t.match(await refused, { code: 'UPSTREAM_BUSY' })
  t.same(run.events, [])
})

test('the calls of a batch of keys join its first call', async t => {
  const bottom = heldService()
  const service = keyBatch({ keyOf })(bottom.service)
  const shop = pricedUpstream(50)
  const run = testRun()
  const asked = ['a', 'b', 'a'].map((id, index) => service(run.ask(shop.price(id), { index })))
  await turn()
  t.match(run.events, [
    { type: 'call joined', call: 2, operation: 'shop.price', reason: 'keys' },
    { type: 'call joined', call: 1, operation: 'shop.price', reason: 'keys' },
  ])
  t.equal(run.events.length, 2)
  for (const { call, answer } of bottom.held.slice()) answer(pricesOf(call.path))
  await Promise.all(asked)
})

test('a listener that aborts a call of a batch of keys before the request does not end the other calls', async t => {
  const bottom = heldService()
  const service = keyBatch({ keyOf })(bottom.service)
  const shop = pricedUpstream(50)
  const gone = new Abort()
  const run = listening(() => gone.abort('gone'))
  const first = service(run.ask(shop.price('a')))
  const left = ['b', 'c'].map((id, index) => failure(service(run.ask(shop.price(id), { index, abort: gone }))))
  await turn()
  t.same(await Promise.all(left), ['gone', 'gone'])
  t.equal(run.events.length, 1, 'a call that has left joins nothing')
  t.same(
    bottom.held.map(({ call }) => idsOf(call.path)),
    [['a', 'b', 'c']],
  )
  bottom.held[0]?.answer(pricesOf(bottom.held[0].call.path))
  t.match(await first, { status: 200 })
})

function retried(budget: { readonly minPerSecond: number }, next: Service): Service {
  const options = { maxAttempts: 3, initialDelay: 0, maxDelay: 0, random: () => 0 }
  return retry({ ...options, budget: new RetryBudget({ ratio: 0, ...budget }, () => 0) })(call => {
    call.attempt.sent = true
    return next(call)
  })
}

test('a retry that is refused reports its reason: the budget, the deadline, or a retry-after above 30 s', async t => {
  const reasons = [
    { minPerSecond: 0, error: busy(), reason: 'budget' },
    { minPerSecond: 9, error: busy(5000), reason: 'deadline' },
    { minPerSecond: 9, error: busy(31_000), reason: 'retry-after' },
  ]
  for (const { minPerSecond, error, reason } of reasons) {
    const bottom = heldService()
    const run = testRun({ deadline: 1000, now: () => 5 })
    const asked = failure(retried({ minPerSecond }, bottom.service)(run.ask(questions.ask(), { step: 3, index: 4 })))
    bottom.held[0]?.fail(error)
    t.equal(await asked, error)
    t.same(run.events, [{ type: 'resend refused', at: 5, step: 3, call: 4, ...nobody, kind: 'retry', reason }])
  }
})

test('a failure that is never retried reports no refusal', async t => {
  const bottom = heldService()
  const run = testRun()
  const asked = failure(retried({ minPerSecond: 9 }, bottom.service)(run.ask(questions.ask())))
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_SCHEMA', 'nobody'))
  await asked
  t.same(run.events, [])
})

test('a retry that a bulkhead or an open breaker refuses reports which of them', async t => {
  for (const [code, reason] of [
    ['BULKHEAD_FULL', 'permit'],
    ['BREAKER_OPEN', 'breaker'],
  ] as const) {
    const run = testRun()
    let sends = 0
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 9 }, () => 0)
    const service = retry({ maxAttempts: 3, initialDelay: 0, maxDelay: 0, budget })(call => {
      if (sends++ > 0) return Promise.reject(new UpstreamError(code, 'nobody'))
      call.attempt.sent = true
      return Promise.reject(busy())
    })
    t.match(await failure(service(run.ask(questions.ask()))), { code: 'UPSTREAM_BUSY' })
    t.match(run.events.at(-1), { type: 'resend refused', kind: 'retry', reason })
  }
})

test('a retry that ends unsent for another reason than a bulkhead or a breaker reports no refusal', async t => {
  const run = testRun()
  let sends = 0
  const budget = new RetryBudget({ ratio: 0, minPerSecond: 9 }, () => 0)
  const service = retry({ maxAttempts: 3, initialDelay: 0, maxDelay: 0, budget })(call => {
    if (sends++ > 0) return Promise.reject(new UpstreamError('UPSTREAM_UNREACHABLE', 'nobody'))
    call.attempt.sent = true
    return Promise.reject(busy())
  })
  t.match(await failure(service(run.ask(questions.ask()))), { code: 'UPSTREAM_BUSY' })
  t.equal(sends, 2)
  t.same(
    run.events.map(({ type }) => type),
    ['call waited'],
  )
})

test('a hedge that a layer of the user fails reports no refusal, and is tried again', async t => {
  const bottom = heldService()
  let tries = 0
  const broken: Layer = next => call => {
    if (call.attempt.mayWait) return next(call)
    tries++
    return Promise.reject(new TypeError('a bug'))
  }
  const run = testRun()
  const budget = new RetryBudget({ ratio: 0, minPerSecond: 9 }, () => 0)
  const asked = hedged(budget, [broken], bottom.service)(run.ask(questions.ask()))
  await until(() => tries > 1)
  bottom.held[0]?.answer()
  await asked
  t.same(run.events, [])
})

/** A service with hedges after 1 ms, and the layers below them. */
function hedged(budget: RetryBudget, below: readonly Layer[], bottom: Service): Service {
  const options = { delay: 1, percentile: 98, maxRatio: 1, budget }
  return stack([hedge(options), ...below], call => {
    call.attempt.sent = true
    return bottom(call)
  })
}

test('a hedge that is refused reports its reason once, however often it is tried again', async t => {
  const none = new RetryBudget({ ratio: 0, minPerSecond: 0 }, () => 0)
  const some = () => new RetryBudget({ ratio: 0, minPerSecond: 9 }, () => 0)
  const open: Layer = next => call =>
    call.attempt.mayWait ? next(call) : Promise.reject(new UpstreamError('BREAKER_OPEN', 'nobody'))
  const { layer: full } = bulkhead({ upstream: 'nobody', concurrency: 1, maxQueue: 9 })
  for (const [budget, below, reason] of [
    [none, [], 'budget'],
    [some(), [open], 'breaker'],
    [some(), [full], 'permit'],
  ] as const) {
    const bottom = heldService()
    let tries = 0
    const counting: Layer = next => call => {
      if (!call.attempt.mayWait) tries++
      return next(call)
    }
    const run = testRun()
    const asked = hedged(budget, [counting, ...below], bottom.service)(run.ask(questions.ask()))
    await until(() => run.events.length > 0 && (reason === 'budget' || tries > 1))
    bottom.held[0]?.answer()
    await asked
    t.match(run.events, [{ type: 'resend refused', ...nobody, kind: 'hedge', reason }])
    t.equal(run.events.length, 1)
  }
})
