import { test } from 'tap'
import type { Test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, times } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { oracle, oracleAt } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const within = (deadline = 20_000) => aggregate('unsafe', { url: '/unsafe', deadline })

async function open(t: Test, options: { readonly concurrency?: number; readonly attemptTimeout?: number } = {}) {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return { upstream, runtime, ...oracleAt(upstream.origin, options) }
}

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open')
  await turn()
  return (await Promise.race([promise.catch(() => {}), Promise.resolve(open)])) !== open
}

test("another step's failure does not cut a POST on the wire, and the failing reply waits to say how it ended", async t => {
  const { upstream, runtime, ask, tell } = await open(t)
  const described = within()
    .required('post', () => tell({ id: 'post' }))
    .required('bad', () => ask({ id: 'bad' }))
    .required('slow', () => ask({ id: 'slow' }))
    .reply(Any, () => 1)
  const { reply, run } = watched(described, { runtime })
  const [post, bad, slow] = await Promise.all([
    upstream.arrived('POST /post'),
    upstream.arrived('GET /bad'),
    upstream.arrived('GET /slow'),
  ])
  bad.json({}, 500)
  await slow.closed
  t.ok(slow.hungUp, 'a GET is cut')
  t.notOk(await isSettled(reply))
  t.notOk(post.hungUp)
  post.json({ posted: true })
  const problem = await problemOf(reply)
  t.match(problem, { code: 'UPSTREAM_STATUS', statusCode: 502, detail: /^Step 'bad'/ }, 'the first failure decides')
  t.match(problem.sources, {
    post: { state: 'ok', status: 200, attempts: 1 },
    bad: { state: 'failed', status: 500 },
    slow: { state: 'cancelled' },
  })
  t.equal(run.abort.size, 0)
})

test("the time limit of one upstream's calls fails the run, and does not cut a POST to another upstream", async t => {
  const { upstream, runtime, tell } = await open(t)
  const slow = defineUpstream(
    'slow',
    { origin: upstream.origin, retry: false, totalTimeout: 50 },
    { ask: operation({ path: '/slow', output: Any }) },
  )
  const described = within()
    .required('post', () => tell({ id: 'post' }))
    .required('slow', () => slow.ask())
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  const [post, asked] = await Promise.all([upstream.arrived('POST /post'), upstream.arrived('GET /slow')])
  await asked.closed
  t.notOk(await isSettled(reply))
  post.json({ posted: true })
  const { code, sources } = await problemOf(reply)
  t.equal(code, 'DEADLINE_EXCEEDED')
  t.match(sources, { post: { state: 'ok', status: 200 }, slow: { state: 'failed' } })
})

test('a deadline that passes in the merge cuts a POST that nothing waits for', async t => {
  const { upstream, runtime, tell } = await open(t)
  const described = within(150)
    .firstOf('race', () => [tell({ id: 'a' }), tell({ id: 'b' })])
    .reply(Any, () => new Promise<never>(() => {}))
  const { reply } = watched(described, { runtime })
  const [winner, loser] = await Promise.all([upstream.arrived('POST /a'), upstream.arrived('POST /b')])
  winner.json(1)
  t.equal((await problemOf(reply)).code, 'DEADLINE_EXCEEDED')
  await loser.closed
  t.ok(loser.hungUp)
})

test('a POST that fails after another step did is reported with its own failure', async t => {
  const { upstream, runtime, ask, tell } = await open(t)
  const described = within()
    .required('post', () => tell({ id: 'post' }))
    .optional('note', () => tell({ id: 'note' }), { fallback: null })
    .required('bad', () => ask({ id: 'bad' }))
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  const [post, note, bad] = await Promise.all([
    upstream.arrived('POST /post'),
    upstream.arrived('POST /note'),
    upstream.arrived('GET /bad'),
  ])
  bad.json({}, 404)
  await bad.closed
  post.json({}, 503)
  note.json({}, 409)
  const problem = await problemOf(reply)
  t.match(problem, { code: 'UPSTREAM_STATUS', detail: /^Step 'bad'/ })
  t.match(problem.sources, {
    post: { state: 'failed', code: 'UPSTREAM_BUSY', status: 503 },
    note: { state: 'fallback', code: 'UPSTREAM_STATUS', status: 409 },
    bad: { state: 'failed', status: 404 },
  })
})

test('at the deadline a POST on the wire is cut, and its outcome is unknown', async t => {
  const { upstream, runtime, tell } = await open(t)
  const { reply } = watched(
    within(150)
      .required('post', () => tell({ id: 'post' }))
      .reply(Any, () => 1),
    { runtime },
  )
  const post = await upstream.arrived('POST /post')
  const problem = await problemOf(reply)
  t.match(problem, {
    code: 'OUTCOME_UNKNOWN',
    statusCode: 504,
    sources: { post: { state: 'failed', code: 'OUTCOME_UNKNOWN' } },
  })
  await post.closed
  t.ok(post.hungUp)

  const { reply: optional } = watched(
    within(100)
      .optional('post', () => tell({ id: 'again' }), { fallback: 'fallback' })
      .reply(Any, ({ post }) => post),
    { runtime },
  )
  t.match(await optional, {
    data: 'fallback',
    complete: false,
    sources: { post: { state: 'fallback', code: 'OUTCOME_UNKNOWN' } },
  })
})

test('a failing reply waits for a POST until the deadline and no longer', async t => {
  const { upstream, runtime, ask, tell } = await open(t)
  const described = within(200)
    .required('post', () => tell({ id: 'post' }))
    .required('bad', () => ask({ id: 'bad' }))
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  const [post, bad] = await Promise.all([upstream.arrived('POST /post'), upstream.arrived('GET /bad')])
  bad.json({}, 500)
  const problem = await problemOf(reply)
  t.match(problem, { code: 'UPSTREAM_STATUS' })
  t.match(problem.sources, { post: { state: 'failed', code: 'OUTCOME_UNKNOWN' }, bad: { state: 'failed' } })
  await post.closed
  t.ok(post.hungUp)
})

test('an aborted run waits for its POST on the wire, and rejects with the reason of the signal', async t => {
  const { upstream, runtime, tell } = await open(t)
  const { reply, run, events } = watched(
    within()
      .required('post', () => tell({ id: 'post' }))
      .reply(Any, () => 1),
    { runtime },
  )
  const post = await upstream.arrived('POST /post')
  run.cancel('gone')
  t.notOk(await isSettled(reply))
  post.json(1)
  t.equal(await reply.catch((error: unknown) => error), 'gone')
  t.match(
    events.findLast(({ type }) => type === 'step ended'),
    { state: 'ok' },
  )
})

test("a POST that never left is cancelled by another step's failure", async t => {
  const { upstream, runtime, tell } = await open(t, { concurrency: 1 })
  const elsewhere = await open(t)
  const described = within()
    .required('first', () => tell({ id: 'first' }))
    .required('queued', () => tell({ id: 'queued' }))
    .optional('alsoQueued', () => tell({ id: 'also-queued' }), { fallback: null })
    .required('bad', () => elsewhere.ask({ id: 'bad' }))
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  const [first, bad] = await Promise.all([upstream.arrived('POST /first'), elsewhere.upstream.arrived('GET /bad')])
  bad.json({}, 500)
  t.notOk(await isSettled(reply))
  await bad.closed
  first.json(1)
  const problem = await problemOf(reply)
  t.match(problem, { code: 'UPSTREAM_STATUS', detail: /^Step 'bad'/ })
  t.strictSame(upstream.log, ['POST /first'])
  t.match(problem.sources, { first: { state: 'ok' }, bad: { state: 'failed' } })
  t.equal(problem.sources['queued']?.state, 'cancelled', 'not failed, and not by what another upstream answered')
  t.equal(problem.sources['queued']?.code, undefined)
  t.equal(problem.sources['alsoQueued']?.state, 'cancelled')
})

test("a list with a POST on the wire is not blamed for another step's failure", async t => {
  for (const calls of [times(4, id => oracle.tell({ id })), [oracle.tell({ id: 0 }), oracle.ask({ id: 1 })]]) {
    const runtime = heldRuntime({ deaf: path => path === '/0' })
    const described = within()
      .each('list', () => calls, { concurrency: 2 })
      .required('bad', () => oracle.ask({ id: 'bad' }))
      .reply(Any, () => 1)
    const { reply } = watched(described, { runtime })
    await turn()
    runtime.at('/bad').fail(new UpstreamError('UPSTREAM_JSON', 'elsewhere'))
    t.notOk(await isSettled(reply))
    runtime.at('/0').answer('posted')
    const problem = await problemOf(reply)
    t.match(problem, { code: 'UPSTREAM_JSON', detail: /^Step 'bad'/ })
    t.strictSame(runtime.calls.map(({ path }) => path).sort(), ['/0', '/1', '/bad'], 'nothing more is sent')
    t.not(problem.sources['list']?.code, 'UPSTREAM_JSON', 'that is what the other upstream answered')
  }
})

test("a firstOf's unsafe loser goes on after the reply, and only the deadline cuts it", async t => {
  const { upstream, runtime, tell } = await open(t)
  const described = within(250)
    .firstOf('race', () => [tell({ id: 'a' }), tell({ id: 'b' })])
    .reply(Any, ({ race }) => race)
  const start = performance.now()
  const { reply, events } = watched(described, { runtime })
  const [a, b] = await Promise.all([upstream.arrived('POST /a'), upstream.arrived('POST /b')])
  a.json('won')
  t.match(await reply, { data: 'won', complete: true })
  const told = events.length
  await turn()
  t.notOk(b.hungUp)
  await b.closed
  t.ok(b.hungUp)
  t.ok(performance.now() - start > 200, 'the deadline did it')
  t.equal(events.length, told, 'and a run that is over has no more events')
})

const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

test("the deadline's timer is gone when the last unsafe call of an ended run is", async t => {
  const before = timers()
  const runtime = heldRuntime({ deaf: () => true })
  const described = within()
    .firstOf('race', () => times(3, id => oracle.tell({ id })))
    .reply(Any, ({ race }) => race)
  const { reply } = watched(described, { runtime })
  runtime.at('/0').answer('won')
  await reply
  t.equal(timers(), before + 1, 'two POSTs are still under way')
  runtime.at('/1').answer('late')
  await turn()
  t.equal(timers(), before + 1)
  runtime.at('/2').fail(new Error('lost'))
  await turn()
  t.equal(timers(), before)
})

test('a failing reply waits for the unsafe loser of a firstOf as well', async t => {
  const runtime = heldRuntime({ deaf: path => path === '/1' })
  const described = within()
    .firstOf('race', () => times(2, id => oracle.tell({ id })))
    .required('bad', () => oracle.ask({ id: 'bad' }))
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  runtime.at('/0').answer('won')
  await turn()
  runtime.at('/bad').fail(new TypeError('bug'))
  t.notOk(await isSettled(reply))
  runtime.at('/1').answer('late')
  t.match((await problemOf(reply)).sources, { race: { state: 'ok', ok: 1 }, bad: { state: 'failed' } })
})

test('a POST that does not hear even the deadline holds no failing reply beyond it', async t => {
  for (const fails of [true, false]) {
    const runtime = heldRuntime({ deaf: path => path === '/post' })
    const described = within(60)
      .required('post', () => oracle.tell({ id: 'post' }))
      .required('other', () => oracle.ask({ id: 'other' }))
      .reply(Any, () => 1)
    const { reply } = watched(described, { runtime })
    if (fails) runtime.at('/other').fail(new UpstreamError('UPSTREAM_JSON', 'oracle'))
    else runtime.at('/other').answer(1)
    t.notOk(await isSettled(reply))
    const problem = await problemOf(reply)
    t.equal(problem.code, fails ? 'UPSTREAM_JSON' : 'DEADLINE_EXCEEDED')
    t.match(problem.sources, { post: { state: 'failed', code: 'DEADLINE_EXCEEDED' } })
  }
})

test('each POST that does not hear even the deadline is reported, although the first of them fails the run', async t => {
  const runtime = heldRuntime({ deaf: () => true })
  const described = within(60)
    .required('one', () => oracle.tell({ id: 'one' }))
    .required('two', () => oracle.tell({ id: 'two' }))
    .reply(Any, () => 1)
  const { reply, events } = watched(described, { runtime })
  const problem = await problemOf(reply)
  const failed = { state: 'failed', code: 'DEADLINE_EXCEEDED' }
  t.match(problem.sources, { one: failed, two: failed })
  t.equal(events.filter(({ type }) => type === 'step ended').length, 2)
})

test('an unsafe call that outlives even the deadline leaves no timer behind when it ends', async t => {
  const before = timers()
  const runtime = heldRuntime({ deaf: () => true })
  const described = within(30)
    .optional('post', () => oracle.tell({ id: 'post' }), { fallback: 'fallback' })
    .reply(Any, async ({ post }) => {
      runtime.at('/post').answer('too late')
      await turn()
      return post
    })
  t.equal((await watched(described, { runtime }).reply).data, 'fallback')
  t.equal(timers(), before, 'the limit of an async merge is gone with it')
})
