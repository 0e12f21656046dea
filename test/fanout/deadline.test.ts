import { test } from 'tap'
import { z } from 'zod'
import { aggregate, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const within = (deadline: number) => aggregate('timed', { url: '/timed', deadline })
const never = () => new Promise<unknown>(() => {})

/** How long a run took to settle, in ms. */
async function took(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await run().catch(() => {})
  return performance.now() - start
}

test('at the deadline optional steps fall back and the reply goes out', async t => {
  const runtime = heldRuntime()
  const described = within(40)
    .optional('calling', () => oracle.ask({ id: 1 }), { fallback: 'a' })
    .optional('thinking', never, { fallback: 'b' })
    .each('list', () => times(40, id => oracle.ask({ id: `list-${id}` })), {
      minSuccess: 0,
      fallback: 'c',
      concurrency: 3,
    })
    .required('plain', () => 'd')
    .reply(Any, ({ calling, thinking, list, plain }) => [calling, thinking, list.length, list[39], plain])
  const { reply, run } = watched(described, { runtime })
  const ms = await took(() => reply)
  t.comment(`deadline 40 ms, replied after ${ms.toFixed(1)} ms`)
  t.ok(ms > 25 && ms < 290, 'not before the deadline, and soon after it')
  const { data, complete, sources } = await reply
  t.strictSame(data, ['a', 'b', 40, 'c', 'd'])
  t.equal(complete, false)
  t.match(sources, {
    calling: { state: 'fallback', code: 'DEADLINE_EXCEEDED' },
    thinking: { state: 'fallback', code: 'DEADLINE_EXCEEDED' },
    list: {
      state: 'partial',
      calls: 40,
      ok: 0,
      failed: Array.from({ length: 40 }, (_, index) => ({ index, code: 'DEADLINE_EXCEEDED' })),
    },
    plain: { state: 'ok' },
  })
  t.equal(run.abort.size, 0)
  t.equal(runtime.calls.length, 4, 'calls that waited for a permit of the concurrency are not sent after the deadline')
})

test('a required step that has no value by the deadline is a 504', async t => {
  for (const step of [() => oracle.ask({ id: 1 }), never]) {
    const runtime = heldRuntime()
    const described = within(30)
      .optional('other', () => oracle.ask({ id: 2 }), { fallback: null })
      .required('slow', step)
      .required('after', () => 1, { needs: ['slow'] })
      .reply(Any, () => 1)
    const { reply, run } = watched(described, { runtime })
    t.ok((await took(() => reply)) < 280)
    const problem = await problemOf(reply)
    t.match(problem, {
      code: 'DEADLINE_EXCEEDED',
      statusCode: 504,
      detail: "Step 'slow': timed did not end before its deadline: the limit is 30 ms.",
    })
    t.match(problem.sources, {
      other: { state: /fallback|cancelled/ },
      slow: { state: 'failed', code: 'DEADLINE_EXCEEDED' },
      after: { state: 'cancelled' },
    })
    t.ok(runtime.calls.every(({ cut }) => cut !== undefined))
    t.equal(run.abort.size, 0)
  }
})

test('a layer that swallows its abort does not hold the reply', async t => {
  const runtime = heldRuntime({ deaf: () => true })
  const described = within(30)
    .optional('one', () => oracle.ask({ id: 'one' }), { fallback: 'a' })
    .optional('unsafe', () => oracle.tell({ id: 'unsafe' }), { fallback: 'b' })
    .each('list', () => times(4, id => oracle.ask({ id })), { minSuccess: 1, fallback: 'c' })
    .reply(Any, ({ one, unsafe, list }) => [one, unsafe, list])
  const { reply, events } = watched(described, { runtime })
  runtime.at('/2').answer('good')
  t.ok((await took(() => reply)) < 280)
  t.strictSame((await reply).data, ['a', 'b', ['c', 'c', 'good', 'c']])
  const told = events.length
  for (const { answer } of runtime.calls) answer('too late')
  await new Promise(setImmediate)
  t.equal(events.length, told, 'late answers change nothing')
})

test('a required call whose abort is swallowed is a 504', async t => {
  const described = within(30)
    .required('one', () => oracle.ask({ id: 'one' }))
    .reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, {}, { runtime: heldRuntime({ deaf: () => true }) })), {
    code: 'DEADLINE_EXCEEDED',
    statusCode: 504,
  })
  const list = within(30)
    .each('all', () => times(3, id => oracle.ask({ id })))
    .reply(Any, () => 1)
  t.match(await problemOf(fanOut(list, {}, { runtime: heldRuntime({ deaf: () => true }) })), {
    code: 'DEADLINE_EXCEEDED',
    sources: { all: { failed: [{ index: 0 }] } },
  })
})

test('a step that starts at the deadline sends nothing and is waited for no longer', async t => {
  const runtime = heldRuntime()
  const described = within(30)
    .optional('slow', () => oracle.ask({ id: 'slow' }), { fallback: 'fallback' })
    .optional('call', ({ slow }) => oracle.ask({ id: `call-${String(slow)}` }), { fallback: 'none', needs: ['slow'] })
    .optional('late', async ({ slow }) => oracle.ask({ id: `late-${String(slow)}` }), {
      fallback: 'none',
      needs: ['slow'],
    })
    .optional('hangs', never, { fallback: 'none', needs: ['slow'] })
    .each('list', ({ slow }) => times(20, id => oracle.ask({ id: `${String(slow)}-${id}` })), {
      needs: ['slow'],
      concurrency: 2,
      minSuccess: 0,
      fallback: 'none',
    })
    .optional('plain', ({ slow }) => `on ${String(slow)}`, { fallback: 'none', needs: ['slow'] })
    .reply(Any, ({ call, late, hangs, list, plain }) => [call, late, hangs, list[0], plain])
  const { reply } = watched(described, { runtime })
  t.strictSame((await reply).data, ['none', 'none', 'none', 'none', 'on fallback'])
  t.strictSame(
    runtime.calls.map(({ path }) => path),
    ['/slow'],
  )
})

test('a step with a limit or an abort of its own that starts at the deadline sends nothing either', async t => {
  for (const slow of [() => oracle.ask({ id: 'slow' }), never]) {
    const runtime = heldRuntime()
    const signals: AbortSignal[] = []
    const described = within(30)
      .optional('slow', slow, { fallback: 'fallback' })
      .optional(
        'limited',
        ({ signal }) => {
          signals.push(signal)
          return oracle.tell({ id: 'limited' })
        },
        { fallback: 'none', needs: ['slow'], timeout: 5000 },
      )
      .optional('seen', ({ signal }) => String(signal.aborted), { fallback: 'none', needs: ['slow'], timeout: 5000 })
      .reply(Any, ({ limited, seen }) => [limited, seen])
    const { reply } = watched(described, { runtime })
    t.strictSame((await reply).data, ['none', 'true'])
    t.equal(signals[0]?.aborted, true)
    t.strictSame(
      runtime.calls.map(({ path }) => path).filter(path => path !== '/slow'),
      [],
    )
  }
  const runtime = heldRuntime()
  const racing = within(30)
    .optional('slow', () => oracle.ask({ id: 'slow' }), { fallback: 'fallback' })
    .firstOf('race', () => [oracle.ask({ id: 'race' })], { needs: ['slow'] })
    .reply(Any, () => 1)
  t.match(await problemOf(fanOut(racing, {}, { runtime })), { code: 'DEADLINE_EXCEEDED' })
  t.strictSame(
    runtime.calls.map(({ path }) => path),
    ['/slow'],
  )
})

test("a caller's shorter deadline wins, and a longer one changes nothing", async t => {
  const described = (deadline: number) =>
    within(deadline)
      .required('slow', never)
      .reply(Any, () => 1)
  const runtime = heldRuntime()
  let problem = await problemOf(fanOut(described(60_000), {}, { runtime, deadline: 30 }))
  t.match(
    problem,
    { code: 'DEADLINE_EXCEEDED', detail: /the limit is 30 ms/, cause: { verdict: 'ignored' } },
    'it says nothing about an upstream',
  )
  problem = await problemOf(fanOut(described(30), {}, { runtime, deadline: 60_000 }))
  t.match(problem, { code: 'DEADLINE_EXCEEDED', detail: /the limit is 30 ms/, cause: { verdict: 'failed' } })
  problem = await problemOf(fanOut(described(30), {}, { runtime, deadline: undefined }))
  t.match(problem, { detail: /the limit is 30 ms/ })
})

test('an async merge that hangs is ended by the deadline', async t => {
  const described = within(40)
    .required('a', () => 1)
    .reply(Any, never)
  const { reply, run } = watched(described, { runtime: heldRuntime() })
  t.ok((await took(() => reply)) < 290)
  t.match(await problemOf(reply), { code: 'DEADLINE_EXCEEDED', statusCode: 504, sources: { a: { state: 'ok' } } })
  t.equal(run.abort.size, 0)
})

test('an async merge that starts at the deadline has a moment to end', async t => {
  const base = within(30).optional('slow', () => oracle.ask({ id: 'slow' }), { fallback: 'fallback' })
  const runtime = heldRuntime()
  const { data } = await fanOut(
    base.reply(Any, async ({ slow }) => {
      await new Promise(setImmediate)
      return { slow }
    }),
    {},
    { runtime },
  )
  t.strictSame(data, { slow: 'fallback' })
  const hanging = base.reply(Any, never)
  t.ok((await took(() => fanOut(hanging, {}, { runtime }))) < 330)
  t.match(await problemOf(fanOut(hanging, {}, { runtime })), {
    code: 'DEADLINE_EXCEEDED',
    sources: { slow: { state: 'fallback' } },
  })
})

test('a run that ends in time leaves no timer behind', async t => {
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const before = timers()
  const described = within(60_000)
    .required('a', () => oracle.ask({ id: 1 }), { timeout: 50_000 })
    .firstOf('b', () => [oracle.ask({ id: 2 })], { timeout: 50_000 })
    .reply(Any, () => 1)
  const runtime = answeringRuntime(path => path)
  await Promise.all(times(20, () => fanOut(described, {}, { runtime })))
  const failing = within(60_000)
    .optional('a', never, { fallback: null, timeout: 50_000 })
    .required('b', (): number => {
      throw new Error('bug')
    })
    .reply(Any, () => 1)
  await problemOf(fanOut(failing, {}, { runtime }))
  t.equal(timers(), before)
})
