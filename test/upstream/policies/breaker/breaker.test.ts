import { test } from 'tap'
import { UpstreamError } from '../../../../src/errors.ts'
import { Abort } from '../../../../src/core/abort.ts'
import { breaker } from '../../../../src/upstream/policies/breaker/breaker.ts'
import { bulkhead } from '../../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { stack } from '../../../../src/upstream/call/layer.ts'
import { testRun } from '../../../helpers/call.ts'
import { heldService } from '../../../helpers/held-service.ts'
import { turn } from '../../../helpers/turn.ts'
import { questions } from '../../../helpers/questions.ts'

const upstream = 'nobody'
const busy = () => new UpstreamError('UPSTREAM_BUSY', upstream, { upstreamStatus: 503 })

function arrange({ minimum = 4 } = {}) {
  const bottom = heldService()
  const clock = { now: 0 }
  const changes: string[] = []
  const { layer, gauge } = breaker({
    upstream,
    failureRatio: 0.5,
    minimumCalls: minimum,
    window: 10_000,
    openDuration: 5000,
    now: () => clock.now,
    random: () => 0,
    onStateChange: (from, to) => changes.push(`${from} > ${to}`),
  })
  const service = layer(bottom.service)
  const run = testRun()
  /** One call that left for the wire. */
  const send = (abort = run.abort, of = run) => {
    const call = of.ask(questions.ask(), { abort })
    call.attempt.sent = true
    const settled = service(call).then(
      () => 'ok',
      error => error,
    )
    return { settled, held: bottom.held.at(-1) }
  }
  const fail = async (error: unknown = busy()) => {
    const { settled, held } = send()
    held?.fail(error)
    return settled
  }
  const succeed = async () => {
    const { settled, held } = send()
    held?.answer()
    return settled
  }
  const trip = async () => {
    for (let failures = 0; failures < minimum; failures++) await fail()
  }
  /** Good calls, one after the other, until it has closed. */
  const recover = async () => {
    for (; gauge.breaker !== 'closed'; clock.now += 500) await succeed()
  }
  return { bottom, clock, changes, gauge, send, fail, succeed, trip, recover }
}

test('the breaker opens when half of the calls have failed, and not before the minimum of calls', async t => {
  const { fail, succeed, gauge } = arrange()
  await fail()
  await fail()
  await succeed()
  t.equal(gauge.breaker, 'closed', 'two of three, of which nothing is concluded')
  await succeed()
  t.equal(gauge.breaker, 'closed', 'a call that went well opens nothing')
  await fail()
  t.equal(gauge.breaker, 'open')
})

test('an open breaker refuses calls at once with the time that is left, and sends none', async t => {
  const { trip, fail, bottom, clock } = arrange()
  await trip()
  clock.now = 2000
  const before = bottom.taken
  t.match(await fail(), {
    code: 'BREAKER_OPEN',
    statusCode: 503,
    retryable: false,
    verdict: 'ignored',
    retryAfterMs: 3000,
  })
  t.equal(bottom.taken, before)
})

test('when the breaker opens, all calls that wait for a permit fail at once', async t => {
  const bottom = heldService()
  const below = bulkhead({ upstream, concurrency: 2, maxQueue: 9 })
  const { layer } = breaker({
    upstream,
    failureRatio: 0.5,
    minimumCalls: 2,
    window: 10_000,
    openDuration: 5000,
    now: () => 0,
    random: () => 0,
    rejectQueued: below.rejectQueued,
  })
  const service = stack([layer, below.layer], call => {
    call.attempt.sent = true
    return bottom.service(call)
  })
  const run = testRun()
  const ended: string[] = []
  const ask = (of = run) =>
    service(of.ask(questions.ask())).then(
      () => ended.push('ok'),
      error => ended.push(`${error.code} ${error.retryAfterMs ?? ''}`.trim()),
    )
  const asked = [...Array.from({ length: 4 }, () => ask()), ask(testRun()), ask(testRun()), ask(testRun())]
  t.equal(below.gauge.queued, 5)
  bottom.held[0]?.fail(busy())
  await turn()
  t.same(ended, ['UPSTREAM_BUSY'], 'one failure opens nothing')
  bottom.held[0]?.fail(busy())
  await turn()
  t.equal(below.gauge.queued, 0)
  t.same(
    ended.filter(code => code === 'BREAKER_OPEN 5000').length,
    3,
    'all but the two whose permits were handed over before',
  )
  while (bottom.held.length > 0) bottom.held[0]?.answer()
  await Promise.all(asked)
  t.match(below.gauge, { active: 0, queued: 0 })
  t.equal(run.abort.size, 0)
})

test('after a while one run is let through, and a growing share of runs after its good end', async t => {
  const { trip, send, recover, clock, gauge, changes, bottom } = arrange()
  await trip()
  clock.now = 5000
  const probe = send()
  t.equal(gauge.breaker, 'half-open')
  t.match(await send(undefined, testRun()).settled, { code: 'BREAKER_OPEN', retryAfterMs: 1 }, 'one and no more')
  probe.held?.answer()
  t.equal(await probe.settled, 'ok')
  t.equal(gauge.breaker, 'half-open', 'one success does not close it')
  const before = bottom.taken
  const asked = Array.from({ length: 33 }, () => send(undefined, testRun()).settled)
  t.equal(bottom.taken - before, 3, 'one run while nothing is under way, and one of 16 beside it')
  while (bottom.held.length > 0) bottom.held[0]?.answer()
  t.equal((await Promise.all(asked)).filter(end => end === 'ok').length, 3)
  await recover()
  t.same(changes, ['closed > open', 'open > half-open', 'half-open > closed'])
})

test('a probe that fails opens the breaker for twice as long', async t => {
  const { trip, fail, clock, gauge } = arrange()
  await trip()
  clock.now = 5000
  await fail()
  t.equal(gauge.breaker, 'open')
  clock.now = 14_999
  t.match(await fail(), { code: 'BREAKER_OPEN', retryAfterMs: 1 })
  clock.now = 15_000
  t.match(await fail(), { code: 'UPSTREAM_BUSY' })
})

test('a probe whose caller leaves says nothing: the next call is the probe', async t => {
  const { trip, send, recover, clock, gauge } = arrange()
  await trip()
  clock.now = 5000
  const abort = new Abort()
  const probe = send(abort)
  abort.abort('gone')
  t.equal(await probe.settled, 'gone')
  t.equal(gauge.breaker, 'half-open')
  await recover()
  t.equal(gauge.breaker, 'closed')
})

test('the other calls of the run that tries are let through too, or their refusal would end that run and its probe', async t => {
  const { trip, send, clock, gauge, changes, recover } = arrange()
  await trip()
  clock.now = 5000
  const [first, second] = [new Abort(), new Abort()]
  const probes = [send(first), send(second)]
  t.ok(probes.every(({ held }) => held !== undefined))
  first.abort('gone')
  t.equal(await probes[0]?.settled, 'gone')
  t.match(await send(undefined, testRun()).settled, { code: 'BREAKER_OPEN' }, 'the run still tries')
  second.abort('gone')
  await probes[1]?.settled
  const next = send(undefined, testRun())
  next.held?.answer()
  t.equal(await next.settled, 'ok', 'nothing of it is left: the next run tries')
  await recover()
  t.equal(gauge.breaker, 'closed')
  t.same(changes, ['closed > open', 'open > half-open', 'half-open > closed'])
})

test('a probe that is answered 404 shows an upstream that answers', async t => {
  const { trip, fail, clock, gauge } = arrange()
  await trip()
  clock.now = 5000
  for (let stage = 0; stage < 5; stage++, clock.now += 500)
    await fail(new UpstreamError('UPSTREAM_STATUS', upstream, { upstreamStatus: 404 }))
  t.equal(gauge.breaker, 'closed')
})

test('a probe that is answered by the limit of one caller says nothing: it neither closes nor opens', async t => {
  const { trip, fail, recover, clock, gauge } = arrange()
  await trip()
  clock.now = 5000
  const limited = new UpstreamError('UPSTREAM_BUSY', upstream, { upstreamStatus: 429, verdict: 'ignored' })
  for (let stage = 0; stage < 6; stage++, clock.now += 500) t.equal(await fail(limited), limited)
  t.equal(gauge.breaker, 'half-open')
  await recover()
  t.equal(gauge.breaker, 'closed')
})

test('an outcome that says nothing about the upstream is not counted', async t => {
  const { fail, gauge } = arrange()
  const nothings = [
    new UpstreamError('BULKHEAD_FULL', upstream),
    new UpstreamError('UPSTREAM_STATUS', upstream, { upstreamStatus: 404 }),
    new UpstreamError('UPSTREAM_RESET', upstream, { isIdleClose: true }),
    new UpstreamError('LOCAL_RESOURCES', upstream),
    new DOMException('the caller has gone', 'AbortError'),
  ]
  for (const error of [...nothings, ...nothings]) await fail(error)
  t.equal(gauge.breaker, 'closed')
})

test('a deadline that found the attempt in our queue is not counted, and one that found it on the wire is', async t => {
  const { bottom, gauge, send } = arrange()
  const late = new UpstreamError('DEADLINE_EXCEEDED', 'board')
  const sent = Array.from({ length: 3 }, () => send())
  for (const { held } of sent) held?.fail(late)
  await Promise.all(sent.map(each => each.settled))
  t.equal(bottom.held.length, 0)
  const waiting = send()
  if (waiting.held !== undefined) {
    waiting.held.call.attempt.sent = false
    waiting.held.fail(late)
  }
  await waiting.settled
  t.equal(gauge.breaker, 'closed', 'three of three, and one that does not count')
  const last = send()
  last.held?.fail(late)
  await last.settled
  t.equal(gauge.breaker, 'open')
})

test('a call that began before a change ends too late to move what is after it', async t => {
  const { trip, send, clock, gauge, recover } = arrange()
  const early = Array.from({ length: 6 }, () => send())
  await trip()
  early[0]?.held?.answer()
  await early[0]?.settled
  t.equal(gauge.breaker, 'open', 'a late success closes nothing')
  clock.now = 5000
  await recover()
  t.equal(gauge.breaker, 'closed')
  for (const { held, settled } of early.slice(1)) {
    held?.fail(busy())
    await settled
  }
  t.equal(gauge.breaker, 'closed', 'late failures open nothing')
})

test('a failure outside the window is not counted', async t => {
  const { fail, clock, gauge } = arrange()
  for (let failures = 0; failures < 3; failures++) await fail()
  clock.now = 11_001
  await fail()
  t.equal(gauge.breaker, 'closed')
})

test('a change listener that throws fails the call at which the breaker opens, half-opens or closes', async t => {
  const bottom = heldService()
  const clock = { now: 0 }
  const { layer, gauge } = breaker({
    upstream,
    failureRatio: 0.5,
    minimumCalls: 1,
    window: 10_000,
    openDuration: 5000,
    now: () => clock.now,
    random: () => 0,
    onStateChange: (_, to) => {
      throw new Error(to)
    },
  })
  const service = layer(bottom.service)
  const ask = async (end: 'answer' | 'fail') => {
    const settled = service(testRun().ask(questions.ask())).then(
      () => 'ok',
      (error: Error) => error.message,
    )
    bottom.held[0]?.[end](busy())
    return settled
  }
  t.equal(await ask('fail'), 'open')
  clock.now = 5000
  t.equal(await ask('answer'), 'half-open')
  for (let stage = 0; stage < 4; stage++, clock.now += 500) t.equal(await ask('answer'), 'ok')
  t.equal(await ask('answer'), 'closed')
  t.equal(gauge.breaker, 'closed')
})
