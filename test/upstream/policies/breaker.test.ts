import fc from 'fast-check'
import { test } from 'tap'
import { UpstreamError } from '../../../src/errors.ts'
import { Abort } from '../../../src/upstream/abort.ts'
import { breaker, type BreakerState } from '../../../src/upstream/policies/breaker.ts'
import { bulkhead } from '../../../src/upstream/policies/bulkhead.ts'
import { stack } from '../../../src/upstream/policies/layer.ts'
import { testRun } from '../../helpers/call.ts'
import { heldService } from '../../helpers/held-service.ts'
import { turn } from '../../helpers/turn.ts'
import { questions } from '../../helpers/questions.ts'

const upstream = 'nobody'
const busy = () => new UpstreamError('UPSTREAM_BUSY', upstream, { upstreamStatus: 503 })

function arrange ({ minimum = 4 } = {}) {
  const bottom = heldService()
  const clock = { now: 0 }
  const changes: string[] = []
  const { layer, gauge } = breaker({
    upstream, failures: 0.5, minimum, window: 10_000, open: 5000, now: () => clock.now,
    changed: (from, to) => changes.push(`${from} > ${to}`),
  })
  const service = layer(bottom.service)
  const run = testRun()
  /** One call that left for the wire. */
  const send = (abort = run.abort, of = run) => {
    const call = of.ask(questions.ask(), { abort })
    call.attempt.sent = true
    const settled = service(call).then(() => 'ok', error => error)
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
  const trip = async () => { for (let failures = 0; failures < minimum; failures++) await fail() }
  return { bottom, clock, changes, gauge, send, fail, succeed, trip }
}

test('it opens at half of the calls failed, and not before the minimum', async t => {
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

test('open, it refuses at once, says for how long, and asks nobody', async t => {
  const { trip, fail, bottom, clock } = arrange()
  await trip()
  clock.now = 2000
  const before = bottom.taken
  t.match(await fail(), { code: 'BREAKER_OPEN', statusCode: 503, retryable: false, verdict: 'ignored', retryAfterMs: 3000 })
  t.equal(bottom.taken, before)
})

test('whoever was waiting for a slot when it opened is turned away', async t => {
  const bottom = heldService()
  const { layer, gate } = breaker({ upstream, failures: 0.5, minimum: 2, window: 10_000, open: 5000, now: () => 0 })
  const slots = bulkhead({ upstream, slots: 2, queue: 9 })
  const service = stack([layer, slots.layer, gate], call => {
    call.attempt.sent = true
    return bottom.service(call)
  })
  const run = testRun()
  const asked = Array.from({ length: 8 }, () => service(run.ask(questions.ask())).then(() => 'ok', error => error.code))
  while (slots.gauge.active > 0) {
    bottom.held[0]?.fail(busy())
    await turn()
  }
  t.same(await Promise.all(asked), ['UPSTREAM_BUSY', 'UPSTREAM_BUSY', ...Array.from({ length: 6 }, (_, index) => index < bottom.taken - 2 ? 'UPSTREAM_BUSY' : 'BREAKER_OPEN')])
  t.ok(bottom.taken <= 4, 'at most those whose slots were handed over at that moment had left')
})

test('whoever still waits for a slot when another run tries is turned away too', async t => {
  const bottom = heldService()
  const clock = { now: 0 }
  const { layer, gate, gauge } = breaker({ upstream, failures: 0.5, minimum: 2, window: 10_000, open: 5000, now: () => clock.now })
  const { promise: slot, resolve: letGo } = Promise.withResolvers<void>()
  const waits = new Set<unknown>()
  const service = stack([layer, next => call => waits.has(call.scope) ? slot.then(() => next(call)) : next(call), gate], call => {
    call.attempt.sent = true
    return bottom.service(call)
  })
  const ask = (mustWait = false) => {
    const run = testRun()
    if (mustWait) waits.add(run)
    return service(run.ask(questions.ask())).then(() => 'ok', error => error.code)
  }
  const failing = [ask(), ask()]
  const waiting = ask(true)
  while (bottom.held.length > 0) bottom.held[0]?.fail(busy())
  await Promise.all(failing)
  clock.now = 5000
  const trying = ask()
  t.equal(gauge.breaker, 'half-open')
  letGo()
  t.equal(await waiting, 'BREAKER_OPEN')
  bottom.held[0]?.answer()
  t.equal(await trying, 'ok')
  t.equal(bottom.taken, 3)
})

test('after a while one run is let through, and its good end closes it', async t => {
  const { trip, send, succeed, clock, gauge, changes } = arrange()
  await trip()
  clock.now = 5000
  const probe = send()
  t.equal(gauge.breaker, 'half-open')
  t.match(await send(undefined, testRun()).settled, { code: 'BREAKER_OPEN', retryAfterMs: 1 }, 'one and no more')
  probe.held?.answer()
  t.equal(await probe.settled, 'ok')
  t.equal(gauge.breaker, 'closed')
  t.equal(await succeed(), 'ok')
  t.same(changes, ['closed > open', 'open > half-open', 'half-open > closed'])
})

test('a probe that fails opens it for as long again', async t => {
  const { trip, fail, clock, gauge } = arrange()
  await trip()
  clock.now = 5000
  await fail()
  t.equal(gauge.breaker, 'open')
  clock.now = 9999
  t.match(await fail(), { code: 'BREAKER_OPEN' })
  clock.now = 10_000
  t.match(await fail(), { code: 'UPSTREAM_BUSY' })
})

test('a probe whose caller leaves says nothing: the next call is the probe', async t => {
  const { trip, send, succeed, clock, gauge } = arrange()
  await trip()
  clock.now = 5000
  const abort = new Abort()
  const probe = send(abort)
  abort.cut('gone')
  t.equal(await probe.settled, 'gone')
  t.equal(gauge.breaker, 'half-open')
  t.equal(await succeed(), 'ok')
  t.equal(gauge.breaker, 'closed')
})

test('the other calls of the run that tries are let through too, or their refusal would end that run and its probe', async t => {
  const { trip, send, clock, gauge, changes } = arrange()
  await trip()
  clock.now = 5000
  const [first, second] = [new Abort(), new Abort()]
  const probes = [send(first), send(second)]
  t.ok(probes.every(({ held }) => held !== undefined))
  first.cut('gone')
  t.equal(await probes[0]?.settled, 'gone')
  t.match(await send(undefined, testRun()).settled, { code: 'BREAKER_OPEN' }, 'the run still tries')
  second.cut('gone')
  await probes[1]?.settled
  const next = send(undefined, testRun())
  next.held?.answer()
  t.equal(await next.settled, 'ok', 'nothing of it is left: the next run tries')
  t.equal(gauge.breaker, 'closed')
  t.same(changes, ['closed > open', 'open > half-open', 'half-open > closed'])
})

test('a probe that is answered 404 shows an upstream that answers', async t => {
  const { trip, fail, clock, gauge } = arrange()
  await trip()
  clock.now = 5000
  await fail(new UpstreamError('UPSTREAM_STATUS', upstream, { upstreamStatus: 404 }))
  t.equal(gauge.breaker, 'closed')
})

test('what says nothing about the upstream is not counted', async t => {
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
  const { trip, send, clock, gauge, succeed } = arrange()
  const early = Array.from({ length: 6 }, () => send())
  await trip()
  early[0]?.held?.answer()
  await early[0]?.settled
  t.equal(gauge.breaker, 'open', 'a late success closes nothing')
  clock.now = 5000
  await succeed()
  t.equal(gauge.breaker, 'closed')
  for (const { held, settled } of early.slice(1)) {
    held?.fail(busy())
    await settled
  }
  t.equal(gauge.breaker, 'closed', 'late failures open nothing')
})

test('what failed long ago is forgotten', async t => {
  const { fail, clock, gauge } = arrange()
  for (let failures = 0; failures < 3; failures++) await fail()
  clock.now = 11_001
  await fail()
  t.equal(gauge.breaker, 'closed')
})

test('whatever happens, at most one run is let through while it is not closed, and each change is one that exists', async t => {
  const legal = new Set(['closed > open', 'open > half-open', 'half-open > open', 'half-open > closed'])
  const step = fc.oneof(fc.constant('send' as const), fc.constant('fail' as const), fc.constant('answer' as const), fc.constant('leave' as const), fc.constant('wait' as const))
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 120 }), async steps => {
    const clock = { now: 0 }
    const changes: string[] = []
    let state = 'closed' as BreakerState
    let probes = 0
    const bottom = heldService()
    const { layer } = breaker({
      upstream, failures: 0.5, minimum: 3, window: 1000, open: 500, now: () => clock.now,
      changed: (from, to) => {
        if (from !== state) changes.push('a change from what it was not')
        changes.push(`${from} > ${to}`)
        state = to
        probes = 0
      },
    })
    const service = layer(call => {
      if (state === 'open') changes.push('asked while open')
      if (state === 'half-open' && ++probes > 1) changes.push('a second probe')
      return bottom.service(call)
    })
    for (const each of steps) {
      const oldest = bottom.held[0]
      if (each === 'send') {
        const call = testRun().ask(questions.ask(), { abort: new Abort() })
        call.attempt.sent = true
        void service(call).catch(() => {})
      } else if (each === 'wait') clock.now += 200
      else if (each === 'answer') oldest?.answer()
      else if (each === 'fail') oldest?.fail(busy())
      else {
        // The next probe may come when this one has left.
        if (state === 'half-open' && bottom.held.length === 1) probes = 0
        oldest?.call.abort.cut('gone')
      }
      await Promise.resolve()
      await Promise.resolve()
    }
    return changes.every(change => legal.has(change))
  }), { numRuns: 300 })
  t.pass('300 histories')
})
