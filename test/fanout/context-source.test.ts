import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, refuse, times, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import type { Outcome } from '../../src/fanout/outcome.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { cachingUpstream } from '../helpers/caching-upstream.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const open = (deadline = 10_000) => aggregate('guarded', { url: '/guarded', deadline })
const lost = () => new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 500 })

/** An outcome without its duration, which differs from run to run. */
function timeless(outcome: Outcome | undefined): object {
  const { ms, ...rest } = outcome as Outcome
  if (!(ms >= 0)) throw new Error(`ms is ${ms}`)
  return rest
}

test('a context() that asks a call is the first source, with the fields of a required step', async t => {
  const { runtime, ask } = await cachingUpstream(t, 'identity')
  for (const described of [
    open()
      .context(() => ask({ id: 'me' }))
      .required('one', () => ask({ id: 'one' }))
      .reply(Any, ({ context }) => context),
    open()
      .context(async ({ ask: answerOf }) => ({ user: await answerOf(ask({ id: 'me' })) }))
      .required('one', () => ask({ id: 'one' }))
      .reply(Any, ({ context }) => context.user),
  ]) {
    const { data, complete, sources } = await fanOut(described, {}, { runtime })
    t.same([data, complete], ['/me', true])
    t.same(Object.keys(sources), ['context', 'one'])
    t.strictSame(timeless(sources.context), { state: 'ok', start: 0, attempts: 1, status: 200 })
    t.ok((sources.one.start as number) >= (sources.context?.ms as number), 'the steps start when it has ended')
  }
})

test('a context() without calls that succeeds is not a source', async t => {
  const { runtime, ask } = await cachingUpstream(t, 'identity')
  const described = open()
    .context(async () => ({ user: 'ada' }))
    .required('one', () => ask({ id: 'one' }))
    .reply(Any, ({ context }) => context)
  const { reply, events } = watched(described, { runtime })
  const { complete, sources } = await reply
  t.same([complete, Object.keys(sources)], [true, ['one']])
  t.ok(events.every(event => !('step' in event) || event.step === 0))
  const { sources: none } = await fanOut(
    open()
      .context(() => 1)
      .reply(Any, () => 1),
    {},
    { runtime },
  )
  t.strictSame(none, {})
})

test('a context() whose call fails is the failed source of the problem, and the steps are cancelled', async t => {
  const { runtime, ask } = await cachingUpstream(t, 'identity')
  for (const described of [
    open()
      .context(() => ask({ id: 500 }))
      .required('one', () => 1)
      .reply(Any, () => 1),
    open()
      .context(({ ask: answerOf }) => answerOf(ask({ id: 500 })))
      .required('one', () => 1)
      .reply(Any, () => 1),
  ]) {
    const problem = await problemOf(fanOut(described, {}, { runtime }))
    t.match(problem, {
      code: 'UPSTREAM_STATUS',
      statusCode: 502,
      detail: /^Step 'context': identity answered with an unexpected status/,
    })
    t.same(Object.keys(problem.sources), ['context', 'one'])
    t.strictSame(timeless(problem.sources['context']), {
      state: 'failed',
      start: 0,
      attempts: 1,
      status: 500,
      code: 'UPSTREAM_STATUS',
    })
    t.strictSame(problem.sources['one'], { state: 'cancelled', ms: 0, attempts: 0 })
  }
})

test('a context() that fails without a call is a failed source too: it refuses, has a bug, or cannot make its call', async t => {
  for (const [code, context] of [
    ['REFUSED', () => refuse(401, 'Say who you are.')],
    ['REFUSED', async () => refuse(401, 'Say who you are.')],
    [
      'INTERNAL',
      () => {
        throw new TypeError('hunter2')
      },
    ],
    ['CALL_INPUT_INVALID', () => oracle.ask({ id: '' })],
  ] as const) {
    const { reply, events } = watched(
      open()
        .context(context as () => unknown)
        .required('one', () => 1)
        .reply(Any, () => 1),
      { runtime: heldRuntime() },
    )
    const { sources } = await problemOf(reply)
    t.same(Object.keys(sources), ['context', 'one'])
    t.strictSame(timeless(sources['context']), { state: 'failed', start: 0, attempts: 0, code })
    t.match(events, [
      { type: 'run started', at: 0 },
      { type: 'step started', at: 0, step: -1 },
      { type: 'step ended', step: -1, state: 'failed', code, tally: undefined },
      { type: 'run ended', code },
    ])
    t.equal(events.length, 4)
  }
})

test('a context() that refuses by what an upstream said has the status of that answer', async t => {
  const { runtime, ask } = await cachingUpstream(t, 'identity')
  const described = open()
    .context(async ({ ask: answerOf }) => {
      await answerOf(ask({ id: 'me' }))
      refuse(403, 'Not you.')
    })
    .reply(Any, () => 1)
  const { sources } = await problemOf(fanOut(described, {}, { runtime }))
  t.strictSame(timeless(sources['context']), {
    state: 'failed',
    start: 0,
    attempts: 1,
    status: 200,
    code: 'REFUSED',
  })
})

test('several calls of a context() are counted as those of an each', async t => {
  const { runtime, ask } = await cachingUpstream(t, 'identity')
  const described = (ids: readonly (string | number)[]) =>
    open()
      .context(({ ask: answerOf }) => Promise.all(ids.map(id => answerOf(ask({ id })))))
      .required('one', () => 1)
      .reply(Any, ({ context }) => context)
  const whole = await fanOut(described(['a', 'b', 'c']), {}, { runtime })
  t.same(whole.data, ['/a', '/b', '/c'])
  t.strictSame(timeless(whole.sources.context), { state: 'ok', start: 0, attempts: 3, calls: 3, ok: 3, failed: [] })

  const { sources } = await problemOf(fanOut(described([500, 404]), {}, { runtime }))
  t.match(sources['context'], { state: 'failed', start: 0, calls: 2, ok: 0, code: /^UPSTREAM_STATUS$/ })
  t.equal(sources['context']?.status, undefined, 'which of the two would it be')
})

test('a call that is returned after others were awaited is counted with them', async t => {
  const { runtime, ask } = await cachingUpstream(t, 'identity')
  const described = (id: string | number) =>
    open()
      .context(async ({ ask: answerOf }) => {
        await answerOf(ask({ id: 'a' }))
        return ask({ id })
      })
      .reply(Any, ({ context }) => context)
  const { data, sources } = await fanOut(described('b'), {}, { runtime })
  t.equal(data, '/b')
  t.strictSame(timeless(sources.context), { state: 'ok', start: 0, attempts: 2, calls: 2, ok: 2, failed: [] })
  t.strictSame(timeless((await problemOf(fanOut(described(500), {}, { runtime }))).sources['context']), {
    state: 'failed',
    start: 0,
    attempts: 2,
    calls: 2,
    ok: 1,
    failed: [{ index: 1, code: 'UPSTREAM_STATUS', status: 500 }],
    code: 'UPSTREAM_STATUS',
  })
})

test('a failed call that context() catches is counted, and the source is ok as that of a step that has a value', async t => {
  const { runtime, ask } = await cachingUpstream(t, 'identity')
  const described = (ids: readonly (string | number)[]) =>
    open()
      .context(async ({ ask: answerOf }) => {
        for (const id of ids) {
          const user = await answerOf(ask({ id })).catch(() => undefined)
          if (user !== undefined) return user
        }
        return 'nobody'
      })
      .required('one', () => 1)
      .reply(Any, ({ context }) => context)
  const alone = await fanOut(described([500]), {}, { runtime })
  t.same([alone.data, alone.complete], ['nobody', true])
  t.strictSame(timeless(alone.sources.context), {
    state: 'ok',
    start: 0,
    attempts: 1,
    calls: 1,
    ok: 0,
    failed: [{ index: 0, code: 'UPSTREAM_STATUS', status: 500 }],
  })
  const second = await fanOut(described([404, 'b']), {}, { runtime })
  t.same([second.data, second.complete], ['/b', true])
  t.strictSame(timeless(second.sources.context), {
    state: 'ok',
    start: 0,
    attempts: 2,
    calls: 2,
    ok: 1,
    failed: [{ index: 0, code: 'UPSTREAM_STATUS', status: 404 }],
  })
})

test('a caught failure that is not an upstream failure has the code of its problem, or INTERNAL', async t => {
  const runtime = answeringRuntime(path => (path === '/refused' ? refuse(403, 'Not you.') : JSON.parse('nothing')))
  const described = open()
    .context(({ ask }) => Promise.allSettled(['refused', 'bug'].map(id => ask(oracle.ask({ id })))).then(() => 1))
    .reply(Any, () => 1)
  t.match((await fanOut(described, {}, { runtime })).sources.context, {
    state: 'ok',
    failed: [
      { index: 0, code: 'REFUSED' },
      { index: 1, code: 'INTERNAL' },
    ],
  })
})

test('an answer of the cache is a source: fresh it is ok, and one that stands for a failure is stale', async t => {
  const { runtime, kept, fail } = await cachingUpstream(t, 'identity')
  const one = open()
    .context(() => kept({ id: 'me' }))
    .required('one', () => 1)
    .reply(Any, ({ context }) => context)
  const old = open()
    .context(() => kept({ id: 'old' }))
    .required('one', () => 1)
    .reply(Any, ({ context }) => context)
  const several = open()
    .context(({ ask }) => Promise.all([ask(kept({ id: 'me' })), ask(kept({ id: 'old' }))]))
    .reply(Any, ({ context }) => context)
  for (const described of [one, old]) await fanOut(described, {}, { runtime })
  fail()
  const hit = await fanOut(one, {}, { runtime })
  t.equal(hit.complete, true)
  t.match(hit.sources.context, { state: 'ok', attempts: 0, cache: 'hit', age: Number, ttl: Number })
  const stale = await fanOut(old, {}, { runtime })
  t.same([stale.data, stale.complete], ['/old', false])
  t.match(stale.sources.context, { state: 'stale', status: 503, cache: 'stale', code: 'UPSTREAM_BUSY' })
  const both = await fanOut(several, {}, { runtime })
  t.equal(both.complete, false)
  t.match(both.sources.context, { state: 'stale', calls: 2, ok: 2, failed: [], cache: 'stale' })
  t.equal(both.sources.context?.code, undefined)
})

test('a kept answer that comes after the end of context() makes its source stale and the reply incomplete', async t => {
  const { runtime, kept, fail } = await cachingUpstream(t, 'identity')
  const old = () => kept({ id: 'old' })
  const passedOn = () => open().context(({ ask }) => ({ load: () => ask(old()) }))
  const variants: readonly AnyAggregate[] = [
    passedOn()
      .required('one', ({ context }) => context.load())
      .reply(Any, ({ one }) => one),
    passedOn()
      .required('one', async ({ context }) => (await Promise.all([context.load(), context.load()]))[0])
      .reply(Any, ({ one }) => one),
    passedOn().reply(Any, ({ context }) => context.load()),
    passedOn()
      .reply(Any, () => '/old')
      .onReply(async ({ context }) => ({ headers: { 'x-old': String(await context.load()) } })),
    open()
      .context(({ ask }) => ({ loaded: ask(old()) }))
      .required('one', ({ context }) => context.loaded)
      .reply(Any, ({ one }) => one),
  ]
  for (const described of variants) t.equal((await watched(described, { runtime }).reply).complete, true)
  fail()
  for (const described of variants) {
    const { data, complete, sources } = await watched(described, { runtime }).reply
    t.same([data, complete], ['/old', false])
    t.match(sources.context, { state: 'stale', cache: 'stale', age: Number })
  }
  const { sources } = await watched(variants[0] as AnyAggregate, { runtime }).reply
  t.match(sources.context, { state: 'stale', status: 503, code: 'UPSTREAM_BUSY' })
})

test('a context() of several calls has no code when a later kept answer makes it stale', async t => {
  const { runtime, kept, fail } = await cachingUpstream(t, 'identity')
  const described = open()
    .context(async ({ ask }) => {
      await Promise.all([ask(kept({ id: 'me' })), ask(kept({ id: 'me' }))])
      return { load: () => ask(kept({ id: 'old' })) }
    })
    .required('one', ({ context }) => context.load())
    .reply(Any, ({ one }) => one)
  await fanOut(described, {}, { runtime })
  fail()
  const { complete, sources } = await fanOut(described, {}, { runtime })
  t.equal(complete, false)
  t.match(sources.context, { state: 'stale', calls: 2, ok: 2, code: undefined })
})

test('a fresh kept answer that comes after the end of context() leaves its source ok', async t => {
  const { runtime, kept } = await cachingUpstream(t, 'identity')
  const described = open()
    .context(({ ask }) => ({ load: () => ask(kept({ id: 'me' })) }))
    .required('one', ({ context }) => context.load())
    .reply(Any, ({ one }) => one)
  await fanOut(described, {}, { runtime })
  const { complete, sources } = await fanOut(described, {}, { runtime })
  t.equal(complete, true)
  t.match(sources.context, { state: 'ok', cache: 'hit', code: undefined })
})

test('a context() that fails after a kept answer is failed, not stale', async t => {
  const { runtime, kept, fail } = await cachingUpstream(t, 'identity')
  const described = open()
    .context(async ({ ask }) => {
      await ask(kept({ id: 'old' }))
      return refuse(403, 'Not you.')
    })
    .reply(Any, () => 1)
  await problemOf(fanOut(described, {}, { runtime }))
  fail()
  t.match((await problemOf(fanOut(described, {}, { runtime }))).sources, {
    context: { state: 'failed', code: 'REFUSED' },
  })
})

test('the events of a context() are those of a step of index -1, before those of every step', async t => {
  const { runtime, ask } = await cachingUpstream(t, 'identity')
  const described = open()
    .context(({ ask: answerOf }) => Promise.all([answerOf(ask({ id: 'a' })), answerOf(ask({ id: 'b' }))]))
    .required('one', () => 1)
    .reply(Any, () => 1)
  const { reply, events } = watched(described, { runtime })
  await reply
  const count = (type: RunEvent['type'], call: number) =>
    events.filter(event => event.type === type && 'call' in event && event.step === -1 && event.call === call).length
  t.match(events.slice(0, 2), [
    { type: 'run started', at: 0 },
    { type: 'step started', at: 0, step: -1, stepName: 'context' },
  ])
  for (const type of ['attempt started', 'attempt ended', 'call ended'] as const)
    t.same([count(type, 0), count(type, 1)], [1, 1], type)
  t.match(events.slice(8), [
    { type: 'step ended', step: -1, state: 'ok', code: undefined, tally: { calls: 2, ok: 2, failed: [] } },
    { type: 'step started', step: 0 },
    { type: 'step ended', step: 0 },
    { type: 'run ended', code: undefined },
  ])
  t.equal(events.length, 12)
  t.ok(events.every(({ at }, index) => at >= (events[index - 1]?.at ?? 0)))
})

test('a deadline that passes in context() is its failure', async t => {
  for (const [name, deaf, context] of [
    ['it thinks', false, () => new Promise<never>(() => {})],
    ['its call is cut', false, () => oracle.ask({ id: 1 })],
    ['its call does not end when it is cut', true, () => oracle.ask({ id: 1 })],
  ] as const) {
    const described = open(30)
      .context(context as () => unknown)
      .optional('one', () => 1, { fallback: null })
      .reply(Any, () => 1)
    const { sources } = await problemOf(watched(described, { runtime: heldRuntime({ deaf: () => deaf }) }).reply)
    t.match(sources, { context: { state: 'failed', code: 'DEADLINE_EXCEEDED' }, one: { state: 'cancelled' } }, name)
    t.ok((sources['context']?.ms as number) >= 25, name)
  }
})

test('the calls that the deadline cuts are counted as failed, deaf ones too', async t => {
  const runtime = heldRuntime({ deaf: path => path === '/deaf' })
  const described = open(30)
    .context(async ({ ask }) => {
      for (const id of ['a', 'b']) ask(oracle.ask({ id })).catch(() => {})
      await ask(oracle.ask({ id: 'c' }))
      return oracle.ask({ id: 'deaf' })
    })
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  runtime.at('/b').answer('b')
  runtime.at('/c').answer('c')
  await runtime.arrived('/deaf')
  t.match((await problemOf(reply)).sources['context'], {
    state: 'failed',
    code: 'DEADLINE_EXCEEDED',
    calls: 4,
    ok: 2,
    failed: [
      { index: 0, code: 'DEADLINE_EXCEEDED' },
      { index: 3, code: 'DEADLINE_EXCEEDED' },
    ],
  })
})

test('a caller that goes cancels the source of a context() that has asked, and there is none of one that has not', async t => {
  const runtime = heldRuntime()
  const gone = new Error('gone')
  const asking = watched(
    open()
      .context(() => oracle.ask({ id: 1 }))
      .required('one', () => 1)
      .reply(Any, () => 1),
    { runtime },
  )
  asking.run.cancel(gone)
  await t.rejects(asking.reply, gone)
  t.match(asking.events, [
    { type: 'run started' },
    { type: 'step started', step: -1 },
    { type: 'step ended', step: -1, state: 'cancelled', code: undefined, tally: undefined },
    { type: 'run ended', code: 'CANCELLED' },
  ])
  t.equal(asking.events.length, 4)

  const thinking = watched(
    open()
      .context(() => new Promise<never>(() => {}))
      .reply(Any, () => 1),
    { runtime },
  )
  thinking.run.cancel(gone)
  await t.rejects(thinking.reply, gone)
  t.match(thinking.events, [{ type: 'run started' }, { type: 'run ended', code: 'CANCELLED' }])
  t.equal(thinking.events.length, 2)
})

test('a run that fails in its first event of context() has the source as cancelled, and nothing is sent', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(
    open()
      .context(() => oracle.ask({ id: 1 }))
      .reply(Any, () => 1),
    {
      runtime,
      onEvent: event => {
        if (event.type === 'step started') throw new Error('a bug of the listener')
      },
    },
  )
  const problem = await problemOf(reply)
  t.equal(problem.code, 'INTERNAL')
  t.match(problem.sources, { context: { state: 'cancelled', attempts: 0 } })
  t.equal(runtime.calls.length, 0)
})

test('a run that a listener cancels when context() ends starts no step', async t => {
  const runtime = answeringRuntime(() => 1)
  const { reply } = watched(
    open()
      .context(() => oracle.ask({ id: 1 }))
      .required('one', () => t.fail('it was asked'))
      .reply(Any, () => 1),
    {
      runtime,
      onEvent: event => {
        if (event.type === 'step ended') throw new Error('a bug of the listener')
      },
    },
  )
  t.match(await problemOf(reply), {
    code: 'INTERNAL',
    sources: { context: { state: 'ok' }, one: { state: 'cancelled' } },
  })
})

test('a call that context() does not wait for is counted, and its later end changes no state', async t => {
  const runtime = heldRuntime()
  const described = open()
    .context(({ ask }) => {
      for (const id of ['a', 'b']) ask(oracle.ask({ id })).catch(() => {})
      return 1
    })
    .required('one', () => oracle.ask({ id: 'one' }))
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  runtime.at('/a').fail(lost())
  await turn()
  runtime.at('/one').answer(1)
  const { complete, sources } = await reply
  t.equal(complete, true)
  t.strictSame(timeless(sources['context']), { state: 'ok', start: 0, attempts: 0, calls: 2, ok: 0, failed: [] })
})

test('a call that is asked only after context() has ended is reported then', async t => {
  const runtime = heldRuntime()
  let asking: Promise<unknown> | undefined
  const described = open()
    .context(({ ask }) => ({ later: () => ask(oracle.ask({ id: 'later' })) }))
    .required('one', ({ context }) => {
      asking = context.later()
      void context.later()
      return oracle.ask({ id: 'one' })
    })
    .reply(Any, () => 1)
  const { reply, events } = watched(described, { runtime })
  runtime.at('/later').answer('well')
  t.equal(await asking, 'well')
  runtime.at('/one').answer(1)
  const { complete, sources } = await reply
  t.equal(complete, true)
  t.same(Object.keys(sources), ['context', 'one'])
  t.match(sources['context'], { state: 'ok', ms: 0 })
  t.match(events, [
    { type: 'run started' },
    { type: 'step started', step: 0 },
    { type: 'step started', step: -1 },
    { type: 'step ended', step: -1, state: 'ok' },
    { type: 'step ended', step: 0 },
    { type: 'run ended' },
  ])
  t.equal(events.length, 6)
})

test('a step may not have a name that differs from context by case only', async t => {
  const message =
    "aggregate 'guarded', step 'Context': its name differs from that of the source 'context' by case only, and " +
    'headwaters-sources has names in lower case: rename the step'
  t.throws(
    () =>
      open()
        .context(() => 1)
        .required('Context', () => 1),
    { name: 'TypeError', message },
  )
  t.doesNotThrow(() => open().required('Context', () => 1), 'without context() there is no such source')
})

test('two runs share no context', async t => {
  const runtime = answeringRuntime(path => path)
  const described = open()
    .context(({ ask }) => Promise.all(times(3, id => ask(oracle.ask({ id })))))
    .reply(Any, ({ context }) => context)
  const [one, two] = await Promise.all(times(2, () => fanOut(described, {}, { runtime })))
  for (const reply of [one, two]) t.match(reply?.sources.context, { calls: 3, ok: 3 })
})

test('a call that is asked after the run has failed is not sent, and not reported', async t => {
  const runtime = heldRuntime()
  let later: () => void = () => {}
  const described = open()
    .context(({ ask }) => ({
      later: () => {
        ask(oracle.ask({ id: 'later' })).catch(() => {})
      },
    }))
    .required('unsafe', ({ context }) => {
      later = context.later
      return oracle.tell({ id: 'unsafe' })
    })
    .required('bad', () => oracle.ask({ id: 'bad' }))
    .reply(Any, () => 1)
  const { reply, events } = watched(described, { runtime })
  runtime.at('/bad').fail(lost())
  await turn()
  later()
  runtime.at('/unsafe').answer(1)
  t.same(Object.keys((await problemOf(reply)).sources), ['unsafe', 'bad'])
  t.ok(events.every(event => !('step' in event) || event.step >= 0))
  t.equal(runtime.calls.length, 2)
})
