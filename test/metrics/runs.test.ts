import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate, refuse, skip } from '../../src/fanout/aggregate.ts'
import { fanOut, startRun } from '../../src/fanout/fan-out.ts'
import * as families from '../../src/metrics/families.ts'
import { createRuntime, type Runtime } from '../../src/upstream/runtime.ts'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { countsOf, sumsOf, valuesOf } from '../helpers/metric-values.ts'

async function setUp(t: Test) {
  const upstream = await scriptedUpstream()
  const runtime = createRuntime()
  t.teardown(async () => {
    await runtime.close()
    await upstream.close()
  })
  const up = defineUpstream(
    'up',
    { origin: upstream.origin, retry: false },
    {
      one: operation({ path: '/one/{id}', params: z.object({ id: z.string() }), output: z.unknown() }),
      kept: operation({
        path: '/kept',
        output: z.unknown(),
        cache: { ttl: 0, staleIfError: 60_000, staleAfter: 5000 },
      }),
    },
  )
  return { upstream, runtime, up }
}

test('each step is counted by its state and its code', async t => {
  const { upstream, runtime, up } = await setUp(t)
  upstream.answer('/kept', 1).status('/kept', 500)
  upstream.status('/one/a', 500).answer('/one/b', 2).status('/one/c', 500)
  const mixed = aggregate('mixed', { url: '/mixed' })
    .context(({ ask }) => ask(up.kept()))
    .required('plain', () => 1)
    .optional('lost', () => up.one({ id: 'a' }), { fallback: null })
    .optional('skipped', () => skip, { fallback: null })
    .each('some', () => [up.one({ id: 'b' }), up.one({ id: 'c' })], { minSuccess: 1, fallback: null })
    .reply(z.unknown(), () => 1)
  const warm = aggregate('warm', { url: '/warm' })
    .required('kept', () => up.kept())
    .reply(z.unknown(), () => 1)
  await fanOut(warm, {}, { runtime })
  await fanOut(mixed, {}, { runtime })
  t.same(valuesOf(runtime, families.steps), {
    'warm kept ok -': 1,
    'mixed context stale UPSTREAM_STATUS': 1,
    'mixed plain ok -': 1,
    'mixed lost fallback UPSTREAM_STATUS': 1,
    'mixed skipped skipped -': 1,
    'mixed some partial -': 1,
  })
  t.same(countsOf(runtime, families.stepDuration), {
    'warm kept ok': 1,
    'mixed context stale': 1,
    'mixed plain ok': 1,
    'mixed lost fallback': 1,
    'mixed skipped skipped': 1,
    'mixed some partial': 1,
  })
  t.same(valuesOf(runtime, families.runs), { 'warm complete -': 1, 'mixed complete -': 0, 'mixed partial -': 1 })
})

test('a run is counted once by its outcome, without a server', async t => {
  const { upstream, runtime, up } = await setUp(t)
  upstream.hang('/one/slow').hang('/one/beside').hang('/one/left')
  const all = aggregate('all', { url: '/all', query: z.object({ id: z.string() }), deadline: 200 })
    .required('step', ({ query: { id } }): unknown => {
      if (id === 'refused') refuse(404, 'The cat does not exist.')
      if (id === 'bug') throw new Error('a bug')
      return id === 'ok' ? 1 : up.one({ id })
    })
    .required('beside', ({ query: { id } }): unknown => (id === 'bug' ? 1 : id === 'refused' ? 2 : 3))
    .reply(z.unknown(), () => 1)
  const run = (id: string, signal?: AbortSignal) => fanOut(all, { query: { id } }, { runtime, signal })
  await run('ok')
  await t.rejects(run('refused'), { code: 'REFUSED' })
  await t.rejects(run('bug'), { code: 'INTERNAL' })
  await t.rejects(run('slow'), { code: 'DEADLINE_EXCEEDED' })
  const caller = new AbortController()
  const left = run('left', caller.signal)
  await upstream.called(2)
  caller.abort(new Error('gone'))
  await t.rejects(left, { message: 'gone' })
  await t.rejects(fanOut(all, {}, { runtime }), { code: 'INPUT_INVALID' })
  t.same(valuesOf(runtime, families.runs), {
    'all complete -': 1,
    'all failed REFUSED': 1,
    'all failed INTERNAL': 1,
    'all failed DEADLINE_EXCEEDED': 1,
    'all cancelled -': 1,
  })
  t.same(countsOf(runtime, families.runDuration), { 'all complete': 1, 'all failed': 3, 'all cancelled': 1 })
  t.same(countsOf(runtime, families.runDeadlineLeft), { all: 5 })
  const { 'all failed': failed = 0 } = sumsOf(runtime, families.runDuration)
  t.ok(failed >= 0.199 && failed < 2, `${failed} s`)
  const { all: left5 = 0 } = sumsOf(runtime, families.runDeadlineLeft)
  t.ok(left5 > 0 && left5 <= 0.8, 'an expired run has nothing left, and the others at most 0.2 s')
  t.match(valuesOf(runtime, families.steps), {
    'all step failed REFUSED': 1,
    'all step failed INTERNAL': 1,
    'all step failed DEADLINE_EXCEEDED': 1,
    'all step cancelled -': 1,
  })
  t.same(valuesOf(runtime, families.requestsRefused), {}, 'there was no request')
})

test('a step that never started is not counted, and a shed step has its code', async t => {
  const { upstream, runtime, up } = await setUp(t)
  upstream.status('/one/a', 500).answer('/one/b', 1)
  const chain = aggregate('chain', { url: '/chain' })
    .required('first', () => up.one({ id: 'a' }))
    .required('second', () => up.one({ id: 'b' }), { needs: ['first'] })
    .reply(z.unknown(), () => 1)
  await t.rejects(fanOut(chain, {}, { runtime }), { code: 'UPSTREAM_STATUS' })
  t.same(valuesOf(runtime, families.steps), { 'chain first failed UPSTREAM_STATUS': 1 })
  const card = aggregate('card', { url: '/card' })
    .optional('extra', () => up.one({ id: 'b' }), { fallback: null })
    .reply(z.unknown(), () => 1)
  await fanOut(card, {}, { runtime, shedOptional: true })
  t.equal(valuesOf(runtime, families.steps)['card extra fallback SHED'], 1)
  t.equal(valuesOf(runtime, families.runs)['card partial -'], 1)
})

test('a run that onEvent fails or cancels at its start is counted once', async t => {
  const { runtime } = await setUp(t)
  const card = aggregate('card', { url: '/card' })
    .required('one', () => 1)
    .reply(z.unknown(), () => 1)
  const onEvent = () => {
    throw new Error('a bug')
  }
  await t.rejects(fanOut(card, {}, { runtime, onEvent }), { code: 'INTERNAL' })
  const run = startRun(card, {}, { runtime, onEvent: () => run.cancel(new Error('gone')) })
  await t.rejects(run.start(), { message: 'gone' })
  t.same(valuesOf(runtime, families.runs), { 'card complete -': 0, 'card failed INTERNAL': 1, 'card cancelled -': 1 })
})

test('one aggregate in two objects has one series, and a runtime without metrics runs it too', async t => {
  const { runtime } = await setUp(t)
  const declare = () =>
    aggregate('card', { url: '/card' })
      .required('one', () => 1)
      .reply(z.unknown(), () => 1)
  await fanOut(declare(), {}, { runtime })
  await fanOut(declare(), {}, { runtime })
  t.same(valuesOf(runtime, families.runs), { 'card complete -': 2 })
  const { metrics: _metrics, ...bare } = runtime
  await fanOut(declare(), {}, { runtime: bare as Runtime })
  await fanOut(declare(), {}, { runtime: { ...runtime, metrics: { render: () => Promise.reject(new Error('none')) } } })
  t.same(valuesOf(runtime, families.runs), { 'card complete -': 2 })
})

test('a sampled trace is the example of the observations of its run', async t => {
  const { upstream, runtime, up } = await setUp(t)
  upstream.always('/one/a', 1)
  const card = aggregate('card', { url: '/card' })
    .required('one', () => up.one({ id: 'a' }))
    .reply(z.unknown(), () => 1)
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  for (const flags of [0, 1]) {
    const run = startRun(card, {}, { runtime })
    Object.assign(run, { trace: { traceId, spanId: 'b7ad6b7169203331', flags, tracestate: undefined } })
    await run.start()
    const { body } = await runtime.metrics.render('application/openmetrics-text')
    for (const { name } of [families.clientDuration, families.runDuration, families.stepDuration])
      t.equal(
        body.split('\n').some(line => line.startsWith(`${name}_bucket`) && line.includes(`# {trace_id="${traceId}"}`)),
        flags === 1,
        `${name} of a trace with the flags ${flags}`,
      )
  }
})
