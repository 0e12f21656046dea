import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { fanOut } from '../../../src/fanout/fan-out.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { answeringRuntime } from '../../helpers/answering-runtime.ts'
import { heldRuntime } from '../../helpers/held-runtime.ts'
import { httpUpstream } from '../../helpers/http-upstream.ts'
import { oracle, oracleAt } from '../../helpers/oracle.ts'
import { problemOf } from '../../helpers/problem-of.ts'
import { turn } from '../../helpers/turn.ts'
import { watched } from '../../helpers/watched.ts'

const Any = z.unknown()
const within = (deadline = 10_000) => aggregate('asking', { url: '/asking', deadline })
const call = (id: string | number) => oracle.ask({ id })
const answering = () => answeringRuntime(path => path.slice(1))
/** Collects the error with which a promise rejects. */
const collect = (errors: unknown[], promise: Promise<unknown> | undefined) =>
  promise?.catch((error: unknown) => void errors.push(error))

test('a call that a step does not await is aborted when the step ends', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => {
    if (request.url === '/b') json('b')
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask: askOracle } = oracleAt(upstream.origin)
  const errors: unknown[] = []
  const described = within()
    .required('sure', async ({ ask }) => {
      void collect(errors, ask(askOracle({ id: 'a' })))
      await upstream.arrived('GET /a')
      return askOracle({ id: 'b' })
    })
    .required('after', () => 1, { needs: ['sure'] })
    .reply(Any, ({ sure }) => sure)
  const { reply, run } = watched(described, { runtime })
  const { data, complete, sources } = await reply
  t.same([data, complete], ['b', true])
  t.match(sources['sure'], { state: 'ok', calls: 2, ok: 1 })
  t.match(errors, [{ name: 'AbortError', message: 'the step has ended' }])
  const abandoned = await upstream.arrived('GET /a')
  await abandoned.closed
  t.ok(abandoned.hungUp)
  t.equal(run.abort.size, 0)
})

test('a waiting call that a step does not await is not sent after the end of the step', async t => {
  const runtime = heldRuntime()
  const errors: unknown[] = []
  const described = within()
    .each(
      'all',
      ({ ask }) => {
        for (const id of ['a', 'b']) void collect(errors, ask(call(id)))
        return []
      },
      { concurrency: 1 },
    )
    .required('after', () => call('after'), { needs: ['all'] })
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  ;(await runtime.arrived('/after')).answer(1)
  await reply
  t.same(
    runtime.calls.map(({ path }) => path),
    ['/a', '/after'],
  )
  t.match(errors, [{ message: 'the step has ended' }, { message: 'the step has ended' }])
})

test('a listed call that waits behind an asked call is not sent after its step has failed', async t => {
  const runtime = heldRuntime({ isSync: true })
  const errors: unknown[] = []
  const described = within()
    .each(
      'all',
      ({ ask }) => {
        void collect(errors, ask(call('asked')))
        return [oracle.tell({ id: 'a' }), oracle.tell({ id: 'b' })]
      },
      { concurrency: 2 },
    )
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  ;(await runtime.arrived('/a')).fail(new UpstreamError('UPSTREAM_RESET', 'oracle'))
  t.match(await problemOf(reply), { code: 'UPSTREAM_RESET', sources: { all: { calls: 3, ok: 0 } } })
  t.same(
    runtime.calls.map(({ path }) => path),
    ['/asked', '/a'],
  )
})

test('an unsafe call that was asked and not awaited is not cut by the end of its step, and a failing run waits for it', async t => {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask: askOracle, tell } = oracleAt(upstream.origin)
  const sent = Promise.withResolvers<void>()
  const described = within()
    .required('post', async ({ ask }) => {
      void ask(tell({ id: 'post' }))
      await sent.promise
      return 1
    })
    .required('bad', () => askOracle({ id: 'bad' }), { needs: ['post'] })
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime })
  const post = await upstream.arrived('POST /post')
  sent.resolve()
  const bad = await upstream.arrived('GET /bad')
  let isSettled = false
  const settled = reply.catch(() => {}).then(() => (isSettled = true))
  bad.json({}, 500)
  await bad.closed
  await turn()
  t.notOk(isSettled)
  t.notOk(post.hungUp)
  post.json({ posted: true })
  await settled
  t.match((await problemOf(reply)).sources, { post: { state: 'ok' }, bad: { state: 'failed' } })
})

test('the deadline aborts an unsafe call that was asked and not awaited', async t => {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { tell } = oracleAt(upstream.origin)
  const errors: unknown[] = []
  const described = within(100)
    .required('post', async ({ ask }) => {
      void collect(errors, ask(tell({ id: 'post' })))
      await upstream.arrived('POST /post')
      return 1
    })
    .reply(Any, () => 1)
  t.match(await fanOut(described, {}, { runtime }), { data: 1, complete: true })
  const post = await upstream.arrived('POST /post')
  t.notOk(post.hungUp)
  await post.closed
  t.ok(post.hungUp)
  await turn()
  t.match(errors, [{ code: 'OUTCOME_UNKNOWN' }])
})

test('ask after the function of its step has returned rejects, and names the fix', async t => {
  const errors: unknown[] = []
  let late: ((id: string) => Promise<unknown>) | undefined
  const described = within()
    .required('early', ({ ask }) => {
      late = id => ask(call(id))
      return call('returned')
    })
    .required('after', async ({ early }) => (await collect(errors, late?.('b')), early), { needs: ['early'] })
    .reply(Any, ({ after }) => after)
  const runtime = heldRuntime()
  const { reply } = watched(described, { runtime })
  await collect(errors, late?.('a'))
  runtime.at('/returned').answer('yes')
  t.same((await reply).data, 'yes')
  await collect(errors, late?.('c'))
  const message = "step 'early': ask was called after its function had returned: await ask(call) before it returns"
  t.match(errors, [{ name: 'TypeError', message }, { message }, { message }])
  t.equal(runtime.calls.length, 1)
})

test('asked calls are aborted by the timeout of their step, which ends at once', async t => {
  const runtime = heldRuntime()
  const errors: unknown[] = []
  const described = within()
    .optional(
      'slow',
      async ({ ask }) => {
        await collect(errors, ask(call('a')))
        await collect(errors, ask(call('b')))
        return 'late'
      },
      { fallback: null, timeout: 20 },
    )
    .reply(Any, ({ slow }) => slow)
  const { data, sources } = await watched(described, { runtime }).reply
  t.equal(data, null)
  t.match(sources['slow'], { state: 'fallback', code: 'STEP_TIMEOUT', calls: undefined })
  await turn()
  t.match(errors, [{ code: 'STEP_TIMEOUT' }, { code: 'STEP_TIMEOUT' }])
  t.equal(runtime.calls.length, 1, 'the second call is not sent')
})

test('asked calls that ignore the deadline do not delay the reply', async t => {
  const runtime = heldRuntime({ deaf: () => true })
  const described = within(30)
    .optional('asking', async ({ ask }) => [await ask(call('a')), await ask(call('b'))], { fallback: null })
    .optional('returning', ({ ask }) => (void ask(call('c')), call('d')), { fallback: null })
    .each('listing', ({ ask }) => (void ask(call('e')), [call('f')]), { minSuccess: 0, fallback: null })
    .reply(Any, seen => [seen.asking, seen.returning, seen.listing])
  const { reply } = watched(described, { runtime })
  runtime.at('/a').answer('a')
  const { data, sources } = await reply
  t.same(data, [null, null, [null]])
  const code = 'DEADLINE_EXCEEDED'
  t.match(sources, {
    asking: { state: 'fallback', code, calls: 2, ok: 1 },
    returning: {
      state: 'fallback',
      code,
      calls: 2,
      ok: 0,
      failed: [
        { index: 0, code },
        { index: 1, code },
      ],
    },
    listing: {
      state: 'partial',
      calls: 2,
      ok: 0,
      failed: [
        { index: 0, code },
        { index: 1, code },
      ],
    },
  })
})

test('a function that awaits an asked call goes on when its run fails or is cancelled', async t => {
  const errors: unknown[] = []
  let finished = 0
  const described = within()
    .required('asking', async ({ ask }) => {
      try {
        await collect(errors, ask(call('a')))
        return await ask(call('b'))
      } finally {
        finished++
      }
    })
    .required('bad', () => call('bad'))
    .reply(Any, () => 1)
  const runtime = heldRuntime()
  const { reply } = watched(described, { runtime })
  runtime.at('/bad').fail(new UpstreamError('UPSTREAM_RESET', 'oracle'))
  t.match((await problemOf(reply)).sources, { asking: { state: 'cancelled', calls: undefined } })
  await turn()
  t.match(errors, [{ name: 'AbortError', message: 'the run has failed' }])

  const cancelled = watched(described, { runtime: heldRuntime() })
  const gone = new Error('gone')
  cancelled.run.cancel(gone)
  await t.rejects(cancelled.reply, gone)
  await turn()
  t.equal(errors[1], gone)
  t.equal(finished, 2)
})

test('a step that throws after it has asked fails with its error, and its calls are aborted', async t => {
  const runtime = heldRuntime()
  const described = within()
    .required('sure', ({ ask }): number => {
      void ask(call('a'))
      throw new RangeError('a bug')
    })
    .reply(Any, () => 1)
  const problem = await problemOf(watched(described, { runtime }).reply)
  t.match(problem, { code: 'INTERNAL', cause: { message: 'a bug' } })
  t.match(runtime.at('/a').cut?.reason, { name: 'AbortError' })
})

test('ask in a run that has reached its deadline sends nothing', async t => {
  const runtime = heldRuntime()
  const described = within(20)
    .optional('slow', () => call('slow'), { fallback: null })
    .optional('after', ({ ask }) => ask(call('after')), { fallback: null, needs: ['slow'] })
    .reply(Any, ({ after }) => after)
  const { sources } = await watched(described, { runtime }).reply
  t.match(sources['after'], { state: 'fallback', code: 'DEADLINE_EXCEEDED', attempts: 0 })
  t.same(
    runtime.calls.map(({ path }) => path),
    ['/slow'],
  )
})

test('a run that a listener cancels while a step asks starts no further call', async t => {
  const runtime = answering()
  const described = within()
    .required('sure', async ({ ask }) => [await ask(call('a')), await ask(call('b'))])
    .reply(Any, () => 1)
  const { run, reply } = watched(described, { runtime })
  run.cancel(new Error('gone'))
  await t.rejects(reply, { message: 'gone' })
  await turn()
  t.same(runtime.asked, ['/a'])
})
