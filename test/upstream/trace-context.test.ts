import { test, type Test } from 'tap'
import { z } from 'zod'
import type { TraceContext } from '../../src/trace/trace-context.ts'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { keyOf } from '../../src/upstream/transport/dispatch.ts'
import { testRun } from '../helpers/call.ts'
import { json, rawUpstream, type Script } from '../helpers/raw-upstream.ts'
import { sentTrace, sentTraces, valuesOf } from '../helpers/sent-trace.ts'
import { spanId, traceId } from '../trace/specification.ts'

const trace: TraceContext = { traceId, spanId, flags: 1, tracestate: 'rojo=1,congo=2' }
const other: TraceContext = { traceId: 'f'.repeat(32), spanId, flags: 0, tracestate: undefined }

const operations = {
  ask: operation({ path: '/', output: z.number() }),
  shared: operation({ path: '/shared', output: z.number(), coalesce: true }),
  kept: operation({ path: '/kept', output: z.number(), cache: true }),
  tell: operation({ method: 'POST', path: '/', body: z.unknown(), output: z.number(), idempotencyKey: () => 'once' }),
}

async function arrange(t: Test, script: Script, options: Partial<UpstreamOptions> = {}) {
  const raw = await rawUpstream(t, script)
  const runtime = createRuntime({ environment: { SECRET: 'a secret of a client' } })
  t.teardown(() => runtime.close())
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, breaker: false, traceContext: true, ...options },
    operations,
  )
  return { raw, runtime, cats }
}

/** A custom layer that adds headers to each call. */
const adding =
  (headers: Readonly<Record<string, string>>): CustomLayer =>
  next =>
  call =>
    next(call.with({ headers }))

test('a trace is sent only to an upstream that takes part in it, and only by a run that has one', async t => {
  const without = await arrange(t, json(1), { traceContext: false })
  await without.runtime.send(testRun({ trace }).ask(without.cats.ask()))
  const { raw, runtime, cats } = await arrange(t, json(1))
  await runtime.send(testRun().ask(cats.ask()))
  for (const { requests } of [without.raw, raw])
    t.same(
      requests.map(request => [valuesOf(request, 'traceparent'), valuesOf(request, 'tracestate')]),
      [[[], []]],
    )
})

test('the trace is sent beside all other headers, and an absent tracestate is not sent', async t => {
  const { raw, runtime, cats } = await arrange(t, json(1), {
    headers: { 'x-a': '1' },
    forwardHeaders: ['x-tenant'],
    auth: { bearer: env('SECRET') },
  })
  await runtime.send(testRun({ trace, headers: { 'x-tenant': 'b' } }).ask(cats.tell({ body: 1 })))
  await runtime.send(testRun({ trace: other }).ask(cats.ask()))
  const [one, two] = raw.requests as [(typeof raw.requests)[0], (typeof raw.requests)[0]]
  t.match(sentTrace(one), { traceId, flags: '01', tracestate: 'rojo=1,congo=2' })
  t.match(sentTrace(two), { traceId: other.traceId, flags: '00', tracestate: undefined })
  for (const [name, value] of [
    ['x-a', '1'],
    ['x-tenant', 'b'],
    ['authorization', 'Bearer a secret of a client'],
    ['idempotency-key', 'once'],
  ] as const)
    t.same(valuesOf(one, name), [value], name)
})

test('calls of the same run, and its retries, each have a span of their own', async t => {
  const { raw, runtime, cats } = await arrange(
    t,
    (socket, { index }) => socket.write(index === 1 ? json({}, 503) : json(1)),
    { retry: { initialDelay: 0 } },
  )
  const run = testRun({ trace })
  await runtime.send(run.ask(cats.ask()))
  await runtime.send(run.ask(cats.ask()))
  const sent = sentTraces(raw)
  t.equal(sent.length, 3)
  t.same(new Set(sent.map(each => each.traceId)), new Set([traceId]))
  t.equal(new Set([spanId, ...sent.map(each => each.spanId)]).size, 4)
})

test('a second attempt of a hedge has a span of its own', async t => {
  const { raw, runtime, cats } = await arrange(
    t,
    (socket, { index }) => {
      if (index === 1) socket.write(json(2))
    },
    { hedge: { delay: 1, maxRatio: 1 }, retry: false, attemptTimeout: 60_000 },
  )
  t.match(await runtime.send(testRun({ trace }).ask(cats.ask())), { value: 2 })
  const [one, two] = sentTraces(raw)
  t.match([one, two], [{ traceId }, { traceId }])
  t.not(one?.spanId, two?.spanId)
})

test('the id of a recorded span of the attempt is the one that is sent', async t => {
  const { raw, runtime, cats } = await arrange(t, json(1))
  const call = testRun({ trace }).ask(cats.ask())
  call.attempt.spanId = 'abcdef0123456789'
  await runtime.send(call)
  t.equal(sentTraces(raw)[0]?.spanId, 'abcdef0123456789')
})

test('callers of one flight share the trace of the caller that started it', async t => {
  let answer = () => {}
  const { raw, runtime, cats } = await arrange(t, socket => {
    answer = () => socket.write(json(1))
  })
  const first = runtime.send(testRun({ trace }).ask(cats.shared()))
  const second = runtime.send(testRun({ trace: other }).ask(cats.shared()))
  await raw.asked(1)
  answer()
  await Promise.all([first, second])
  t.match(sentTraces(raw), [{ traceId, tracestate: trace.tracestate }])
})

test('callers with different traces share a stored answer', async t => {
  const { raw, runtime, cats } = await arrange(t, json(1, 200, { 'cache-control': 'max-age=60' }))
  t.match(await runtime.send(testRun({ trace }).ask(cats.kept())), { cached: { cache: 'miss' } })
  t.match(await runtime.send(testRun({ trace: other }).ask(cats.kept())), { cached: { cache: 'hit' } })
  t.match(await runtime.send(testRun().ask(cats.kept())), { cached: { cache: 'hit' } })
  t.match(sentTraces(raw), [{ traceId }])
})

test('a refresh in the background belongs to the trace of the run that started it', async t => {
  const { raw, runtime, cats } = await arrange(
    t,
    json(1, 200, { 'cache-control': 'max-age=1, stale-while-revalidate=600', age: '60' }),
  )
  await runtime.send(testRun({ trace: other }).ask(cats.kept()))
  t.match(await runtime.send(testRun({ trace }).ask(cats.kept())), { cached: { cache: 'stale' } })
  await raw.asked(2)
  t.match(sentTraces(raw), [{ traceId: other.traceId }, { traceId, flags: '01', tracestate: trace.tracestate }])
})

test('a call that is given up for a stored answer has sent the trace of its run', async t => {
  const { raw, runtime, cats } = await arrange(t, (socket, { index }) => {
    if (index === 0) socket.write(json(1, 200, { 'cache-control': 'max-age=1, stale-if-error=600', age: '60' }))
  })
  await runtime.send(testRun({ trace: other }).ask(cats.kept()))
  t.match(await runtime.send(testRun({ trace }).ask(cats.kept())), { value: 1, cached: { cache: 'stale' } })
  t.match(sentTraces(raw), [{ traceId: other.traceId }, { traceId }])
})

test('an answer that varies by the trace is stored only where no trace is sent', async t => {
  for (const [traceContext, vary, second] of [
    [true, 'TraceParent', 'miss'],
    [true, 'accept, tracestate', 'miss'],
    [false, 'traceparent', 'hit'],
    [true, 'accept', 'hit'],
  ] as const) {
    const { runtime, cats } = await arrange(t, json(1, 200, { 'cache-control': 'max-age=60', vary }), { traceContext })
    await runtime.send(testRun({ trace }).ask(cats.kept()))
    t.match(await runtime.send(testRun({ trace }).ask(cats.kept())), { cached: { cache: second } }, vary)
  }
})

test('a header that a layer sets is sent in place of ours', async t => {
  const own = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  for (const position of ['call', 'attempt'] as const) {
    const parent = await arrange(t, json(1), { layers: { [position]: [adding({ Traceparent: own })] } })
    await parent.runtime.send(testRun({ trace }).ask(parent.cats.ask()))
    t.match(sentTraces(parent.raw), [{ traceId: 'a'.repeat(32), tracestate: undefined }], position)
    const state = await arrange(t, json(1), { layers: { [position]: [adding({ tracestate: 'own=1' })] } })
    await state.runtime.send(testRun({ trace }).ask(state.cats.ask()))
    t.match(sentTraces(state.raw), [{ traceId, tracestate: 'own=1' }], position)
  }
})

test('the headers of a trace that a layer sets are part of no key', async t => {
  let number = 0
  const layer: CustomLayer = next => call =>
    next(
      call.with({ headers: { traceparent: `00-${traceId}-000000000000000${++number}-01`, tracestate: `a=${number}` } }),
    )
  const { raw, runtime, cats } = await arrange(t, json(1, 200, { 'cache-control': 'max-age=60' }), {
    traceContext: false,
    layers: { call: [layer] },
  })
  await runtime.send(testRun().ask(cats.kept()))
  t.match(await runtime.send(testRun().ask(cats.kept())), { cached: { cache: 'hit' } })
  t.equal(raw.requests.length, 1)

  const call = testRun({ trace }).ask(cats.ask())
  t.equal(keyOf(call.withHeaders({ traceparent: 'a', tracestate: 'b' })), keyOf(testRun().ask(cats.ask())))
  t.not(keyOf(call.withHeaders({ baggage: 'a' })), keyOf(call))
})

test('a request for a token has no trace, and a call that is sent again with a new token has another span', async t => {
  const { raw, runtime } = await arrange(t, (socket, { path, index }) => {
    if (path === '/token') socket.write(json({ access_token: `a${index}`, token_type: 'bearer' }))
    else socket.write(index === 1 ? json({}, 401) : json(1))
  })
  const { ask } = defineUpstream(
    'authorized',
    {
      origin: raw.origin,
      traceContext: true,
      auth: { oauth2: { tokenUrl: `${raw.origin}/token`, clientId: 'me', clientSecret: env('SECRET') } },
    },
    operations,
  )
  await runtime.send(testRun({ trace }).ask(ask()))
  t.same(
    raw.requests.map(request => [request.path, valuesOf(request, 'traceparent').length]),
    [
      ['/token', 0],
      ['/', 1],
      ['/token', 0],
      ['/', 1],
    ],
  )
  const [one, two] = raw.requests.filter(({ path }) => path === '/').map(sentTrace)
  t.match([one, two], [{ traceId }, { traceId }])
  t.not(one?.spanId, two?.spanId)
})

test('a declaration that names the headers of a trace is refused with the fix', async t => {
  const define = (options: object) =>
    defineUpstream('cats', { origin: 'http://cats.example', ...options }, { ask: operations.ask })
  for (const header of ['traceparent', 'Tracestate']) {
    t.throws(() => define({ forwardHeaders: [header] }), {
      name: 'TypeError',
      message:
        `upstream 'cats': the header '${header}' cannot be forwarded, since it names the span of the caller, and each ` +
        'attempt has a span of its own: leave it out of forwardHeaders, and set traceContext: true',
    })
    t.throws(() => define({ headers: { [header]: 'a' } }), {
      name: 'TypeError',
      message:
        `upstream 'cats': headers has '${header}', whose value differs from request to request: leave it out, and ` +
        'set traceContext: true',
    })
    t.throws(() => define({ auth: { header, secret: env('SECRET') } }), {
      name: 'TypeError',
      message: `upstream 'cats': auth cannot use the header '${header}', which calls set themselves: choose another header`,
    })
  }
  t.throws(() => define({ traceContext: 'yes' }), {
    name: 'TypeError',
    message: "upstream 'cats': traceContext must be true or false, got a string",
  })
})
