import { test } from 'tap'
import type { Test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, skip, times } from '../../src/fanout/aggregate.ts'
import type { Outcome } from '../../src/fanout/outcome.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { httpUpstream, type Asked } from '../helpers/http-upstream.ts'
import { oracle, oracleAt } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const base = aggregate('told', { url: '/told', deadline: 20_000 })

async function open(t: Test, handle?: (asked: Asked) => void) {
  const upstream = await httpUpstream(t, handle)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return { upstream, runtime, ...oracleAt(upstream.origin) }
}

/** An outcome without its times, which differ from run to run. */
function timeless({ start, ms, ...rest }: Outcome): object {
  return { ...rest, started: start !== undefined && start >= 0 && ms >= 0 }
}

/** Answers `/500` with that status, and anything else with 200. */
function byPath({ request, json }: Asked): void {
  json({}, Number(/^\/(\d{3})$/.exec(request.url ?? '')?.[1] ?? 200))
}

test('a reply tells of each step, in the order of declaration', async t => {
  const { runtime, ask } = await open(t, byPath)
  const described = base
    .required('plain', () => 1)
    .optional('lost', () => ask({ id: 500 }), { fallback: null })
    .each('list', () => [ask({ id: 'a' }), ask({ id: 404 }), ask({ id: 'b' })], { minSuccess: 1, fallback: null })
    .required('one', () => ask({ id: 'one' }))
    .optional('none', (): unknown => skip, { fallback: null })
    .firstOf('race', () => [ask({ id: 'only' })])
    .reply(Any, () => 1)
  const { sources, complete } = await fanOut(described, {}, { runtime })
  t.equal(complete, false)
  t.strictSame(
    Object.entries(sources).map(([name, outcome]) => [name, timeless(outcome)]),
    [
      ['plain', { state: 'ok', attempts: 0, started: true }],
      ['lost', { state: 'fallback', attempts: 1, status: 500, code: 'UPSTREAM_STATUS', started: true }],
      [
        'list',
        {
          state: 'partial',
          attempts: 3,
          calls: 3,
          ok: 2,
          failed: [{ index: 1, code: 'UPSTREAM_STATUS', status: 404 }],
          started: true,
        },
      ],
      ['one', { state: 'ok', attempts: 1, status: 200, started: true }],
      ['none', { state: 'skipped', attempts: 0, started: true }],
      ['race', { state: 'ok', attempts: 1, calls: 1, ok: 1, failed: [], started: true }],
    ],
  )
})

test('a failing reply tells of each step too, and one that never started has no start', async t => {
  const { upstream, runtime, ask } = await open(t)
  const described = base
    .optional('slow', () => ask({ id: 'slow' }), { fallback: null })
    .required('done', () => 1)
    .required('bad', () => ask({ id: 'bad' }))
    .required('never', () => 1, { needs: ['bad'] })
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  await upstream.arrived('GET /slow')
  const bad = await upstream.arrived('GET /bad')
  bad.json({}, 503)
  const { sources } = await problemOf(reply)
  t.strictSame(Object.keys(sources), ['slow', 'done', 'bad', 'never'])
  t.match(sources['slow'], { state: 'cancelled', start: Number })
  t.strictSame(timeless(sources['done'] as Outcome), { state: 'ok', attempts: 0, started: true })
  t.strictSame(timeless(sources['bad'] as Outcome), {
    state: 'failed',
    attempts: 1,
    status: 503,
    code: 'UPSTREAM_BUSY',
    started: true,
  })
  t.strictSame(sources['never'], { state: 'cancelled', ms: 0, attempts: 0 })
})

test('a call that was sent counts as an attempt, also when its step was cancelled', async t => {
  const { upstream, runtime, ask } = await open(t)
  const described = base
    .required('slow', () => ask({ id: 'slow' }))
    .required('bad', () => ask({ id: 'bad' }))
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  const [bad] = await Promise.all([upstream.arrived('GET /bad'), upstream.arrived('GET /slow')])
  bad.json({}, 500)
  t.match((await problemOf(reply)).sources, { slow: { state: 'cancelled', attempts: 1 }, bad: { attempts: 1 } })
})

test('the losers of a firstOf count as attempts', async t => {
  const { upstream, runtime, ask } = await open(t)
  const described = base.firstOf('race', () => times(3, id => ask({ id }))).reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  const [winner] = await Promise.all(times(3, id => upstream.arrived(`GET /${id}`)))
  winner?.json('won')
  t.match((await reply).sources, { race: { state: 'ok', calls: 3, ok: 1, attempts: 3 } })
})

test('times are in ms from the start of the run, to a tenth', async t => {
  const described = base
    .optional('first', () => new Promise<unknown>(() => {}), { fallback: null, timeout: 20 })
    .required('second', () => 2, { needs: ['first'] })
    .reply(Any, () => 1)
  const { reply, events } = watched(described, { runtime: heldRuntime() })
  const { first, second } = (await reply).sources as { readonly first: Outcome; readonly second: Outcome }
  for (const value of [first.start, first.ms, second.start, second.ms]) t.equal(value, Number(value?.toFixed(1)))
  t.ok(first.ms >= 18 && first.ms < 5000, 'its timeout')
  t.ok((second.start as number) >= first.ms, 'the second starts when the first has ended')
  const started = events.find(event => event.type === 'step started' && event.step === 1)
  t.equal(second.start, Math.round((started?.at ?? 0) * 10) / 10)
})

test('events come in order, with a time that never goes back, and none comes after the end', async t => {
  const { runtime, ask } = await open(t, byPath)
  const described = base
    .required('one', () => ask({ id: 'one' }))
    .optional('two', ({ one }) => ask({ id: one === null ? 1 : 500 }), { fallback: null, needs: ['one'] })
    .reply(Any, () => 1)
  const { reply, events } = watched(described, { runtime })
  await reply
  t.match(events, [
    { type: 'run started', at: 0 },
    { type: 'step started', step: 0 },
    { type: 'attempt started', step: 0, call: 0, attempt: 1 },
    { type: 'attempt ended', step: 0, call: 0, attempt: 1, code: undefined },
    { type: 'call ended', step: 0, call: 0, attempts: 1, status: 200, code: undefined },
    { type: 'step ended', step: 0, state: 'ok', code: undefined, tally: undefined },
    { type: 'step started', step: 1 },
    { type: 'attempt started', step: 1 },
    { type: 'attempt ended', step: 1, code: 'UPSTREAM_STATUS' },
    { type: 'call ended', step: 1, status: 500, code: 'UPSTREAM_STATUS' },
    { type: 'step ended', step: 1, state: 'fallback', code: 'UPSTREAM_STATUS' },
    { type: 'run ended', code: undefined },
  ])
  t.equal(events.length, 12)
  t.ok(events.every(({ at }, index) => at >= (events[index - 1]?.at ?? 0)))
})

test('a failed run ends with its code, after the end of every step that had started', async t => {
  const runtime = heldRuntime()
  const described = base
    .required('slow', () => oracle.ask({ id: 'slow' }))
    .required('bad', () => oracle.ask({ id: 'bad' }))
    .required('never', () => 1, { needs: ['bad'] })
    .reply(Any, () => 1)
  const { reply, events } = watched(described, { runtime })
  runtime.at('/bad').fail(new UpstreamError('UPSTREAM_JSON', 'oracle'))
  await problemOf(reply)
  t.match(events.slice(3), [
    { type: 'step ended', step: 1, state: 'failed', code: 'UPSTREAM_JSON' },
    { type: 'step ended', step: 0, state: 'cancelled', code: undefined },
    { type: 'run ended', code: 'UPSTREAM_JSON' },
  ])
  t.equal(events.length, 6)
})

test('a watcher gets no event after the end of the run, though calls still end', async t => {
  const { upstream, runtime, ask } = await open(t)
  const described = base.firstOf('race', () => times(3, id => ask({ id }))).reply(Any, () => 1)
  const { reply, events } = watched(described, { runtime })
  const asked = await Promise.all(times(3, id => upstream.arrived(`GET /${id}`)))
  asked[0]?.json('won')
  await reply
  t.match(events.at(-1), { type: 'run ended' })
  await Promise.all(asked.map(({ closed }) => closed))
  await turn()
  t.match(events.at(-1), { type: 'run ended' })
  t.equal(events.filter(({ type }) => type === 'run ended').length, 1)
})

test('a run without a listener for events is the same run', async t => {
  const described = base.required('a', () => oracle.ask({ id: 'a' })).reply(Any, ({ a }) => a)
  t.match(await fanOut(described, {}, { runtime: answeringRuntime(path => path) }), {
    data: '/a',
    complete: true,
    sources: { a: { state: 'ok' } },
  })
})

test('two runs of one aggregate share nothing', async t => {
  const described = base
    .each('list', () => times(3, id => oracle.ask({ id })), { minSuccess: 0, fallback: null })
    .reply(Any, ({ list }) => list)
  const runtime = heldRuntime()
  const one = watched(described, { runtime })
  const two = watched(described, { runtime })
  for (const { answer } of runtime.calls.slice(3)) answer('two')
  t.strictSame((await two.reply).data, ['two', 'two', 'two'])
  one.run.cancel('gone')
  t.equal(await one.reply.catch((error: unknown) => error), 'gone')
  t.equal((await two.reply).complete, true)
})
