import { Readable } from 'node:stream'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate, chain, times } from '../../../src/fanout/aggregate.ts'
import type { Outcome } from '../../../src/fanout/outcome.ts'
import { attempts, calls } from '../../../src/metrics/families.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { httpUpstream } from '../../helpers/http-upstream.ts'
import { total, valuesOf } from '../../helpers/metric-values.ts'
import { problemOf } from '../../helpers/problem-of.ts'
import { rehearsed, timeless } from '../../helpers/rehearsed.ts'

const Any = z.unknown()
const base = aggregate('lost', { url: '/lost', deadline: 20_000 })
const params = z.object({ id: z.union([z.string(), z.number()]) })

async function open(t: Test) {
  const upstream = await httpUpstream(t, ({ request, response }) => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=600' })
      .end(JSON.stringify(request.url))
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const operations = defineUpstream(
    'cats',
    { origin: upstream.origin },
    {
      ask: operation({ path: '/{id}', params, output: Any }),
      tell: operation({ method: 'POST', path: '/{id}', params, output: Any }),
      absent: operation({ path: '/{id}', params, output: Any, nullOn: [404] }),
      listed: operation({ path: '/{id}', params, responses: { 200: Any, 404: Any, 409: Any } }),
      kept: operation({ path: '/{id}', params, output: Any, cache: true }),
      shared: operation({ path: '/{id}', params, output: Any, coalesce: true }),
      send: operation({ method: 'POST', path: '/', bodyType: 'bytes', body: z.custom<Readable>(), output: Any }),
    },
  )
  return { upstream, runtime, ...operations }
}

const outcomesOf = (sources: Readonly<Record<string, Outcome>>) =>
  Object.fromEntries(Object.entries(sources).map(([name, outcome]) => [name, timeless(outcome)]))

test('a call with a failure is not sent, and fails as its status does', async t => {
  const { upstream, runtime, ask } = await open(t)
  const one = base.optional('step', () => ask({ id: 'a' }), { fallback: null }).reply(Any, ({ step }) => step)
  for (const [status, code] of [
    [400, 'UPSTREAM_STATUS'],
    [404, 'UPSTREAM_STATUS'],
    [429, 'UPSTREAM_BUSY'],
    [500, 'UPSTREAM_STATUS'],
    [503, 'UPSTREAM_BUSY'],
    [599, 'UPSTREAM_STATUS'],
  ] as const) {
    const { reply, events } = rehearsed(one, `step=fail:${status}`, { runtime })
    const { sources, complete } = await reply
    t.notOk(complete)
    t.same(outcomesOf(sources), { step: { state: 'fallback', attempts: 0, status, code, fault: `fail:${status}` } })
    t.same(
      events.map(({ type }) => type),
      ['run started', 'step started', 'call ended', 'step ended', 'run ended'],
    )
    t.match(events[2], { attempts: 0, status, code, operation: 'cats.ask', fault: `fail:${status}` })
  }
  t.same(upstream.log, [])
})

test('a problem of a rehearsed failure names the step, the status and the fault', async t => {
  const { runtime, ask } = await open(t)
  const one = base.required('step', () => ask({ id: 'a' })).reply(Any, ({ step }) => step)
  t.match(await problemOf(rehearsed(one, 'step=fail:503', { runtime }).reply), {
    code: 'UPSTREAM_BUSY',
    statusCode: 503,
    detail: "Step 'step': cats answered that it accepts no more calls for now: status 503.",
    sources: { step: { state: 'failed', fault: 'fail:503' } },
  })
})

test('a status of nullOn is the answer null', async t => {
  const { upstream, runtime, absent } = await open(t)
  const one = base.required('step', () => absent({ id: 'a' })).reply(Any, ({ step }) => ({ step }))
  const { data, sources, complete } = await rehearsed(one, 'step=fail:404', { runtime }).reply
  t.same(data, { step: null })
  t.ok(complete)
  t.same(outcomesOf(sources), { step: { state: 'ok', attempts: 0, status: 404, fault: 'fail:404' } })
  t.same(upstream.log, [])
})

test('a status of responses fails, because the fault has no body', async t => {
  const { runtime, listed } = await open(t)
  const one = base.optional('step', () => listed({ id: 'a' }), { fallback: null }).reply(Any, () => 1)
  for (const status of [404, 409])
    t.match((await rehearsed(one, `step=fail:${status}`, { runtime }).reply).sources, {
      step: { state: 'fallback', code: 'UPSTREAM_STATUS', status },
    })
})

test('a dropped call is not sent and has a lost connection, and an unsafe one an unknown outcome', async t => {
  const { upstream, runtime, ask, tell } = await open(t)
  const two = base
    .optional('safe', () => ask({ id: 'a' }), { fallback: null })
    .optional('unsafe', () => tell({ id: 'b' }), { fallback: null })
    .reply(Any, () => 1)
  const { sources } = await rehearsed(two, 'safe=drop,unsafe=drop', { runtime }).reply
  t.same(outcomesOf(sources), {
    safe: { state: 'fallback', attempts: 0, code: 'UPSTREAM_RESET', fault: 'drop' },
    unsafe: { state: 'fallback', attempts: 0, code: 'OUTCOME_UNKNOWN', fault: 'drop' },
  })
  t.same(upstream.log, [])
})

test('1000 failures of one caller leave the breaker closed, and the calls uncounted', async t => {
  const { runtime, ask } = await open(t)
  const one = base.optional('step', () => ask({ id: 'a' }), { fallback: null }).reply(Any, ({ step }) => step)
  await rehearsed(one, '', { runtime }).reply
  for (let runs = 0; runs < 1000; runs++)
    await rehearsed(one, runs % 2 === 0 ? 'step=fail:503' : 'step=drop', { runtime }).reply
  t.match(runtime.stats()['cats'], { breaker: 'closed', calls: 1, ok: 1, failed: 0, ignored: 0 })
  t.equal(total(valuesOf(runtime, calls)), 1)
  t.equal(total(valuesOf(runtime, attempts)), 1)
  t.same((await rehearsed(one, '', { runtime }).reply).data, '/a')
})

test('a failed call does not reach the cache, and a fresh entry stays', async t => {
  const { upstream, runtime, kept } = await open(t)
  const one = base.optional('step', () => kept({ id: 'a' }), { fallback: 'none' }).reply(Any, ({ step }) => step)
  t.equal((await rehearsed(one, 'step=fail:404', { runtime }).reply).data, 'none')
  t.equal((await rehearsed(one, '', { runtime }).reply).data, '/a')
  t.equal((await rehearsed(one, 'step=fail:500', { runtime }).reply).data, 'none')
  const { data, sources } = await rehearsed(one, '', { runtime }).reply
  t.equal(data, '/a')
  t.match(sources, { step: { cache: 'hit', attempts: 0 } })
  t.equal(upstream.log.length, 1)
})

test('a call that fails neither starts nor joins a call that others share', async t => {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { shared } = defineUpstream(
    'shared',
    { origin: upstream.origin },
    { shared: operation({ path: '/', output: Any, coalesce: true }) },
  )
  const one = base.optional('step', () => shared(), { fallback: 'none' }).reply(Any, ({ step }) => step)
  t.equal((await rehearsed(one, 'step=drop', { runtime }).reply).data, 'none')
  const sent = rehearsed(one, '', { runtime })
  const asked = await upstream.arrived('GET /')
  t.equal((await rehearsed(one, 'step=drop', { runtime }).reply).data, 'none')
  asked.json('value')
  t.equal((await sent.reply).data, 'value')
  t.equal(upstream.log.length, 1)
})

test('the stream of the body of a call that is not sent is closed', async t => {
  const { runtime, send } = await open(t)
  const body = Readable.from(['x'])
  const one = base.optional('step', () => send({ body }), { fallback: null }).reply(Any, () => 1)
  await rehearsed(one, 'step=drop', { runtime }).reply
  t.ok(body.destroyed)
})

test('a fault acts on every call of its step', async t => {
  const { upstream, runtime, ask } = await open(t)
  const all = base
    .each('list', () => times(3, id => ask({ id })), { minSuccess: 0, fallback: null })
    .each('chains', () => [chain(ask({ id: 'x' }), () => ask({ id: 'y' }))], { minSuccess: 0, fallback: null })
    .pages('pages', () => ask({ id: 'p' }), { next: () => undefined, onLoss: 'keep' })
    .optional('asking', ({ ask: send }) => send(ask({ id: 'q' })), { fallback: null })
    .optional('plain', () => 1, { fallback: null })
    .required('other', () => ask({ id: 'other' }))
    .reply(Any, () => 1)
  const faults = ['list', 'chains', 'pages', 'asking', 'plain'].map(name => `${name}=drop`).join()
  const { sources } = await rehearsed(all, faults, { runtime }).reply
  t.match(sources, {
    list: { state: 'partial', calls: 3, ok: 0, attempts: 0, fault: 'drop' },
    chains: { state: 'partial', fault: 'drop' },
    pages: { ok: 0, fault: 'drop' },
    asking: { state: 'fallback', fault: 'drop' },
    plain: { state: 'ok', fault: undefined },
    other: { state: 'ok', status: 200, fault: undefined },
  })
  t.same(upstream.log, ['GET /other'])
})

test('a fault of context acts on the calls of its function, and firstOf uses none of its answers', async t => {
  const { upstream, runtime, ask } = await open(t)
  const described = aggregate('with-context', { url: '/with-context' })
    .context(({ ask: send }) => send(ask({ id: 'user' })))
    .firstOf('first', () => [ask({ id: 1 }), ask({ id: 2 })])
    .reply(Any, () => 1)
  const failed = await problemOf(rehearsed(described, 'context=fail:401', { runtime }).reply)
  t.match(failed.sources, { context: { state: 'failed', fault: 'fail:401' }, first: { state: 'cancelled' } })
  t.same(upstream.log, [])
  const { sources } = await problemOf(rehearsed(described, 'first=fail:500', { runtime }).reply)
  t.match(sources, { context: { state: 'ok', fault: undefined }, first: { state: 'failed', fault: 'fail:500' } })
  t.same(upstream.log, ['GET /user'])
})
