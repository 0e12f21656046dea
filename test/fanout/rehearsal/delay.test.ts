import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import type { Outcome } from '../../../src/fanout/outcome.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../../src/upstream/runtime.ts'
import { answeringRuntime } from '../../helpers/answering-runtime.ts'
import { heldRuntime } from '../../helpers/held-runtime.ts'
import { httpUpstream, type Asked } from '../../helpers/http-upstream.ts'
import { oracle, oracleAt } from '../../helpers/oracle.ts'
import { problemOf } from '../../helpers/problem-of.ts'
import { rehearsed, timeless } from '../../helpers/rehearsed.ts'
import { turn } from '../../helpers/turn.ts'
import { until } from '../../helpers/until.ts'

const Any = z.unknown()
const base = aggregate('held', { url: '/held', deadline: 20_000 })

async function open(t: Test, handle?: (asked: Asked) => void, options: RuntimeOptions = {}) {
  const upstream = await httpUpstream(t, handle)
  const runtime = createRuntime(options)
  t.teardown(() => runtime.close())
  return { upstream, runtime, ...oracleAt(upstream.origin) }
}

/** The end of a step, as a caller sees it. */
async function endOf(started: ReturnType<typeof rehearsed>) {
  const { sources, data } = await started.reply
  const step = sources['step'] as Outcome
  return { data, ms: step.ms, outcome: timeless(step) }
}

test('a delayed call is sent at once, and its answer arrives after the delay', async t => {
  const { upstream, runtime, ask } = await open(t)
  const one = base.required('step', () => ask({ id: 'a' })).reply(Any, ({ step }) => step)
  const started = rehearsed(one, 'step=delay:80', { runtime })
  const asked = await upstream.arrived('GET /a')
  asked.json('value')
  const { data, ms, outcome } = await endOf(started)
  t.equal(data, 'value')
  t.same(outcome, { state: 'ok', attempts: 1, status: 200, fault: 'delay:80' })
  t.ok(ms >= 78, `${ms} ms`)
  const { oracle: stats } = runtime.stats()
  t.match(stats, { calls: 1, ok: 1, failed: 0 })
})

test('the events of a delayed call have the true end of its attempt and the held end of the call', async t => {
  const { runtime, ask } = await open(t, ({ json }) => json('value'))
  const one = base.required('step', () => ask({ id: 'a' })).reply(Any, ({ step }) => step)
  const { reply, events } = rehearsed(one, 'step=delay:60', { runtime })
  await reply
  t.same(
    events.map(({ type }) => type),
    ['run started', 'step started', 'attempt started', 'attempt ended', 'call ended', 'step ended', 'run ended'],
  )
  const at = (type: string) => events.find(event => event.type === type)?.at ?? NaN
  t.ok(at('call ended') - at('attempt ended') >= 58, 'the call ends with the hold')
  t.match(
    events.find(({ type }) => type === 'call ended'),
    { status: 200, code: undefined, attempts: 1, fault: 'delay:60' },
  )
})

test('a delayed answer does not reach hedge statistics', async t => {
  let isSlow = false
  const { origin } = await httpUpstream(t, ({ request, json }) => {
    if (!isSlow || seen.push(performance.now()) > 1) json(request.url)
  })
  const seen: number[] = []
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = defineUpstream(
    'hedged',
    { origin, attemptTimeout: 5000, hedge: { percentile: 50, maxRatio: 1 } },
    { ask: operation({ path: '/', output: Any }) },
  )
  const one = base.required('step', () => ask()).reply(Any, ({ step }) => step)
  await Promise.all(Array.from({ length: 200 }, () => rehearsed(one, 'step=delay:1500', { runtime }).reply))
  isSlow = true
  await rehearsed(one, '', { runtime }).reply
  const [first = 0, second = Infinity] = seen
  t.ok(second - first < 1400, `the second attempt came after ${second - first} ms`)
})

test('a caller that shares a delayed call gets its answer in time', async t => {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = defineUpstream(
    'shared',
    { origin: upstream.origin },
    { ask: operation({ path: '/', output: Any, coalesce: true }) },
  )
  const one = base.required('step', () => ask()).reply(Any, ({ step }) => step)
  const late = rehearsed(one, 'step=delay:60000', { runtime })
  const other = rehearsed(one, '', { runtime })
  const asked = await upstream.arrived('GET /')
  asked.json('shared')
  t.same((await endOf(other)).outcome, { state: 'ok', attempts: 0, status: 200 })
  t.equal(upstream.log.length, 1)
  late.run.cancel(new Error('enough'))
  await t.rejects(late.reply, { message: 'enough' })
})

test('a delay beyond attemptTimeout is a timeout of this run only', async t => {
  const { runtime, ask } = await open(t, ({ json }) => json('value'), {
    overrides: { oracle: { attemptTimeout: 120 } },
  })
  const one = base.optional('step', () => ask({ id: 'a' }), { fallback: 'none' }).reply(Any, ({ step }) => step)
  const { data, ms, outcome } = await endOf(rehearsed(one, 'step=delay:30000', { runtime }))
  t.equal(data, 'none')
  t.same(outcome, { state: 'fallback', attempts: 1, code: 'UPSTREAM_TIMEOUT', fault: 'delay:30000' })
  t.ok(ms >= 118 && ms < 900, `${ms} ms`)
  t.match(runtime.stats()['oracle'], { ok: 1, failed: 0, breaker: 'closed' })
  t.same((await endOf(rehearsed(one, '', { runtime }))).outcome, { state: 'ok', attempts: 1, status: 200 })
})

test('a delay after several attempts is compared with attemptTimeout alone', async t => {
  let times = 0
  const { origin } = await httpUpstream(t, ({ json }) => json('value', ++times === 1 ? 503 : 200))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = defineUpstream(
    'twice',
    { origin, attemptTimeout: 5000, retry: { maxAttempts: 2 } },
    { ask: operation({ path: '/', output: Any }) },
  )
  const one = base.required('step', () => ask()).reply(Any, ({ step }) => step)
  t.same((await endOf(rehearsed(one, 'step=delay:1', { runtime }))).outcome, {
    state: 'ok',
    attempts: 2,
    status: 200,
    fault: 'delay:1',
  })
})

test('an abort ends the hold and leaves no timer', async t => {
  const { upstream, runtime, ask } = await open(t)
  const one = base.required('step', () => ask({ id: 'a' })).reply(Any, ({ step }) => step)
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const { run, reply, events } = rehearsed(one, 'step=delay:60000', { runtime, deadline: 15_000 })
  const asked = await upstream.arrived('GET /a')
  asked.json('value')
  await asked.closed
  await until(() => run.abort.size === 1 && events.at(-1)?.type === 'attempt ended')
  const whileHeld = timers()
  run.cancel(new Error('gone'))
  await t.rejects(reply, { message: 'gone' })
  t.equal(run.abort.size, 0)
  t.ok(timers() <= whileHeld - 2, 'the timers of the hold and of the deadline are cleared')
  t.match(
    events.filter(({ type }) => type === 'call ended'),
    [{ code: 'CANCELLED', status: undefined, fault: 'delay:60000' }],
  )
})

test('the timeout of a step and the deadline of the run end the hold', async t => {
  const { runtime, ask } = await open(t, ({ json }) => json('value'))
  const timed = base
    .optional('step', () => ask({ id: 'a' }), { fallback: null, timeout: 100 })
    .reply(Any, ({ step }) => step)
  t.same((await endOf(rehearsed(timed, 'step=delay:60000', { runtime }))).outcome, {
    state: 'fallback',
    attempts: 1,
    code: 'STEP_TIMEOUT',
    fault: 'delay:60000',
  })
  const one = base.optional('step', () => ask({ id: 'a' }), { fallback: null }).reply(Any, ({ step }) => step)
  t.same((await endOf(rehearsed(one, 'step=delay:60000', { runtime, deadline: 100 }))).outcome, {
    state: 'fallback',
    attempts: 1,
    code: 'DEADLINE_EXCEEDED',
    fault: 'delay:60000',
  })
})

test('a failing run waits for a delayed unsafe call, which was sent', async t => {
  const { upstream, runtime, ask, tell } = await open(t, ({ request, json }) => {
    if (request.method === 'POST') json('told')
  })
  const two = base
    .required('step', () => tell({ id: 'post' }))
    .required('bad', () => ask({ id: 'bad' }))
    .reply(Any, () => 1)
  const { reply, events } = rehearsed(two, 'step=delay:150', { runtime })
  const bad = await upstream.arrived('GET /bad')
  await until(() => events.some(({ type }) => type === 'attempt ended'))
  bad.json({}, 500)
  const { code, sources } = await problemOf(reply)
  t.equal(code, 'UPSTREAM_STATUS')
  t.match(sources, { step: { state: 'ok', fault: 'delay:150' }, bad: { state: 'failed' } })
})

test('the outcome of a delayed unsafe call is unknown if the deadline passes', async t => {
  const { runtime, tell } = await open(t, ({ json }) => json('told'))
  const one = base.required('step', () => tell({ id: 'post' })).reply(Any, ({ step }) => step)
  const { code, sources } = await problemOf(rehearsed(one, 'step=delay:60000', { runtime, deadline: 100 }).reply)
  t.equal(code, 'OUTCOME_UNKNOWN')
  t.match(sources, { step: { state: 'failed', code: 'OUTCOME_UNKNOWN', fault: 'delay:60000' } })
})

test('the answer to an unsafe call is not held back after its run has failed', async t => {
  const runtime = heldRuntime({ deaf: path => path === '/post' })
  const two = base
    .required('step', () => oracle.tell({ id: 'post' }))
    .required('bad', (): number => {
      throw new Error('bad')
    })
    .reply(Any, () => 1)
  const { reply } = rehearsed(two, 'step=delay:60000', { runtime })
  const held = await runtime.arrived('/post')
  await turn()
  held.answer('told')
  const { sources } = await problemOf(reply)
  t.match(sources, { step: { state: 'ok' }, bad: { state: 'failed' } })
})

test('a failure of a delayed call is neither held back nor marked', async t => {
  const { runtime, ask } = await open(t, ({ json }) => json({}, 500))
  const one = base.optional('step', () => ask({ id: 'a' }), { fallback: null }).reply(Any, ({ step }) => step)
  const { outcome, ms } = await endOf(rehearsed(one, 'step=delay:60000', { runtime }))
  t.same(outcome, { state: 'fallback', attempts: 1, status: 500, code: 'UPSTREAM_STATUS' })
  t.ok(ms < 10_000, `${ms} ms`)
  await runtime.close()
  t.match(await endOf(rehearsed(one, 'step=delay:60000', { runtime })), { outcome: { code: 'RUNTIME_CLOSED' } })
})

test('an answer of a runtime without events is held back too', async t => {
  const runtime = answeringRuntime(path => path)
  const one = base.required('step', () => oracle.ask({ id: 'a' })).reply(Any, ({ step }) => step)
  const { data, ms } = await endOf(rehearsed(one, 'step=delay:30', { runtime }))
  t.equal(data, '/a')
  t.ok(ms >= 28, `${ms} ms`)
})
