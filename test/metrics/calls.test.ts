import { setImmediate as turn } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import * as families from '../../src/metrics/families.ts'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { countsOf, sumsOf, total, valuesOf } from '../helpers/metric-values.ts'

const Cat = z.object({ name: z.string() })
const cat = { name: 'Tom' }

/** A scripted upstream `up` with one operation `cat`, and a runtime that calls it. */
async function setUp(t: Test, options: Partial<UpstreamOptions> = {}, runtimeOptions: RuntimeOptions = {}) {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  const operations = {
    cat: operation({ path: '/cats/{id}', params: z.object({ id: z.string() }), output: Cat, nullOn: [404] }),
    same: operation({ path: '/same', output: Cat, coalesce: true }),
    kept: operation({ path: '/kept', output: Cat, cache: { ttl: 60_000 } }),
    order: operation({ method: 'POST', path: '/orders', body: Cat, output: Cat }),
  }
  const up = defineUpstream('up', { origin: upstream.origin, retry: false, ...options }, operations)
  const runtime = createRuntime(runtimeOptions)
  t.teardown(() => runtime.close())
  const run = (calls: (one: typeof up) => unknown) =>
    fanOut(
      aggregate('run', { url: '/run', deadline: 5000 })
        .each('calls', () => calls(up) as [], { minSuccess: 0, fallback: null })
        .reply(z.unknown(), ({ calls: values }) => values),
      {},
      { runtime },
    )
  const target = ['GET', '127.0.0.1', new URL(upstream.origin).port]
  /** The labels of an attempt of `cat`. */
  const attempt = (status: string | number, error = '-') =>
    ['up', 'cat', '/cats/{id}', ...target, status, error].join(' ')
  return { upstream, runtime, run, attempt, up }
}

test('an attempt is observed with the status and the error type of its end', async t => {
  const { upstream, runtime, run, attempt } = await setUp(t, { attemptTimeout: 3000 })
  upstream
    .answer('/cats/1', cat)
    .status('/cats/2', 404)
    .status('/cats/3', 503)
    .status('/cats/4', 302)
    .status('/cats/5', 418)
    .answer('/cats/6', { name: 1 })
    .answer('/cats/7', { name: 1 }, { status: 201 })
    .reset('/cats/8')
    .hang('/cats/9')
    .answer('/cats/10', cat, { status: 299 })
  await run(up => Array.from({ length: 10 }, (_, index) => up.cat({ id: String(index + 1) })))
  t.same(countsOf(runtime, families.clientDuration), {
    [attempt(200)]: 1,
    [attempt(404)]: 1,
    [attempt(503, '503')]: 1,
    [attempt(302, '302')]: 1,
    [attempt('other', 'other')]: 1,
    [attempt(200, 'UPSTREAM_SCHEMA')]: 1,
    [attempt('-', 'UPSTREAM_SCHEMA')]: 1,
    [attempt('-', 'UPSTREAM_RESET')]: 1,
    [attempt('-', 'UPSTREAM_TIMEOUT')]: 1,
    [attempt('other')]: 1,
  })
  const timedOut = sumsOf(runtime, families.clientDuration)[attempt('-', 'UPSTREAM_TIMEOUT')] as number
  t.ok(timedOut >= 2.999 && timedOut < 20, 'durations are seconds')
  t.same(valuesOf(runtime, families.calls), {
    'up cat OK': 3,
    'up same OK': 0,
    'up kept OK': 0,
    'up order OK': 0,
    'up cat UPSTREAM_BUSY': 1,
    'up cat UPSTREAM_STATUS': 2,
    'up cat UPSTREAM_SCHEMA': 2,
    'up cat UPSTREAM_RESET': 1,
    'up cat UPSTREAM_TIMEOUT': 1,
  })
  t.same(valuesOf(runtime, families.attempts), { 'up cat 0': 10 })
})

test('a retry is an attempt of its own, with its number and its pause', async t => {
  const { upstream, runtime, run } = await setUp(t, { retry: { maxAttempts: 3, initialDelay: 1 } })
  upstream.status('/cats/1', 503).status('/cats/1', 503).answer('/cats/1', cat)
  await run(up => [up.cat({ id: '1' })])
  t.same(valuesOf(runtime, families.attempts), { 'up cat 0': 1, 'up cat 1': 1, 'up cat 2': 1 })
  t.same(valuesOf(runtime, families.retries), { 'up cat retry': 2 })
  t.same(countsOf(runtime, families.waits), { 'up retry': 2 })
  t.equal(valuesOf(runtime, families.calls)['up cat OK'], 1)
})

test('a repetition after an idle close has a kind of its own', async t => {
  const { upstream, runtime, run } = await setUp(t, { retry: { maxAttempts: 2 } })
  upstream.answer('/cats/1', cat).reset('/cats/2').answer('/cats/2', cat)
  await run(up => [up.cat({ id: '1' })])
  await run(up => [up.cat({ id: '2' })])
  t.same(valuesOf(runtime, families.retries), { 'up cat idle_close': 1 })
  t.same(valuesOf(runtime, families.attempts), { 'up cat 0': 2, 'up cat 1': 1 })
})

test('both attempts of a hedged call are counted, the loser too', async t => {
  const { upstream, runtime, run, attempt } = await setUp(t, { hedge: { delay: 20, maxRatio: 1 } })
  // Won: the first attempt hangs. Lost: the second one hangs. Failed: the second one gets an error.
  upstream.hang('/cats/1').answer('/cats/1', cat)
  upstream.answer('/cats/2', cat, { delay: 200 }).hang('/cats/2')
  upstream.answer('/cats/3', cat, { delay: 200 }).status('/cats/3', 500)
  await run(up => ['1', '2', '3'].map(id => up.cat({ id })))
  // A lost attempt ends in a later microtask than its call.
  await turn()
  t.same(valuesOf(runtime, families.hedges), { 'up cat won': 1, 'up cat lost': 1, 'up cat failed': 1 })
  t.same(valuesOf(runtime, families.attempts), { 'up cat 0': 3, 'up cat 1': 3 })
  t.same(countsOf(runtime, families.clientDuration), {
    [attempt(200)]: 3,
    [attempt('-', 'CANCELLED')]: 2,
    [attempt(500, '500')]: 1,
  })
})

test('a second attempt that is in flight when its caller leaves is lost', async t => {
  const { upstream, runtime, up } = await setUp(t, { hedge: { delay: 10, maxRatio: 1 } })
  upstream.hang('/cats/1').hang('/cats/1')
  const caller = new AbortController()
  const run = fanOut(
    aggregate('run', { url: '/run', deadline: 5000 })
      .required('one', () => up.cat({ id: '1' }))
      .reply(z.unknown(), () => 1),
    {},
    { runtime, signal: caller.signal },
  )
  await upstream.called(2)
  caller.abort(new Error('gone'))
  await t.rejects(run, { message: 'gone' })
  await turn()
  t.same(valuesOf(runtime, families.hedges), { 'up cat lost': 1 })
  t.equal(valuesOf(runtime, families.calls)['up cat CANCELLED'], 1)
})

test('calls that share a flight are counted, and its attempt once', async t => {
  const { upstream, runtime, run } = await setUp(t)
  upstream.answer('/same', cat, { delay: 30 })
  await run(up => [up.same(), up.same(), up.same()])
  t.same(valuesOf(runtime, families.coalescedCalls), { 'up same': 2 })
  t.same(valuesOf(runtime, families.attempts), { 'up same 0': 1 })
  t.equal(valuesOf(runtime, families.calls)['up same OK'], 3)
})

test('the counts of the cache and of stats() are equal', async t => {
  const { upstream, runtime, run } = await setUp(t)
  upstream.answer('/kept', cat, { headers: { etag: '"1"', 'content-type': 'application/json' } })
  await run(up => [up.kept()])
  await run(up => [up.kept(), up.kept()])
  t.same(valuesOf(runtime, families.cacheRequests), { 'up hit': 2, 'up stale': 0, 'up miss': 1 })
  const { cache } = runtime.stats()['up'] ?? {}
  t.same(valuesOf(runtime, families.cacheEntries), { up: 1 })
  t.same(valuesOf(runtime, families.cacheSize), { up: cache?.bytes })
  t.same(valuesOf(runtime, families.attempts), { 'up kept 0': 1 }, 'a hit has no attempt')
  t.equal(valuesOf(runtime, families.calls)['up kept OK'], 3)
})

test('a background refresh is an attempt of no call', async t => {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  const up = defineUpstream(
    'up',
    { origin: upstream.origin },
    { kept: operation({ path: '/kept', output: Cat, cache: { ttl: 0, staleWhileRevalidate: 60_000 } }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const card = aggregate('card', { url: '/card' })
    .required('kept', () => up.kept())
    .reply(Cat, ({ kept }) => kept)
  upstream.always('/kept', cat)
  await fanOut(card, {}, { runtime })
  await fanOut(card, {}, { runtime })
  await upstream.called(2)
  t.same(valuesOf(runtime, families.cacheRefreshes), { up: 1 })
  t.same(valuesOf(runtime, families.attempts), { 'up kept 0': 2 })
  t.same(valuesOf(runtime, families.calls), { 'up kept OK': 2 })
})

test('a call that waits for a permit is observed once, also if it is aborted in the queue', async t => {
  const { upstream, runtime, run } = await setUp(t, { concurrency: 1, attemptTimeout: 300, totalTimeout: 400 })
  upstream.hang('/cats/1').hang('/cats/2')
  await run(up => ['1', '2', '3'].map(id => up.cat({ id })))
  t.same(countsOf(runtime, families.waits), { 'up permit': 2 })
  const waited = sumsOf(runtime, families.waits)['up permit'] as number
  t.ok(waited > 0.6 && waited < 3, `${waited} s`)
  t.same(valuesOf(runtime, families.calls), {
    'up cat OK': 0,
    'up same OK': 0,
    'up kept OK': 0,
    'up order OK': 0,
    'up cat UPSTREAM_TIMEOUT': 1,
    'up cat DEADLINE_EXCEEDED': 2,
  })
})

test('a call to an upstream that is switched off is counted, without an attempt', async t => {
  const { runtime, run } = await setUp(t, {}, { overrides: { up: { off: true } } })
  await run(up => [up.cat({ id: '1' }), up.cat({ id: '2' })])
  t.equal(valuesOf(runtime, families.calls)['up cat UPSTREAM_OFF'], 2)
  t.same(valuesOf(runtime, families.attempts), {})
})

test('an open breaker is a state, a transition and a code', async t => {
  const { upstream, runtime, run } = await setUp(t, { breaker: { minimumCalls: 2 } })
  t.same(valuesOf(runtime, families.breakerTransitions), {}, 'an upstream that was not called has no series')
  upstream.answer('/cats/0', cat).status('/cats/1', 500)
  await run(up => [up.cat({ id: '0' })])
  t.same(valuesOf(runtime, families.breakerTransitions), { 'up open': 0 })
  await run(up => [up.cat({ id: '1' })])
  await run(up => [up.cat({ id: '2' })])
  t.same(valuesOf(runtime, families.breakerState), { 'up closed': 0, 'up open': 1, 'up half-open': 0 })
  t.same(valuesOf(runtime, families.breakerTransitions), { 'up open': 1 })
  t.equal(valuesOf(runtime, families.calls)['up cat BREAKER_OPEN'], 1)
  t.equal(total(valuesOf(runtime, families.attempts)), 2)
})

test('gauges show the permits, the queue, the retry budget and the connections', async t => {
  const { upstream, runtime, run } = await setUp(t, { concurrency: 2, retryBudget: { ratio: 0.5, minPerSecond: 1 } })
  upstream.always('/cats/{id}', cat, { delay: 100 })
  const running = run(up => ['1', '2', '3'].map(id => up.cat({ id })))
  await upstream.called(2)
  t.same(valuesOf(runtime, families.permitsInUse), { up: 2 })
  t.same(valuesOf(runtime, families.permitsLimit), { up: 2 })
  t.same(valuesOf(runtime, families.queueLength), { up: 1 })
  t.same(valuesOf(runtime, families.retryBudgetBalance), { up: 11 })
  t.same(valuesOf(runtime, families.openConnections), { 'up active': 2, 'up idle': 0 })
  t.same(valuesOf(runtime, families.connectionsOpened), { up: 2 })
  await running
  t.same(valuesOf(runtime, families.openConnections), { 'up active': 0, 'up idle': 2 })
  t.same(valuesOf(runtime, families.permitsInUse), { up: 0 })
})

test('a DNS lookup is observed once, with its code', async t => {
  const failing = (code: string) =>
    createRuntime({
      lookup: (_host, _options, done) => {
        const error = Object.assign(new Error('no'), { code })
        done(error, '')
        done(error, '')
      },
    })
  const up = defineUpstream(
    'up',
    { origin: 'http://cats.invalid', retry: false },
    { one: operation({ path: '/one', output: Cat }) },
  )
  const card = aggregate('card', { url: '/card' })
    .optional('one', () => up.one(), { fallback: null })
    .reply(z.unknown(), () => 1)
  for (const [code, label] of [
    ['ENOTFOUND', 'ENOTFOUND'],
    ['EWHATEVER', 'other'],
    ['x y', 'ENOTFOUND'],
  ] as const) {
    const runtime = failing(code)
    await fanOut(card, {}, { runtime })
    t.same(countsOf(runtime, families.dnsDuration), { [label]: 1 }, code)
    await runtime.close()
  }
})

test('a call that waits for a token is observed once, and the token request does not count as an attempt', async t => {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  upstream.answer('POST /token', { access_token: 'abc', token_type: 'Bearer', expires_in: 3600 }).always('/one', cat)
  const oauth2 = { tokenUrl: `${upstream.origin}/token`, clientId: 'me', clientSecret: env('SECRET') }
  const up = defineUpstream(
    'up',
    { origin: upstream.origin, auth: { oauth2 } },
    { one: operation({ path: '/one', output: Cat }) },
  )
  const runtime = createRuntime({ environment: { SECRET: 'a secret' } })
  t.teardown(() => runtime.close())
  const card = aggregate('card', { url: '/card', deadline: 10_000 })
    .required('one', () => up.one())
    .reply(Cat, ({ one }) => one)
  await fanOut(card, {}, { runtime })
  await fanOut(card, {}, { runtime })
  t.same(countsOf(runtime, families.waits), { 'up token': 1 })
  t.same(valuesOf(runtime, families.attempts), { 'up one 0': 2 })
})

test('two declarations with one name share their series', async t => {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  upstream.always('/one', cat)
  const declare = () =>
    defineUpstream('up', { origin: upstream.origin }, { one: operation({ path: '/one', output: Cat }) })
  const [first, second] = [declare(), declare()]
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const card = aggregate('card', { url: '/card' })
    .required('first', () => first.one())
    .required('second', () => second.one())
    .reply(z.unknown(), () => 1)
  await fanOut(card, {}, { runtime })
  t.same(valuesOf(runtime, families.calls), { 'up one OK': 2 })
  t.same(valuesOf(runtime, families.permitsLimit), { up: 128 })
})
