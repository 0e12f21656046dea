import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, skip, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import type { LiveCall } from '../../src/upstream/call/live-call.ts'
import type { Answer } from '../../src/upstream/call/layer.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const base = aggregate('first', { url: '/first', deadline: 10_000 })
const lost = new UpstreamError('UPSTREAM_RESET', 'oracle')

function firstOf(calls: number, count: number) {
  return base
    .firstOf('found', () => times(calls, id => oracle.ask({ id })), { count })
    .reply(z.unknown(), ({ found }) => ({ found }))
}

test('the first good answer is the value, and the losers are stopped at once', async t => {
  const runtime = heldRuntime()
  const { reply, run } = watched(firstOf(3, 1), { runtime })
  t.equal(runtime.calls.length, 3, 'all are asked at once')
  runtime.at('/1').answer('one')
  const { data, complete, sources } = await reply
  t.strictSame(data, { found: 'one' })
  t.equal(complete, true)
  t.match(sources['found'], { state: 'ok', calls: 3, ok: 1, failed: [] })
  t.equal(runtime.at('/1').cut, undefined)
  for (const path of ['/0', '/2']) t.match(runtime.at(path).cut, { reason: { message: 'has ended' } })
  t.equal(run.abort.size, 0, 'nothing listens any more')
})

test('with a count the value is that many answers in the order of the calls', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(firstOf(4, 2), { runtime })
  runtime.at('/3').answer('three')
  await turn()
  runtime.at('/1').answer('one')
  t.match(await reply, { data: { found: ['one', 'three'] }, sources: { found: { calls: 4, ok: 2 } } })
  t.strictSame(
    runtime.calls.map(({ cut }) => cut !== undefined),
    [true, false, true, false],
  )
})

test('answers that come in the same moment as the last one needed are not taken', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(firstOf(3, 1), { runtime })
  for (const { path, answer } of runtime.calls) answer(path)
  t.match(await reply, { data: { found: '/0' }, sources: { found: { calls: 3, ok: 1 } } })
})

test('a failure is passed over as long as enough others can answer', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(firstOf(3, 2), { runtime })
  runtime.at('/0').fail(lost)
  await turn()
  runtime.at('/1').answer('one')
  runtime.at('/2').answer('two')
  t.match(await reply, {
    data: { found: ['one', 'two'] },
    complete: true,
    sources: { found: { state: 'ok', calls: 3, ok: 2, failed: [{ index: 0, code: 'UPSTREAM_RESET' }] } },
  })
})

test('when too few can answer, the first failure decides', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(firstOf(3, 2), { runtime })
  runtime.at('/2').fail(new UpstreamError('UPSTREAM_BUSY', 'oracle', { upstreamStatus: 503, retryAfterMs: 7000 }))
  await turn()
  runtime.at('/0').fail(lost)
  const problem = await problemOf(reply)
  t.match(problem, { code: 'UPSTREAM_BUSY', statusCode: 503, retryAfterSeconds: 7 })
  t.match(problem.sources, {
    found: { state: 'failed', calls: 3, ok: 0, failed: [{ index: 0 }, { index: 2, status: 503 }] },
  })
  t.match(runtime.at('/1').cut, { reason: Error })
})

test('fewer calls than answers wanted, and none at all, are bugs', async t => {
  const runtime = answeringRuntime(() => 1)
  t.match(await problemOf(fanOut(firstOf(1, 2), {}, { runtime })), {
    code: 'INTERNAL',
    cause: { message: "step 'found' returned 1 calls for a count of 2: return at least 2 calls" },
  })
  t.match(await problemOf(fanOut(firstOf(0, 1), {}, { runtime })), { code: 'INTERNAL', statusCode: 500 })
  t.strictSame(runtime.asked, [])
  const skipping = base.firstOf('found', () => skip as never).reply(z.unknown(), () => 1)
  t.match(await problemOf(fanOut(skipping, {}, { runtime })), { code: 'INTERNAL', cause: { message: /cannot skip/ } })
})

test('firstOf accepts as many calls as each does, and answers TOO_MANY_ITEMS beyond', async t => {
  t.match(await problemOf(fanOut(firstOf(101, 1), {}, { runtime: answeringRuntime(() => 1) })), {
    code: 'TOO_MANY_ITEMS',
    statusCode: 400,
  })
})

test('dependents run on the answer, and the signal of its step is aborted when it has ended', async t => {
  const runtime = heldRuntime()
  const signals: AbortSignal[] = []
  const described = base
    .firstOf('found', ({ signal }) => {
      signals.push(signal)
      return [oracle.ask({ id: 'a' }), oracle.ask({ id: 'b' })]
    })
    .required('next', ({ found }) => oracle.ask({ id: `after-${String(found)}` }), { needs: ['found'] })
    .reply(z.unknown(), ({ next }) => next)
  const { reply } = watched(described, { runtime })
  t.equal(signals[0]?.aborted, false)
  runtime.at('/b').answer('b')
  const next = await runtime.arrived('/after-b')
  t.equal(signals[0]?.aborted, true)
  next.answer('done')
  t.equal((await reply).data, 'done')
})

/** Replicas that may not have what they are asked for. */
const { find, empty } = defineUpstream(
  'replicas',
  { origin: 'http://replicas.test' },
  {
    find: operation({ path: '/{id}', params: z.object({ id: z.number() }), output: z.unknown(), nullOn: [404, 410] }),
    empty: operation({
      path: '/{id}',
      params: z.object({ id: z.number() }),
      output: z.unknown(),
      nullOn: [404],
      allowEmpty: true,
    }),
  },
)

function found(calls: number, count: number, ask: typeof find | typeof empty = find) {
  return base.firstOf('found', () => times(calls, id => ask({ id })), { count }).reply(z.unknown(), seen => seen.found)
}

test('an answer beats an absence that came before it', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(found(3, 1), { runtime })
  runtime.at('/0').answer(null, 404)
  runtime.at('/1').answer(null, 410)
  await turn()
  t.equal(runtime.at('/2').cut, undefined, 'the call that may still answer goes on')
  runtime.at('/2').answer('here')
  t.match(await reply, {
    data: 'here',
    complete: true,
    sources: { found: { state: 'ok', calls: 3, ok: 3, failed: [] } },
  })
})

test('an absence in the same moment as the answer before it is not taken', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(found(2, 1), { runtime })
  runtime.at('/1').answer('here')
  runtime.at('/0').answer(null, 404)
  t.match(await reply, { data: 'here', sources: { found: { calls: 2, ok: 1 } } })
})

test('the value is null and the step is ok if every call returns an absent value', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(found(3, 1), { runtime })
  for (const { answer } of runtime.calls) answer(null, 404)
  t.match(await reply, { data: null, complete: true, sources: { found: { state: 'ok', calls: 3, ok: 3, failed: [] } } })
})

test('an absence beside a failure is a failure, since the call that failed may have had the value', async t => {
  for (const order of [
    ['/0', '/1'],
    ['/1', '/0'],
  ]) {
    const runtime = heldRuntime()
    const { reply } = watched(found(2, 1), { runtime })
    for (const path of order) {
      if (path === '/0') runtime.at('/0').answer(null, 404)
      else runtime.at('/1').fail(lost)
      await turn()
    }
    const problem = await problemOf(reply)
    t.match(problem, { code: 'UPSTREAM_RESET', statusCode: 502 })
    t.match(problem.sources, {
      found: { state: 'failed', calls: 2, ok: 1, failed: [{ index: 1, code: 'UPSTREAM_RESET' }] },
    })
  }
})

test('a failure is decided as soon as too few calls are left that can answer', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(found(4, 2), { runtime })
  runtime.at('/0').answer(null, 404)
  runtime.at('/1').fail(lost)
  await turn()
  t.equal(runtime.at('/2').cut, undefined, 'two calls can still answer')
  runtime.at('/2').answer(null, 404)
  t.match(await problemOf(reply), { code: 'UPSTREAM_RESET' })
  t.match(runtime.at('/3').cut, { reason: Error }, 'and the call that is left is stopped')
})

test('an answer beats absences and failures together', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(found(3, 1), { runtime })
  runtime.at('/0').answer(null, 404)
  runtime.at('/1').fail(lost)
  await turn()
  runtime.at('/2').answer('here')
  t.match(await reply, {
    data: 'here',
    complete: true,
    sources: { found: { state: 'ok', ok: 2, failed: [{ index: 1 }] } },
  })
})

test('with a count, absences fill up what no call has answered', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(found(3, 2), { runtime })
  runtime.at('/0').answer(null, 404)
  runtime.at('/1').answer(null, 404)
  await turn()
  runtime.at('/2').answer('two')
  t.strictSame((await reply).data, [null, 'two'])

  const both = heldRuntime()
  const second = watched(found(4, 2), { runtime: both })
  both.at('/1').answer(null, 404)
  both.at('/3').answer('three')
  await turn()
  both.at('/0').answer('zero')
  t.strictSame((await second.reply).data, ['zero', 'three'], 'and are left out where there are enough answers')

  const none = heldRuntime()
  const third = watched(found(3, 2), { runtime: none })
  for (const { answer } of none.calls) answer(null, 404)
  t.strictSame((await third.reply).data, [null, null])
})

test('a null that the upstream answered is an answer', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(found(2, 1), { runtime })
  runtime.at('/1').answer(null)
  t.equal((await reply).data, null)
  t.match(runtime.at('/0').cut, { reason: Error }, 'the other call is not waited for')

  const nothing = heldRuntime()
  const second = watched(found(2, 1, empty), { runtime: nothing })
  nothing.at('/0').answer(null, 204)
  t.equal((await second.reply).data, null)
  t.match(nothing.at('/1').cut, { reason: Error }, 'nor after an empty body')
})

test('a firstOf sends all its calls together', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(found(18, 1), { runtime })
  t.equal(runtime.calls.length, 18)
  runtime.at('/0').answer(null, 404)
  await turn()
  runtime.at('/16').answer('here')
  t.equal((await reply).data, 'here')
})

test('a step whose time is over while absences are all it has fails by its timeout', async t => {
  const runtime = heldRuntime()
  const described = base
    .firstOf('found', () => times(2, id => find({ id })), { timeout: 20 })
    .reply(z.unknown(), seen => seen.found)
  const { reply } = watched(described, { runtime })
  runtime.at('/0').answer(null, 404)
  t.match(await problemOf(reply), { code: 'STEP_TIMEOUT', statusCode: 504 })
})

test('an old absence in place of a failure makes the step stale only where it is taken', async t => {
  const answers: Readonly<Record<string, Answer<unknown>>> = {
    '/0': { value: null, status: 404, cached: { cache: 'stale', age: 9, ttl: -1, insteadOf: lost } },
    '/1': { value: null, status: 404 },
    '/2': { value: 'here', status: 200 },
  }
  const runtime = { ...heldRuntime(), send: <T>(call: LiveCall<T>) => Promise.resolve(answers[call.path] as Answer<T>) }
  t.match(await fanOut(found(3, 1), {}, { runtime }), {
    data: 'here',
    complete: true,
    sources: { found: { state: 'ok' } },
  })
  t.match(await fanOut(found(2, 1), {}, { runtime }), {
    data: null,
    complete: false,
    sources: { found: { state: 'stale' } },
  })
})

test('over the wire, a kept absence that is confirmed is still an absence', async t => {
  let confirmed = 0
  const raw = await rawUpstream(t, (socket, { path, headers }) => {
    if (path === '/has') return socket.write(json('the value'))
    if (headers.some(([name, value]) => name === 'if-none-match' && value === '"none"')) {
      confirmed++
      return socket.write('HTTP/1.1 304 Not Modified\r\netag: "none"\r\ncache-control: max-age=0\r\n\r\n')
    }
    return socket.write(json({}, 404, { etag: '"none"', 'cache-control': 'max-age=0' }))
  })
  const { kept, plain } = defineUpstream(
    'raw',
    { origin: raw.origin, retry: false },
    {
      kept: operation({ path: '/none', output: z.string(), nullOn: [404], cache: true }),
      plain: operation({ path: '/has', output: z.string(), nullOn: [404] }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const described = base
    .required('none', () => kept())
    .firstOf('found', () => [kept(), plain()], { needs: ['none'] })
    .firstOf('absent', () => [kept(), kept()], { needs: ['found'] })
    .reply(z.unknown(), ({ none, found: value, absent }) => ({ none, value, absent }))
  t.match(await fanOut(described, {}, { runtime }), {
    data: { none: null, value: 'the value', absent: null },
    complete: true,
  })
  t.equal(confirmed, 2, 'once for each step after the first')
})
