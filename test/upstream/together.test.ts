import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { Abort } from '../../src/core/abort.ts'
import { LiveCall } from '../../src/upstream/call/live-call.ts'
import type { Call } from '../../src/upstream/call/call.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { keyOf } from '../../src/upstream/transport/dispatch.ts'
import { breaker } from '../../src/upstream/policies/breaker/breaker.ts'
import { RetryBudget } from '../../src/upstream/policies/retry/retry-budget.ts'
import { bulkhead } from '../../src/upstream/policies/bulkhead/bulkhead.ts'
import { coalesce } from '../../src/upstream/policies/coalesce.ts'
import { hedge } from '../../src/upstream/policies/hedge/hedge.ts'
import { stack } from '../../src/upstream/call/layer.ts'
import { retry } from '../../src/upstream/policies/retry/retry.ts'
import { createResolve } from '../../src/upstream/connect/resolve.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { heldService } from '../helpers/held-service.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { questions } from '../helpers/questions.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { turn } from '../helpers/turn.ts'

const upstream = 'nobody'
const over = new DOMException('the run is over', 'AbortError')

/** Answers before the upstream does. */
const early: CustomLayer = next => call => {
  next(call).catch(() => {})
  return Promise.resolve({ value: 'early' as never, status: 200 })
}

test('a breaker that tries lets all calls of one run through, coalesced ones too', async t => {
  const bottom = heldService()
  const clock = { now: 0 }
  const { layer, gauge } = breaker({
    upstream,
    failureRatio: 0.5,
    minimumCalls: 1,
    window: 10_000,
    openDuration: 5000,
    now: () => clock.now,
    random: () => 0,
  })
  const service = stack([coalesce({ keyOf }), layer], call => {
    call.attempt.sent = true
    return bottom.service(call)
  })
  const run = testRun()
  const ask = (id: string, by = run) =>
    service(by.ask(questions.shared({ id }))).then(
      () => 'ok',
      error => error.code,
    )
  const failing = ask('a')
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_BUSY', upstream))
  t.equal(await failing, 'UPSTREAM_BUSY')
  clock.now = 5000
  const trying = [ask('a'), ask('b')]
  t.equal(gauge.breaker, 'half-open')
  t.equal(bottom.held.length, 2)
  t.equal(await ask('c', testRun()), 'BREAKER_OPEN', 'one run and no other')
  while (bottom.held.length > 0) bottom.held[0]?.answer()
  t.same(await Promise.all(trying), ['ok', 'ok'])
  t.equal(gauge.breaker, 'half-open', 'the successes of one moment are one stage')
})

test('a call of context() may fail while the function awaits something else', async t => {
  const asked: (() => void)[] = []
  const raw = await rawUpstream(t, (socket, { path }) => {
    if (path === '/b') socket.write(json({}, 500))
    else asked.push(() => socket.write(json('a')))
  })
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false },
    { a: operation({ path: '/a', output: z.unknown() }), b: operation({ path: '/b', output: z.unknown() }) },
  )
  const page = aggregate('page', { url: '/page' })
    .context(async ({ ask }) => {
      const [a, b] = [ask(cats.a()), ask(cats.b())]
      return [await a, await b]
    })
    .required('one', () => 1)
    .reply(z.unknown(), () => 1)
  let failed = () => {}
  const bFailed = new Promise<void>(resolve => {
    failed = resolve
  })
  const watching: CustomLayer = next => async call => {
    try {
      return await next(call)
    } finally {
      if (call.path === '/b') failed()
    }
  }
  const runtime = createRuntime({ layers: { call: [watching] } })
  t.teardown(() => runtime.close())
  const problem = problemOf(fanOut(page, {}, { runtime }))
  await bFailed
  // An unhandled rejection would be reported in this turn, and fail this test.
  await turn()
  await turn()
  asked[0]?.()
  t.match(await problem, { code: 'UPSTREAM_STATUS', statusCode: 502 })
})

test('an attempt that a layer has answered early is still cut at its timeout, and gives its permit back', async t => {
  const raw = await rawUpstream(t, () => {})
  const cats = defineUpstream(
    'cats',
    {
      origin: raw.origin,
      concurrency: 1,
      attemptTimeout: 30,
      retry: false,
      breaker: false,
      layers: { attempt: [early] },
    },
    { ask: operation({ path: '/', output: z.unknown() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  for (let nth = 0; nth < 3; nth++) {
    const run = testRun()
    t.equal((await runtime.send(run.ask(cats.ask()))).value, 'early')
    run.abort.abort(over)
  }
  await raw.deserted()
  await turn()
  t.match(runtime.stats(), { cats: { active: 0, queued: 0 } })
})

test('an unsafe call that a layer has answered early is still cut by the deadline', async t => {
  const raw = await rawUpstream(t, () => {})
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, layers: { call: [early] } },
    { post: operation({ method: 'POST', path: '/', output: z.unknown() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const page = aggregate('page', { url: '/page', deadline: 50 })
    .required('one', () => cats.post())
    .reply(z.unknown(), ({ one }) => one)
  const replying = fanOut(page, {}, { runtime }).catch(() => {})
  await raw.asked(1)
  await replying
  await raw.deserted()
  await turn()
  t.match(runtime.stats(), { cats: { active: 0, queued: 0 } })
})

test('the announced calls of a run end with the run, also with a hedge above the bulkhead', async t => {
  const bottom = heldService()
  const { layer, gauge } = bulkhead({ upstream, concurrency: 1, maxQueue: 9 })
  const service = stack(
    [hedge({ delay: 60_000, percentile: 98, maxRatio: 1, budget: new RetryBudget() }), layer],
    bottom.service,
  )
  const first = testRun()
  const failing = failure(service(new LiveCall(questions.ask(), first.abort, first, 0, 0, 1000)))
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_RESET', upstream))
  await failing
  first.abort.abort(over)

  const busy = service(testRun().ask(questions.ask()))
  const newcomer = service(testRun({ deadline: 5000 }).ask(questions.ask()))
  t.equal(gauge.queued, 1, 'there is nothing before it but one call')
  bottom.held[0]?.answer()
  await busy
  await bottom.arrived(3)
  bottom.held[0]?.answer()
  await newcomer
})

test('a call after an unsafe call of the same upstream does not join a flight that began before it', async t => {
  const bottom = heldService()
  const service = coalesce({ keyOf })(bottom.service)
  const paths = defineUpstream(
    'paths',
    { origin: 'http://127.0.0.1:9' },
    {
      get: operation({ path: '/a', output: z.unknown(), coalesce: true }),
      put: operation({ method: 'PUT', path: '/a', output: z.unknown() }),
    },
  )
  const ask = () => service(testRun().ask(paths.get()))
  const before = ask()
  const put = service(testRun().ask(paths.put()))
  bottom.held[1]?.answer()
  await put
  const after = ask()
  t.equal(bottom.taken, 3)
  bottom.held[0]?.answer('old')
  bottom.held[0]?.answer('new')
  t.same([(await before).value, (await after).value], ['old', 'new'])
})

test('the time limit of a flight is the longest limit of its callers', async t => {
  const bottom = heldService()
  const service = coalesce({ keyOf })(bottom.service)
  const ask = (deadline: number) => service(testRun({ deadline }).ask(questions.shared({ id: 'a' })))
  const all = [ask(300), ask(5000), ask(100)]
  const { patience = 0 } = bottom.held[0]?.call.scope ?? {}
  t.ok(patience > 4000 && patience <= 5100, `${patience} ms`)
  bottom.held[0]?.answer()
  await Promise.all(all)
})

test('an unknown outcome stays unknown, whatever the repeated calls return', async t => {
  const unknown = () => new UpstreamError('OUTCOME_UNKNOWN', upstream, { retryable: true })
  const arrange = () => {
    const bottom = heldService()
    const service = retry({
      maxAttempts: 3,
      initialDelay: 200,
      maxDelay: 200,
      budget: new RetryBudget(),
      random: () => 0,
    })(call => {
      call.attempt.sent = true
      return bottom.service(call)
    })
    const abort = new Abort()
    return { bottom, abort, asked: failure(service(testRun().ask(questions.ask(), { abort }))) }
  }
  const failed = arrange()
  failed.bottom.held[0]?.fail(unknown())
  await failed.bottom.arrived(2)
  failed.bottom.held[0]?.fail(new UpstreamError('UPSTREAM_BUSY', upstream))
  await failed.bottom.arrived(3)
  failed.bottom.held[0]?.fail(new UpstreamError('UPSTREAM_RESET', upstream))
  t.match(await failed.asked, { code: 'OUTCOME_UNKNOWN' })

  const cut = arrange()
  cut.bottom.held[0]?.fail(unknown())
  await cut.bottom.arrived(2)
  cut.abort.abort(over)
  t.match(await cut.asked, { code: 'OUTCOME_UNKNOWN' })
})

test('an answer that cannot be read has changed what it was about all the same', async t => {
  let value = 'old'
  const raw = await rawUpstream(t, (socket, { method }) => {
    if (method === 'PUT') value = 'new'
    socket.write(method === 'PUT' ? 'HTTP/1.1 204 No Content\r\n\r\n' : json(value))
  })
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin },
    {
      get: operation({ path: '/a', output: z.unknown(), cache: { ttl: 60_000 } }),
      put: operation({ method: 'PUT', path: '/a', output: z.unknown() }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const get = async () => (await runtime.send(testRun().ask(cats.get()))).value
  t.equal(await get(), 'old')
  t.match(await failure(runtime.send(testRun().ask(cats.put()))), { code: 'UPSTREAM_CONTENT_TYPE' })
  t.equal(await get(), 'new')
})

test('a look-up that is never answered is asked again after a while', t => {
  const clock = { now: 0 }
  let asked = 0
  const resolve = createResolve(
    () => {
      asked++
    },
    () => clock.now,
  )
  resolve('cats.example', {}, () => {})
  clock.now = 4999
  resolve('cats.example', {}, () => {})
  t.equal(asked, 1)
  clock.now = 5000
  resolve('cats.example', {}, () => {})
  t.equal(asked, 2)
  t.end()
})

test('a call that never left has changed nothing', async t => {
  const raw = await rawUpstream(t, (socket, { path }) =>
    socket.write(path === '/broken' ? json({}, 500) : json('kept')),
  )
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false, breaker: { minimumCalls: 1, failureRatio: 0.01, openDuration: 60_000 } },
    {
      get: operation({ path: '/a', output: z.unknown(), cache: { ttl: 60_000 } }),
      put: operation({ method: 'PUT', path: '/a', output: z.unknown() }),
      broken: operation({ path: '/broken', output: z.unknown() }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const send = (call: Call<unknown>) => runtime.send(testRun().ask(call))
  await send(cats.get())
  await failure(send(cats.broken()))
  t.match(await failure(send(cats.put())), { code: 'BREAKER_OPEN' })
  t.match(await send(cats.get()), { value: 'kept', cached: { cache: 'hit' } })
})
