import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, env, operation, type Call } from '../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { callsOf, endedRun, keptRuns } from '../helpers/ended-run.ts'
import { httpUpstream, type Asked } from '../helpers/http-upstream.ts'
import { pricedUpstream, pricesOf } from '../helpers/priced-upstream.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'

const Any = z.unknown()
const ask = operation({ path: '/{id}', params: z.object({ id: z.string() }), output: Any })
const shared = operation({ path: '/shared/{id}', params: z.object({ id: z.string() }), output: Any, coalesce: true })

type Teardown = Parameters<typeof httpUpstream>[0]

function runtimeFor(t: Teardown, options?: RuntimeOptions) {
  const runtime = createRuntime(options)
  t.teardown(() => runtime.close())
  return runtime
}

const allOf = (calls: () => readonly Call<unknown>[]) =>
  aggregate('waiting', { url: '/waiting', deadline: 20_000 })
    .each('all', calls, { minSuccess: 0, fallback: null })
    .reply(Any, ({ all }) => all)

/** Answers after a time in ms. */
const after =
  (ms: number, status = 200) =>
  ({ json }: Asked) =>
    void setTimeout(() => json({}, status), ms)

test('a wait for a permit is the time in the queue, and ends where the attempt starts', async t => {
  const { origin } = await httpUpstream(t, after(30))
  const source = defineUpstream('source', { origin, concurrency: 1 }, { ask })
  const reported: number[] = []
  const run = await endedRun(
    allOf(() => [source.ask({ id: 'a' }), source.ask({ id: 'b' })]),
    {
      runtime: runtimeFor(t),
      onEvent(event) {
        if (event.type === 'call waited') reported.push(event.ms)
      },
    },
  )
  const [first, second] = callsOf(run)
  t.same(first?.waits, [])
  const [wait = { reason: 'none', start: 0, end: 0 }] = second?.waits ?? []
  t.equal(wait.reason, 'permit')
  t.equal(reported.length, 1)
  t.ok(Math.abs(wait.end - wait.start - (reported[0] ?? 0)) <= 1)
  const moments = [second?.start, wait.start, first?.attempts[0]?.end, wait.end, second?.attempts[0]?.start]
  t.same(
    moments,
    moments.toSorted((one, other) => (one ?? 0) - (other ?? 0)),
  )
})

test('a call that still waits for a permit when its run is cancelled has its wait', async t => {
  const upstream = await httpUpstream(t)
  const source = defineUpstream('source', { origin: upstream.origin, concurrency: 1 }, { ask })
  const run = await endedRun(
    allOf(() => [source.ask({ id: 'a' }), source.ask({ id: 'b' })]),
    {
      runtime: runtimeFor(t),
      during: async each => {
        await upstream.arrived('GET /a')
        each.cancel('gone')
      },
    },
  )
  const [, second] = callsOf(run)
  t.match(second, { waits: [{ reason: 'permit' }], attempts: [], code: 'CANCELLED' })
})

test('a wait for a token is a part of the attempt', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json({ access_token: 'secret', token_type: 'Bearer' }))
  const oauth2 = { tokenUrl: `${origin}/token`, clientId: 'us', clientSecret: env('SECRET') }
  const source = defineUpstream('source', { origin, auth: { oauth2 } }, { ask })
  const run = await endedRun(
    allOf(() => [source.ask({ id: 'a' })]),
    {
      runtime: runtimeFor(t, { environment: { SECRET: 'ours' } }),
    },
  )
  const [call] = callsOf(run)
  const [wait] = call?.waits ?? []
  const [attempt] = call?.attempts ?? []
  t.equal(wait?.reason, 'token')
  t.ok((wait?.start ?? 0) >= (attempt?.start ?? Infinity) && (wait?.end ?? Infinity) <= (attempt?.end ?? 0))
})

test('a retry has its pause, and its attempts have their statuses', async t => {
  let asked = 0
  const { origin } = await httpUpstream(t, ({ json }) => json({}, asked++ === 0 ? 503 : 200))
  const source = defineUpstream('source', { origin, retry: { initialDelay: 1 } }, { ask })
  const run = await endedRun(
    allOf(() => [source.ask({ id: 'a' })]),
    { runtime: runtimeFor(t) },
  )
  t.match(callsOf(run), [
    {
      status: 200,
      code: null,
      waits: [{ reason: 'retry' }],
      attempts: [
        { number: 1, kind: 'first', status: 503, code: 'UPSTREAM_BUSY' },
        { number: 2, kind: 'retry', status: 200, code: null },
      ],
      marks: [],
    },
  ])
})

test('the attempt of a hedge has the kind `hedge`, and the attempt that loses is cancelled', async t => {
  let asked = 0
  const { origin } = await httpUpstream(t, ({ json }) => {
    if (asked++ > 0) json({})
  })
  const source = defineUpstream('source', { origin, hedge: { delay: 5, maxRatio: 1 } }, { ask })
  const run = await endedRun(
    allOf(() => [source.ask({ id: 'a' })]),
    { runtime: runtimeFor(t) },
  )
  t.match(callsOf(run), [
    {
      attempts: [
        { number: 1, kind: 'first', status: null, code: 'CANCELLED' },
        { number: 2, kind: 'hedge', status: 200, code: null },
      ],
    },
  ])
})

test('a retry without budget has a mark', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json({}, 503))
  const source = defineUpstream('source', { origin, retryBudget: { ratio: 0, minPerSecond: 0 } }, { ask })
  const run = await endedRun(
    allOf(() => [source.ask({ id: 'a' })]),
    { runtime: runtimeFor(t) },
  )
  t.match(callsOf(run), [{ code: 'UPSTREAM_BUSY', marks: [{ what: 'retry not sent', reason: 'budget' }] }])
})

test('a hedge without budget has a mark', async t => {
  const { origin } = await httpUpstream(t, after(20))
  const budget = { ratio: 0, minPerSecond: 0 }
  const source = defineUpstream('source', { origin, hedge: { delay: 1, maxRatio: 1 }, retryBudget: budget }, { ask })
  const run = await endedRun(
    allOf(() => [source.ask({ id: 'a' })]),
    { runtime: runtimeFor(t) },
  )
  t.match(callsOf(run), [{ code: null, marks: [{ what: 'hedge not sent', reason: 'budget' }] }])
})

test('a call that an open breaker or a full queue refuses has a mark and no attempt', async t => {
  const { origin } = await httpUpstream(t, ({ request, json }) => {
    if (request.url !== '/hold') json({}, 500)
  })
  const runtime = runtimeFor(t)
  const broken = defineUpstream(
    'broken',
    { origin, retry: false, breaker: { minimumCalls: 1, failureRatio: 0.1 } },
    { ask },
  )
  const twice = aggregate('twice', { url: '/twice' })
    .optional('first', () => broken.ask({ id: 'a' }), { fallback: null })
    .optional('second', () => broken.ask({ id: 'b' }), { needs: ['first'], fallback: null })
    .reply(Any, () => 1)
  const [, refused] = callsOf(await endedRun(twice, { runtime }))
  t.match(refused, { code: 'BREAKER_OPEN', attempts: [], marks: [{ what: 'call refused', reason: 'breaker' }] })

  const full = defineUpstream('full', { origin, retry: false, concurrency: 1, maxQueue: 0 }, { ask })
  const one = aggregate('one', { url: '/one', query: z.object({ id: z.string() }), deadline: 5000 })
    .required('only', ({ query }) => full.ask({ id: query.id }))
    .reply(Any, () => 1)
  const store = keptRuns()
  let second
  await endedRun(one, {
    store,
    runtime,
    input: { query: { id: 'hold' } },
    during: async run => {
      second = await endedRun(one, { store, runtime, input: { query: { id: 'b' } } })
      run.cancel('enough')
    },
  })
  t.match(second, {
    code: 'BULKHEAD_FULL',
    why: ['only: BULKHEAD_FULL: full had no free permit, and its queue was full or too slow'],
  })
})

test('a call that joins an equal call has its wait until its end', async t => {
  const { origin } = await httpUpstream(t, after(10))
  const source = defineUpstream('source', { origin }, { shared })
  const run = await endedRun(
    allOf(() => [source.shared({ id: 'a' }), source.shared({ id: 'a' })]),
    {
      runtime: runtimeFor(t),
    },
  )
  const [first, second] = callsOf(run)
  t.match(first, { waits: [], attempts: [{ kind: 'first' }] })
  t.match(second, { waits: [{ reason: 'shared', end: second?.end }], attempts: [] })
  t.ok((second?.waits[0]?.start ?? -1) >= (second?.start ?? 0))
})

test('a call of a batch of keys waits for the request of the first key', async t => {
  const { origin } = await httpUpstream(t, ({ request, json }) => json(pricesOf(request.url ?? '')))
  const shop = pricedUpstream(50, { origin })
  const run = await endedRun(
    allOf(() => [shop.price('a'), shop.price('b')]),
    { runtime: runtimeFor(t) },
  )
  const [first, second] = callsOf(run)
  t.match(first, { code: null, waits: [], attempts: [{ kind: 'first', status: 200 }] })
  t.match(second, { code: null, waits: [{ reason: 'keys' }], attempts: [] })
})

test('a call that is answered from the cache has no attempt', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json({}))
  const cached = operation({ path: '/{id}', params: z.object({ id: z.string() }), output: Any, cache: { ttl: 60 } })
  const source = defineUpstream('source', { origin }, { cached })
  const runtime = runtimeFor(t)
  const declared = allOf(() => [source.cached({ id: 'a' })])
  t.match(callsOf(await endedRun(declared, { runtime })), [{ cache: 'miss', attempts: [{}] }])
  t.match(callsOf(await endedRun(declared, { runtime })), [{ cache: 'hit', attempts: [] }])
  t.match(callsOf(await endedRun(declared, { runtime: answeringRuntime(() => 1) })), [{ cache: null }])
})
