import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { aggregate, refuse, skip, times } from '../../../src/fanout/aggregate.ts'
import { fanOut } from '../../../src/fanout/fan-out.ts'
import type { Outcome } from '../../../src/fanout/outcome.ts'
import { answeringRuntime } from '../../helpers/answering-runtime.ts'
import { cachingUpstream } from '../../helpers/caching-upstream.ts'
import { heldRuntime } from '../../helpers/held-runtime.ts'
import { oracle } from '../../helpers/oracle.ts'
import { problemOf } from '../../helpers/problem-of.ts'
import { turn } from '../../helpers/turn.ts'
import { watched } from '../../helpers/watched.ts'

const Any = z.unknown()
const base = aggregate('asking', { url: '/asking', deadline: 10_000 })
const lost = (status = 500) => new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: status })
const call = (id: string | number) => oracle.ask({ id })

/** A runtime that answers `/id` with `id`, and fails for a path that begins with `/bad`. */
function answering() {
  return answeringRuntime(path => {
    if (path.startsWith('/bad')) throw lost()
    return path.slice(1)
  })
}

/** An outcome without its times, which differ from run to run. */
function timeless({ ms, start, ...rest }: Outcome): object {
  if (!(ms >= 0) || !((start ?? 0) >= 0)) throw new Error(`the times are ${start} and ${ms}`)
  return rest
}

test('an asked call counts as a call of its step', async t => {
  const described = base
    .required('order', async ({ ask }) => {
      const order = await ask(call('order'))
      const items = await Promise.all(['a', 'b'].map(id => ask(call(id))))
      return { order, items }
    })
    .reply(Any, ({ order }) => order)
  const { reply, events } = watched(described, { runtime: answering() })
  const { data, complete, sources } = await reply
  t.same(data, { order: 'order', items: ['a', 'b'] })
  t.ok(complete)
  t.match(sources['order'], { state: 'ok', calls: 3, ok: 3, failed: [] })
  t.match(
    events.map(({ type, ...event }) => ('step' in event ? `${type} ${event.step}` : type)),
    ['run started', 'step started 0', 'step ended 0', 'run ended'],
  )
})

test('each asked call has the next number of its step, and a listed call the numbers after them', async t => {
  const runtime = heldRuntime()
  const described = base
    .each('all', async ({ ask }) => {
      const count = Number(await ask(call('count')))
      return times(count, index => call(`item-${index}`))
    })
    .reply(Any, ({ all }) => all)
  const { reply } = watched(described, { runtime })
  runtime.at('/count').answer(2)
  for (const path of ['/item-0', '/item-1']) (await runtime.arrived(path)).answer(path)
  t.same((await reply).data, ['/item-0', '/item-1'])
  t.same(
    runtime.calls.map(held => [held.path, held.call.step, held.call.index]),
    [
      ['/count', 0, 0],
      ['/item-0', 0, 1],
      ['/item-1', 0, 2],
    ],
  )
  t.match((await reply).sources['all'], { state: 'ok', calls: 3, ok: 3, failed: [] })
})

test('a step that asks one call has the outcome of a step that returns it', async t => {
  const outcomes = async (isAsked: boolean) => {
    const { runtime, kept, fail } = await cachingUpstream(t, 'keeper')
    const described = base
      .required('one', async ({ ask }) => (isAsked ? ask(kept({ id: 'old' })) : kept({ id: 'old' })))
      .reply(Any, ({ one }) => one)
    const run = async () => {
      const { data, complete, sources } = await fanOut(described, {}, { runtime })
      const { ttl, age, ...rest } = timeless(sources.one) as Outcome
      return { data, complete, ...rest, hasAge: age !== undefined && ttl !== undefined }
    }
    const first = await run()
    fail()
    return [first, await run()]
  }
  const asked = await outcomes(true)
  t.match(asked, [
    { data: '/old', complete: true, state: 'ok', attempts: 1, status: 200, cache: 'miss' },
    { data: '/old', complete: false, state: 'stale', attempts: 1, status: 503, cache: 'stale', code: 'UPSTREAM_BUSY' },
  ])
  t.strictSame(asked, await outcomes(false))
})

test('a stale answer among several asked calls makes the step stale', async t => {
  const { runtime, kept, fail } = await cachingUpstream(t, 'keeper')
  const described = base
    .required('two', async ({ ask }) => Promise.all([ask(kept({ id: 'new' })), ask(kept({ id: 'old' }))]))
    .each('list', async ({ ask }) => (await ask(kept({ id: 'old' })), [kept({ id: 'new' })]))
    .reply(Any, ({ two }) => two)
  await fanOut(described, {}, { runtime })
  fail()
  const { complete, sources } = await fanOut(described, {}, { runtime })
  t.notOk(complete)
  t.match(sources.two, { state: 'stale', calls: 2, ok: 2, failed: [], code: 'UPSTREAM_BUSY' })
  t.match(sources.list, { state: 'stale', calls: 2, ok: 2, failed: [], code: undefined })
})

test('an asked call whose failure the step catches is in failed, and the step is ok', async t => {
  const described = base
    .required('kept', async ({ ask }) => ask(call('bad')).catch(() => ask(call('second'))))
    .each('list', async ({ ask }) => (await ask(call('bad')).catch(() => 0), [call('a')]))
    .firstOf('one', async ({ ask }) => (await ask(call('bad')).catch(() => 0), [call('a')]))
    .reply(Any, seen => [seen.kept, seen.list, seen.one])
  const { data, complete, sources } = await fanOut(described, {}, { runtime: answering() })
  t.same([data, complete], [['second', ['a'], 'a'], true])
  for (const { state, calls, ok, failed } of Object.values(sources))
    t.strictSame(
      { state, calls, ok, failed },
      { state: 'ok', calls: 2, ok: 1, failed: [{ index: 0, code: 'UPSTREAM_STATUS', status: 500 }] },
    )
})

test('an asked call whose failure the step does not catch has the effect of a failed call of its kind', async t => {
  const described = base
    .optional('maybe', async ({ ask }) => [await ask(call('a')), await ask(call('bad'))], { fallback: 'none' })
    .each('none', async ({ ask }) => [call((await ask(call('bad'))) as string)], { minSuccess: 0, fallback: null })
    .reply(Any, ({ maybe, none }) => [maybe, none])
  const { data, sources } = await fanOut(described, {}, { runtime: answering() })
  t.same(data, ['none', []])
  const failed = (index: number) => [{ index, code: 'UPSTREAM_STATUS', status: 500 }]
  t.match(sources.maybe, { state: 'fallback', code: 'UPSTREAM_STATUS', calls: 2, ok: 1, failed: failed(1) })
  t.match(sources.none, { state: 'fallback', code: 'UPSTREAM_STATUS', calls: 1, ok: 0, failed: failed(0) })

  const failing = base
    .required('sure', async ({ ask }) => Promise.all([ask(call('a')), ask(call('bad'))]))
    .reply(Any, () => 1)
  const problem = await problemOf(fanOut(failing, {}, { runtime: answering() }))
  t.match(problem, { code: 'UPSTREAM_STATUS', statusCode: 502, detail: /^Step 'sure'/ })
  t.match(problem.sources['sure'], { state: 'failed', calls: 2, ok: 1, failed: failed(1) })
})

test('a list that fails after asked calls is counted with them', async t => {
  const described = base
    .each('all', async ({ ask }) => (await ask(call('a')), [call('bad'), call('b')]))
    .reply(Any, () => 1)
  const problem = await problemOf(fanOut(described, {}, { runtime: answering() }))
  t.match(problem.sources['all'], {
    state: 'failed',
    calls: 3,
    ok: 1,
    failed: [{ index: 1, code: 'UPSTREAM_STATUS', status: 500 }],
  })
})

test('minSuccess and count are numbers of listed calls', async t => {
  const described = base
    .each('all', async ({ ask }) => (await ask(call('a')), [call('bad'), call('b')]), { minSuccess: 1, fallback: null })
    .firstOf('two', async ({ ask }) => (await ask(call('a')), [call('b'), call('c')]), { count: 2 })
    .reply(Any, ({ all, two }) => [all, two])
  const { data, sources } = await fanOut(described, {}, { runtime: answering() })
  t.same(data, [
    [null, 'b'],
    ['b', 'c'],
  ])
  t.match(sources.all, { state: 'partial', calls: 3, ok: 2, failed: [{ index: 1 }] })
  t.match(sources.two, { state: 'ok', calls: 3, ok: 3 })
})

test('a call that a step returns after asked calls is counted with them', async t => {
  const described = (last: string) =>
    base.required('sure', async ({ ask }) => (await ask(call('a')), call(last))).reply(Any, ({ sure }) => sure)
  const { data, sources } = await fanOut(described('b'), {}, { runtime: answering() })
  t.equal(data, 'b')
  t.match(sources.sure, { state: 'ok', calls: 2, ok: 2, failed: [] })
  t.match((await problemOf(fanOut(described('bad'), {}, { runtime: answering() }))).sources['sure'], {
    state: 'failed',
    calls: 2,
    ok: 1,
    failed: [{ index: 1 }],
  })
})

test('a step that skips after an asked call is skipped, and the call is counted', async t => {
  const described = base
    .optional('maybe', async ({ ask }) => (await ask(call('a')), skip), { fallback: null })
    .each('list', async ({ ask }) => (await ask(call('a')), skip))
    .reply(Any, ({ maybe, list }) => [maybe, list])
  const { data, complete, sources } = await fanOut(described, {}, { runtime: answering() })
  t.same([data, complete], [[null, []], true])
  for (const outcome of Object.values(sources)) t.match(outcome, { state: 'skipped', calls: 1, ok: 1, failed: [] })
})

test('an aggregate that refuses by what it asked has the outcome of the call', async t => {
  const described = base
    .required('order', async ({ ask }) => {
      const order = await ask(call('order'))
      return order === 'none' ? 0 : refuse(404, 'There is no such order.')
    })
    .reply(Any, () => 1)
  const problem = await problemOf(fanOut(described, {}, { runtime: answering() }))
  t.match(problem, { code: 'REFUSED', statusCode: 404 })
  t.match(problem.sources['order'], { state: 'failed', code: 'REFUSED', calls: undefined })
})

test('an asked answer is not frozen, and the value of an optional step is', async t => {
  const runtime = answeringRuntime(() => ({ items: ['a'] }))
  const seen: boolean[] = []
  const described = base
    .optional(
      'maybe',
      async ({ ask }) => {
        const answer = (await ask(call('a'))) as { items: string[] }
        seen.push(Object.isFrozen(answer))
        answer.items.push('b')
        return answer
      },
      { fallback: null },
    )
    .reply(Any, ({ maybe }) => (seen.push(Object.isFrozen(maybe)), maybe))
  t.same((await fanOut(described, {}, { runtime })).data, { items: ['a', 'b'] })
  t.same(seen, [false, true])
})

test('ask refuses a value that is not a call', async t => {
  const described = base
    .required('sure', async ({ ask }) => ask((await call('a')) as never))
    .reply(Any, ({ sure }) => sure)
  t.same((await fanOut(described, {}, { runtime: answering() })).data, 'a', 'an awaited call is the call')
  const wrong = base.required('sure', ({ ask }) => ask('a' as never)).reply(Any, () => 1)
  t.match(await problemOf(fanOut(wrong, {}, { runtime: answering() })), {
    code: 'INTERNAL',
    cause: { message: 'ask takes a call: ask(upstream.operation(input))' },
  })
})

test('a merge and onReply() have no ask', async t => {
  const described = base
    .reply(Any, args => 'ask' in args && (args as { readonly ask?: unknown }).ask !== undefined)
    .onReply(args => ({ headers: { 'x-ask': typeof (args as { readonly ask?: unknown }).ask } }))
  t.match(await fanOut(described, {}, { runtime: heldRuntime() }), { data: false, headers: { 'x-ask': 'undefined' } })
})

test('a step that is shed asks nothing', async t => {
  const runtime = answering()
  const described = base
    .optional('maybe', ({ ask }) => ask(call('a')), { fallback: null })
    .reply(Any, ({ maybe }) => maybe)
  const { sources } = await fanOut(described, {}, { runtime, shedOptional: true })
  t.match(sources.maybe, { state: 'fallback', code: 'SHED', calls: undefined })
  t.same(runtime.asked, [])
})

test('a step asks in the same turn in which it starts', t => {
  const runtime = heldRuntime()
  const described = base.required('sure', ({ ask }) => ask(call('a'))).reply(Any, () => 1)
  const { run } = watched(described, { runtime })
  t.same(
    runtime.calls.map(({ path }) => path),
    ['/a'],
  )
  run.cancel(new Error('enough seen'))
  t.end()
})

test('the signal of a step does not change when the step asks', async t => {
  const signals: AbortSignal[] = []
  const described = base
    .required('sure', async args => {
      signals.push(args.signal)
      await args.ask(call('a'))
      signals.push(args.signal)
      return 1
    })
    .reply(Any, () => 1)
  await fanOut(described, {}, { runtime: answering() })
  await turn()
  t.ok(signals[0] === signals[1] && signals[0]?.aborted)
})
