import { test } from 'tap'
import { z } from 'zod'
import { aggregate, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const base = aggregate('limited', { url: '/limited', deadline: 30_000 })
const never = () => new Promise<unknown>(() => {})

test("a step function that never returns ends at the step's timeout", async t => {
  const start = performance.now()
  const required = base.required('a', never, { timeout: 25 }).reply(Any, () => 1)
  const problem = await problemOf(fanOut(required, {}, { runtime: heldRuntime() }))
  t.match(problem, {
    code: 'STEP_TIMEOUT',
    statusCode: 504,
    detail: 'a did not end within its timeout: the limit is 25 ms.',
    sources: { a: { state: 'failed', code: 'STEP_TIMEOUT' } },
  })
  const optional = base.optional('a', never, { fallback: 'fallback', timeout: 25 }).reply(Any, ({ a }) => a)
  t.match(await fanOut(optional, {}, { runtime: heldRuntime() }), {
    data: 'fallback',
    complete: false,
    sources: { a: { state: 'fallback', code: 'STEP_TIMEOUT' } },
  })
  t.ok(performance.now() - start < 5000, 'long before the deadline')
})

test('a call that takes too long is stopped, and the other steps go on', async t => {
  const runtime = heldRuntime()
  const signals: AbortSignal[] = []
  const described = base
    .optional(
      'slow',
      ({ signal }) => {
        signals.push(signal)
        return oracle.ask({ id: 'slow' })
      },
      { fallback: 'fallback', timeout: 25 },
    )
    .required('after', ({ slow }) => oracle.ask({ id: `after-${String(slow)}` }), { needs: ['slow'] })
    .required('other', () => oracle.ask({ id: 'other' }))
    .reply(Any, ({ slow, after, other }) => [slow, after, other])
  const { reply, run } = watched(described, { runtime })
  const after = await runtime.arrived('/after-fallback')
  t.match(runtime.at('/slow').cut, { reason: { code: 'STEP_TIMEOUT' } })
  t.match(signals[0]?.reason, { code: 'STEP_TIMEOUT' })
  t.equal(runtime.at('/other').cut, undefined)
  after.answer('after')
  runtime.at('/other').answer('other')
  t.match(await reply, {
    data: ['fallback', 'after', 'other'],
    sources: { slow: { state: 'fallback', code: 'STEP_TIMEOUT' }, other: { state: 'ok' } },
  })
  t.equal(run.abort.size, 0)
})

test('a required call that takes too long fails the run', async t => {
  const described = base.required('slow', () => oracle.ask({ id: 'slow' }), { timeout: 25 }).reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, {}, { runtime: heldRuntime() })), { code: 'STEP_TIMEOUT', statusCode: 504 })
})

test('a list that tolerates losses is partial at its timeout', async t => {
  const runtime = heldRuntime()
  const described = base
    .each('list', () => times(5, id => oracle.ask({ id })), {
      concurrency: 3,
      timeout: 40,
      minSuccess: 1,
      fallback: null,
    })
    .reply(Any, ({ list }) => list)
  const { reply } = watched(described, { runtime })
  await turn()
  runtime.at('/1').answer('in time')
  t.match(await reply, {
    data: [null, 'in time', null, null, null],
    complete: false,
    sources: { list: { state: 'partial', calls: 5, ok: 1 } },
  })
  t.strictSame(
    (await reply).sources['list']?.failed,
    [0, 2, 3, 4].map(index => ({ index, code: 'STEP_TIMEOUT' })),
  )
  t.equal(runtime.calls.length, 4, 'the last one is not sent after the timeout')
})

test('a list without tolerance, and a firstOf, fail at their timeout', async t => {
  const list = base.each('all', () => times(3, id => oracle.ask({ id })), { timeout: 25 }).reply(Any, () => 1)
  t.match(await problemOf(fanOut(list, {}, { runtime: heldRuntime() })), {
    code: 'STEP_TIMEOUT',
    sources: { all: { calls: 3, ok: 0 } },
  })
  const race = base.firstOf('one', () => times(3, id => oracle.ask({ id })), { timeout: 25 }).reply(Any, () => 1)
  t.match(await problemOf(fanOut(race, {}, { runtime: heldRuntime() })), {
    code: 'STEP_TIMEOUT',
    sources: { one: { calls: 3, ok: 0 } },
  })
})

test('a layer that swallows its abort does not hold the step', async t => {
  const runtime = heldRuntime({ deaf: () => true })
  const described = base
    .optional('one', () => oracle.ask({ id: 'one' }), { fallback: 'fallback', timeout: 25 })
    .each('list', () => times(2, id => oracle.ask({ id })), { timeout: 25, minSuccess: 0, fallback: 'lost' })
    .reply(Any, ({ one, list }) => [one, list])
  t.strictSame((await fanOut(described, {}, { runtime })).data, ['fallback', ['lost', 'lost']])
})

test('an answer that comes after its step has ended changes nothing', async t => {
  const runtime = heldRuntime({ deaf: path => path === '/late' })
  const described = base
    .optional('late', () => oracle.ask({ id: 'late' }), { fallback: 'fallback', timeout: 25 })
    .required('after', ({ late }) => oracle.ask({ id: `after-${String(late)}` }), { needs: ['late'] })
    .required('other', () => oracle.ask({ id: 'other' }))
    .reply(Any, ({ late, after, other }) => [late, after, other])
  const { reply, events } = watched(described, { runtime })
  const after = await runtime.arrived('/after-fallback')
  runtime.at('/late').answer('too late')
  await turn()
  t.equal(events.filter(event => event.type === 'step ended' && event.step === 0).length, 1)
  after.answer('after')
  await turn()
  runtime.at('/other').answer('other')
  t.match(await reply, { data: ['fallback', 'after', 'other'], sources: { late: { state: 'fallback' } } })
})

test("an unsafe call on the wire outlives its step's timeout, and its answer counts", async t => {
  const runtime = heldRuntime({ deaf: () => true })
  const described = base
    .required('post', () => oracle.tell({ id: 'post' }), { timeout: 20 })
    .optional('clock', never, { fallback: 'rung', timeout: 60 })
    .required('after', () => oracle.ask({ id: 'after' }), { needs: ['clock'] })
    .reply(Any, ({ post }) => post)
  const { reply } = watched(described, { runtime })
  const after = await runtime.arrived('/after')
  runtime.at('/post').answer('posted')
  after.answer(1)
  t.match(await reply, { data: 'posted', complete: false, sources: { post: { state: 'ok' } } })
})

test('a timeout that its step does not reach changes nothing', async t => {
  const runtime = heldRuntime()
  const described = base.required('a', () => oracle.ask({ id: 'a' }), { timeout: 20_000 }).reply(Any, ({ a }) => a)
  const { reply } = watched(described, { runtime })
  runtime.at('/a').answer('in time')
  t.match(await reply, { data: 'in time', complete: true })
  t.equal(runtime.at('/a').cut, undefined)
})
