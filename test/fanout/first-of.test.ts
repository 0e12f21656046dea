import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, skip, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const base = aggregate('first', { url: '/first', deadline: 10_000 })
const lost = new UpstreamError('UPSTREAM_RESET', 'oracle')

function firstOf (calls: number, count: number) {
  return base.firstOf('found', () => times(calls, id => oracle.ask({ id })), { count }).reply(z.unknown(), ({ found }) => ({ found }))
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
  t.strictSame(runtime.calls.map(({ cut }) => cut !== undefined), [true, false, true, false])
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
  t.match(await reply, { data: { found: ['one', 'two'] }, complete: true, sources: { found: { state: 'ok', calls: 3, ok: 2, failed: [{ index: 0, code: 'UPSTREAM_RESET' }] } } })
})

test('when too few can answer, the first failure decides', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(firstOf(3, 2), { runtime })
  runtime.at('/2').fail(new UpstreamError('UPSTREAM_BUSY', 'oracle', { upstreamStatus: 503, retryAfterMs: 7000 }))
  await turn()
  runtime.at('/0').fail(lost)
  const problem = await problemOf(reply)
  t.match(problem, { code: 'UPSTREAM_BUSY', statusCode: 503, retryAfterSeconds: 7 })
  t.match(problem.sources, { found: { state: 'failed', calls: 3, ok: 0, failed: [{ index: 0 }, { index: 2, status: 503 }] } })
  t.match(runtime.at('/1').cut, { reason: Error })
})

test('fewer calls than answers wanted, and none at all, are bugs', async t => {
  const runtime = answeringRuntime(() => 1)
  t.match(await problemOf(fanOut(firstOf(1, 2), {}, { runtime })), { code: 'INTERNAL', cause: { message: "step 'found' returned 1 calls to take the first 2 answers of: return more calls" } })
  t.match(await problemOf(fanOut(firstOf(0, 1), {}, { runtime })), { code: 'INTERNAL', statusCode: 500 })
  t.strictSame(runtime.asked, [])
  const skipping = base.firstOf('found', () => skip as never).reply(z.unknown(), () => 1)
  t.match(await problemOf(fanOut(skipping, {}, { runtime })), { code: 'INTERNAL', cause: { message: /cannot skip/ } })
})

test('its length is bounded like that of an each', async t => {
  t.match(await problemOf(fanOut(firstOf(101, 1), {}, { runtime: answeringRuntime(() => 1) })), { code: 'TOO_MANY_ITEMS', statusCode: 400 })
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
