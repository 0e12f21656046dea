import { test } from 'tap'
import { z } from 'zod'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { Abort } from '../../src/core/abort.ts'
import { LiveCall } from '../../src/upstream/call/live-call.ts'
import { bulkhead } from '../../src/upstream/policies/bulkhead/bulkhead.ts'
import { authorize, type Token } from '../../src/upstream/auth/authorize.ts'
import { pause } from '../../src/upstream/policies/retry/pause.ts'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { heldService } from '../helpers/held-service.ts'
import { httpUpstream, type Asked } from '../helpers/http-upstream.ts'
import { questions } from '../helpers/questions.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const ask = operation({ path: '/{id}', params: z.object({ id: z.string() }), output: Any })
const nobody = { step: 3, call: 4, upstream: 'nobody', operation: 'nobody.ask' }

/** A run whose clock the test sets, and an abort for one of its calls. */
function arrange() {
  const clock = { ms: 0 }
  const run = testRun({ now: () => clock.ms })
  const own = new Abort()
  return { clock, run, own, call: run.ask(questions.ask(), { step: 3, index: 4, abort: own }) }
}

test('a wait for a permit is reported with its length when it ends', async t => {
  const { clock, run, call } = arrange()
  const bottom = heldService()
  const service = bulkhead({ upstream: 'nobody', concurrency: 1, maxQueue: 1 }).layer(bottom.service)
  const first = service(run.ask(questions.ask()))
  t.same(run.events, [], 'a call with a free permit does not wait')
  clock.ms = 5
  const second = service(call)
  clock.ms = 17
  bottom.held[0]?.answer()
  await first
  t.same(run.events, [{ type: 'call waited', at: 17, ...nobody, reason: 'permit', ms: 12 }])
  t.equal(call.effort.queuedMs, 12)
  bottom.held[0]?.answer()
  await second
  t.equal(run.events.length, 1)
})

test('a wait for a permit that ends by an abort is reported', async t => {
  const { clock, run, own, call } = arrange()
  const bottom = heldService()
  const service = bulkhead({ upstream: 'nobody', concurrency: 1, maxQueue: 1 }).layer(bottom.service)
  const first = service(run.ask(questions.ask()))
  const second = failure(service(call))
  clock.ms = 7
  own.abort('gone')
  t.same(run.events, [{ type: 'call waited', at: 7, ...nobody, reason: 'permit', ms: 7 }])
  t.equal(await second, 'gone')
  bottom.held[0]?.answer()
  await first
  t.equal(run.events.length, 1, 'and once')
})

test('the pause before a retry is reported with its length when it ends', async t => {
  const { clock, run, call } = arrange()
  const paused = pause(call, 1)
  clock.ms = 3
  await paused
  t.same(run.events, [{ type: 'call waited', at: 3, ...nobody, reason: 'retry', ms: 3 }])
})

test('a pause that ends by an abort is reported, and once', async t => {
  const { clock, run, own, call } = arrange()
  const paused = failure(pause(call, 1))
  clock.ms = 0.5
  own.abort('gone')
  t.same(run.events, [{ type: 'call waited', at: 0.5, ...nobody, reason: 'retry', ms: 0.5 }])
  t.equal(await paused, 'gone')
  // A pause of another call ends after this one would have ended.
  await pause(arrange().call, 2)
  t.equal(run.events.length, 1)
})

test('a wait for a token is reported when the token arrives, and when an abort ends it', async t => {
  const { clock, run, own, call } = arrange()
  const token = Promise.withResolvers<Token>()
  const bottom = heldService()
  const service = authorize({ fetchToken: () => token.promise, use: () => {} })(bottom.service)
  const left = failure(service(call))
  const stays = service(run.ask(questions.ask(), { step: 3, index: 4 }))
  clock.ms = 4
  own.abort('gone')
  t.equal(await left, 'gone')
  clock.ms = 9
  token.resolve({ value: 'token', livesMs: 60_000 })
  await turn()
  t.same(run.events, [
    { type: 'call waited', at: 4, ...nobody, reason: 'token', ms: 4 },
    { type: 'call waited', at: 9, ...nobody, reason: 'token', ms: 9 },
  ])
  bottom.held[0]?.answer()
  await stays
  const third = service(run.ask(questions.ask()))
  bottom.held[0]?.answer()
  await third
  t.equal(run.events.length, 2, 'a call that has a token does not wait')
})

test('a call that no observer watches reports no wait', async t => {
  const run = { ...testRun(), isWatched: false }
  await pause(new LiveCall(questions.ask(), run.abort, run, 0, 0), 0)
  t.same(run.events, [])
})

/** The events of calls: the index of the call, the type, and the reason of a wait. */
const outlineOf = (events: ReturnType<typeof watched>['events']) =>
  events.flatMap(event => {
    if (!('call' in event)) return []
    const { type, call } = event
    return [`${call}: ${type}${type === 'call waited' ? ` ${event.reason}` : ''}`]
  })

function aggregateOf(options: UpstreamOptions, ids: readonly string[]): AnyAggregate {
  const source = defineUpstream('source', { breaker: false, ...options }, { ask })
  return aggregate('waiting', { url: '/waiting', deadline: 20_000 })
    .each('all', () => ids.map(id => source.ask({ id })), { minSuccess: 0, fallback: null })
    .reply(Any, ({ all }) => all)
}

test('on sockets: a call waits for its permit before its attempt, and for its token within it', async t => {
  const upstream = await httpUpstream(t, ({ json }: Asked) => json({ access_token: 'secret', token_type: 'Bearer' }))
  const runtime = createRuntime({ environment: { SECRET: 'ours' } })
  t.teardown(() => runtime.close())
  const { origin } = upstream
  const oauth2 = { tokenUrl: `${origin}/token`, clientId: 'us', clientSecret: env('SECRET') }
  const { events, reply } = watched(aggregateOf({ origin, concurrency: 1, auth: { oauth2 } }, ['a', 'b']), { runtime })
  await reply
  const lines = outlineOf(events)
  t.same(
    lines.filter(line => line.startsWith('0')),
    ['0: attempt started', '0: call waited token', '0: attempt ended', '0: call ended'],
  )
  t.same(
    lines.filter(line => line.startsWith('1')),
    ['1: call waited permit', '1: attempt started', '1: attempt ended', '1: call ended'],
  )
  t.ok(lines.indexOf('0: attempt ended') < lines.indexOf('1: call waited permit'), 'the attempt frees the permit')
})

test('on sockets: a call waits for the pause between its attempts', async t => {
  let asked = 0
  const { origin } = await httpUpstream(t, ({ json }) => json({}, asked++ === 0 ? 503 : 200))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { events, reply } = watched(aggregateOf({ origin, retry: { initialDelay: 1 } }, ['a']), { runtime })
  await reply
  t.same(outlineOf(events), [
    '0: attempt started',
    '0: attempt ended',
    '0: call waited retry',
    '0: attempt started',
    '0: attempt ended',
    '0: call ended',
  ])
})

test('on sockets: a run that is cancelled while its call waits for a permit reports the wait before the end of the call', async t => {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const described = aggregateOf({ origin: upstream.origin, concurrency: 1 }, ['a', 'b'])
  const { run, events, reply } = watched(described, { runtime })
  await upstream.arrived('GET /a')
  run.cancel('gone')
  t.equal(await failure(reply), 'gone')
  t.same(
    outlineOf(events).filter(line => line.startsWith('1')),
    ['1: call waited permit', '1: call ended'],
  )
  const wait = events.find(event => event.type === 'call waited')
  t.ok(wait !== undefined && 'ms' in wait && wait.ms > 0 && wait.ms <= wait.at)
})
