import { EventEmitter, getEventListeners, once } from 'node:events'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { oracle, oracleAt } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const base = aggregate('left', { url: '/left', deadline: 20_000 })
const everything = base
  .required('one', () => oracle.ask({ id: 'one' }))
  .optional('maybe', () => oracle.ask({ id: 'maybe' }), { fallback: null, timeout: 10_000 })
  .each('list', () => times(6, id => oracle.ask({ id })), { concurrency: 2, minSuccess: 0, fallback: null })
  .firstOf('race', () => [oracle.ask({ id: 'a' }), oracle.ask({ id: 'b' })])
  .optional('thinking', () => new Promise<unknown>(() => {}), { fallback: null })
  .required('after', ({ one }) => one, { needs: ['one'] })
  .reply(Any, () => 1)

test('a run whose signal was aborted before rejects with the reason of the signal, and sends nothing', async t => {
  const runtime = heldRuntime()
  const reason = { gone: true }
  await t.rejects(fanOut(everything, {}, { runtime, signal: AbortSignal.abort(reason) }))
  t.equal(
    await fanOut(everything, {}, { runtime, signal: AbortSignal.abort(reason) }).catch((error: unknown) => error),
    reason,
  )
  t.equal(runtime.calls.length, 0)
})

test('a run whose signal is aborted rejects with the reason of the signal, and stops all calls', async t => {
  const runtime = heldRuntime()
  const caller = new AbortController()
  const reason = new Error('he has seen enough')
  const reply = fanOut(everything, {}, { runtime, signal: caller.signal })
  await turn()
  const sent = runtime.calls.length
  t.equal(sent, 6)
  caller.abort(reason)
  t.equal(await reply.catch((error: unknown) => error), reason)
  t.ok(runtime.calls.every(({ cut }) => cut?.reason !== undefined))
  await turn()
  t.equal(runtime.calls.length, sent, 'nothing more is sent')
  t.equal(getEventListeners(caller.signal, 'abort').length, 0)
})

test('a cancelled run leaves nothing that listens, and tells of its steps once', async t => {
  const runtime = heldRuntime()
  const { run, reply, events } = watched(everything, { runtime })
  await turn()
  run.cancel('gone')
  t.equal(await reply.catch((error: unknown) => error), 'gone')
  t.equal(run.abort.size, 0)
  t.strictSame(
    events
      .filter(({ type }) => type === 'step ended')
      .map(event => [event.type === 'step ended' && event.step, event.type === 'step ended' && event.state]),
    [0, 1, 2, 3, 4].map(step => [step, 'cancelled']),
  )
  t.match(events.at(-1), { type: 'run ended', code: 'CANCELLED' })
  const told = events.length
  run.cancel('again')
  await turn()
  t.equal(events.length, told)
})

test('a call that ignores its abort does not delay the rejection of the aborted run', async t => {
  const runtime = heldRuntime({ deaf: () => true })
  const { run, reply } = watched(everything, { runtime })
  run.cancel('gone')
  t.equal(await reply.catch((error: unknown) => error), 'gone')
  for (const { answer } of runtime.calls) answer('too late')
  await turn()
})

test('a run that is aborted during an async merge rejects with the reason of the signal', async t => {
  const { run, reply } = watched(
    base.required('a', () => 1).reply(Any, () => new Promise(() => {})),
    { runtime: heldRuntime() },
  )
  run.cancel('gone')
  t.equal(await reply.catch((error: unknown) => error), 'gone')
})

test('an abort after the reply changes nothing', async t => {
  const { run, reply } = watched(
    base.required('a', () => 1).reply(Any, ({ a }) => a),
    { runtime: heldRuntime() },
  )
  run.cancel('gone')
  t.equal((await reply).data, 1)
})

test('the outcome of a step function after the end of its run is ignored', async t => {
  const { promise: rejecting, reject } = Promise.withResolvers<number>()
  const { promise: resolving, resolve } = Promise.withResolvers<unknown>()
  const runtime = heldRuntime()
  const described = base
    .required('rejecting', () => rejecting)
    .required('resolving', () => resolving)
    .reply(Any, () => 1)
  const { run, reply, events } = watched(described, { runtime })
  run.cancel('gone')
  t.equal(await reply.catch((error: unknown) => error), 'gone')
  const told = events.length
  reject(new Error('too late'))
  resolve(oracle.ask({ id: 'too late' }))
  await turn()
  t.equal(runtime.calls.length, 0)
  t.equal(events.length, told)
})

test('a step that hands its value over while the run is being stopped starts nothing', async t => {
  const runtime = heldRuntime()
  const described = base
    .required('sly', ({ signal }) => ({
      // A thenable of the author's own can answer inside the abort itself.
      // oxlint-disable-next-line unicorn/no-thenable
      then(answer: (value: unknown) => void) {
        signal.addEventListener('abort', () => answer(oracle.ask({ id: 'sly' })))
      },
    }))
    .reply(Any, () => 1)
  const { run, reply } = watched(described, { runtime })
  run.cancel('gone')
  t.equal(await reply.catch((error: unknown) => error), 'gone')
  t.equal(runtime.calls.length, 0)
})

/** The signals that steps of every kind, and the merge, have seen in a run. */
function signalsOf() {
  const signals: AbortSignal[] = []
  const see =
    <T>(value: T) =>
    ({ signal }: { readonly signal: AbortSignal }) => {
      signals.push(signal)
      return value
    }
  const steps = base
    .required('shared', see(1))
    .required('limited', see(2), { timeout: 10_000 })
    .firstOf('race', see([oracle.ask({ id: 'race' })]))
    .required('held', see(oracle.ask({ id: 'held' })), { needs: ['shared'] })
  return { signals, see, steps }
}

test('the signal is aborted when a run has ended well', async t => {
  const { signals, see, steps } = signalsOf()
  await fanOut(steps.reply(Any, see('merged')), {}, { runtime: answeringRuntime(() => 1) })
  t.strictSame(
    signals.map(({ aborted }) => aborted),
    [true, true, true, true, true],
  )
})

test('the signal is aborted when a run has failed, was cancelled or ran out of time', async t => {
  for (const end of ['failure', 'cancel', 'deadline'] as const) {
    const { signals, see, steps } = signalsOf()
    const runtime = heldRuntime()
    const caller = new AbortController()
    const reply = fanOut(
      steps.reply(Any, see('merged')),
      {},
      { runtime, signal: caller.signal, deadline: end === 'deadline' ? 25 : undefined },
    )
    t.strictSame(
      signals.map(({ aborted }) => aborted),
      [false, false, true, false],
      `${end}: not while it runs, but for a step that has ended`,
    )
    if (end === 'failure') runtime.at('/held').fail(new Error('bug'))
    if (end === 'cancel') caller.abort(new Error('gone'))
    await reply.catch(() => {})
    t.ok(
      signals.every(({ aborted }) => aborted),
      end,
    )
  }
})

test('a listener that a step leaves on the signal hears the end', async t => {
  const heard: unknown[] = []
  const described = base
    .required('a', ({ signal }) => {
      signal.addEventListener('abort', () => heard.push(signal.reason))
      return 1
    })
    .reply(Any, () => 1)
  await fanOut(described, {}, { runtime: heldRuntime() })
  t.equal(heard.length, 1)
})

test('1000 runs on one signal leave no listener on it', async t => {
  const caller = new AbortController()
  const runtime = answeringRuntime(path => {
    if (path === '/bad') throw new Error('bug')
    return path
  })
  const good = base.required('a', () => oracle.ask({ id: 'good' })).reply(Any, () => 1)
  const bad = base.required('a', () => oracle.ask({ id: 'bad' })).reply(Any, () => 1)
  for (let round = 0; round < 10; round++) {
    const runs = times(100, index =>
      index % 4 === 0
        ? problemOf(fanOut(bad, {}, { runtime, signal: caller.signal }))
        : fanOut(good, {}, { runtime, signal: caller.signal }),
    )
    t.equal(getEventListeners(caller.signal, 'abort').length, 100)
    await Promise.all(runs)
  }
  t.equal(getEventListeners(caller.signal, 'abort').length, 0)
  const strict = aggregate('strict', { url: '/strict', query: z.object({ a: z.string() }) }).reply(Any, () => 1)
  t.match(await problemOf(fanOut(strict, {}, { runtime, signal: caller.signal })), { code: 'INPUT_INVALID' })
  t.equal(getEventListeners(caller.signal, 'abort').length, 0)
})

test('the abort of a run closes the connections of its calls', async t => {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = oracleAt(upstream.origin)
  const caller = new AbortController()
  const described = base.each('list', () => times(3, id => ask({ id }))).reply(Any, () => 1)
  const reply = fanOut(described, {}, { runtime, signal: caller.signal })
  const asked = await Promise.all(times(3, id => upstream.arrived(`GET /${id}`)))
  caller.abort(new Error('gone'))
  await t.rejects(reply, { message: 'gone' })
  await Promise.all(asked.map(({ closed }) => closed))
  t.ok(asked.every(({ hungUp }) => hungUp))
  t.match(runtime.stats(), { oracle: { active: 0, queued: 0, ignored: 3, failed: 0 } })
})

test('a failure aborts the other calls as cancelled: their upstreams and circuits do not count it', async t => {
  const healthy = await rawUpstream(t, () => {})
  const broken = await rawUpstream(t, async (socket, { index }) => {
    await healthy.asked(index + 1)
    socket.write(json({}, 500))
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const asked = { ask: operation({ path: '/', output: Any }) }
  const breaker = { minimumCalls: 2, failureRatio: 0.5 }
  const bad = defineUpstream('broken', { origin: broken.origin, retry: false, breaker: false }, asked)
  const good = defineUpstream('healthy', { origin: healthy.origin, retry: false, breaker }, asked)
  const described = base
    .required('a', () => bad.ask())
    .required('b', () => good.ask())
    .reply(Any, () => 1)
  for (let round = 0; round < 4; round++) {
    const { reply, events } = watched(described, { runtime })
    t.match(await problemOf(reply), { code: 'UPSTREAM_STATUS', detail: /^Step 'a': broken/ })
    for (const type of ['attempt ended', 'call ended'] as const)
      t.match(
        events.find(event => event.type === type && event.step === 1),
        { code: 'CANCELLED' },
        type,
      )
    t.match(
      events.find(event => event.type === 'call ended' && event.step === 1),
      { status: undefined, error: undefined },
    )
  }
  t.match(runtime.stats(), {
    broken: { calls: 4, failed: 4 },
    healthy: { calls: 4, failed: 0, ignored: 4, breaker: 'closed' },
  })
})

test('a call that is aborted because another step took too long does not take a kept answer', async t => {
  let isKept = false
  const upstream = await httpUpstream(t, ({ request, response }) => {
    if (isKept || request.method === 'POST') return
    response
      .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=0, stale-if-error=600' })
      .end('"kept"')
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { kept, tell } = defineUpstream(
    'cats',
    { origin: upstream.origin, retry: false },
    {
      kept: operation({ path: '/kept', output: Any, cache: { staleAfter: 10_000 } }),
      tell: operation({ method: 'POST', path: '/tell', output: Any }),
    },
  )
  const filling = base.required('b', () => kept()).reply(Any, ({ b }) => b)
  t.equal((await fanOut(filling, {}, { runtime })).data, 'kept')
  isKept = true
  const timedOut = new EventEmitter()
  const described = base
    .required('a', () => new Promise(() => {}), { timeout: 50 })
    .required('b', () => kept())
    .required('c', () => tell())
    .reply(Any, () => 1)
  const { run, reply, events } = watched(described, {
    runtime,
    onEvent: event => {
      if (event.type === 'step ended' && event.step === 0) timedOut.emit('end')
    },
  })
  const [told] = await Promise.all([upstream.arrived('POST /tell'), once(timedOut, 'end')])
  // The unsafe call holds the failed run open.
  await turn()
  told.json(1)
  const { code, sources } = await problemOf(reply)
  t.equal(code, 'STEP_TIMEOUT')
  t.match(sources['b'], { state: 'cancelled', code: undefined, cache: undefined })
  t.match(
    events.find(event => event.type === 'call ended' && event.step === 1),
    { code: 'CANCELLED', cached: undefined },
  )
  t.same(run.lost, [])
})
