import { setImmediate } from 'node:timers/promises'
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AlwaysOffSampler, NoopSpanProcessor } from '@opentelemetry/sdk-trace'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate, offload } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import type * as functions from '../helpers/offloaded.ts'
import { httpUpstream, type Asked } from '../helpers/http-upstream.ts'
import { registerTracing } from '../helpers/tracing.ts'
import { until } from '../helpers/until.ts'

const Any = z.unknown()

/** An upstream whose answers `handle` gives, and what a test needs to call it. */
async function arrange(t: Test, handle: (asked: Asked) => void, options: Partial<UpstreamOptions> = {}) {
  const upstream = await httpUpstream(t, handle)
  const cats = defineUpstream(
    'cats',
    { origin: upstream.origin, retry: false, breaker: false, ...options },
    {
      fact: operation({ path: '/facts/{id}', params: z.object({ id: z.string() }), output: Any }),
      kept: operation({ path: '/kept', output: Any, cache: true }),
      shared: operation({ path: '/shared', output: Any, coalesce: true }),
      late: operation({ path: '/late', output: Any, coalesce: false, cache: { staleAfter: 1, staleIfError: 60_000 } }),
      joined: operation({
        path: '/joined',
        output: Any,
        coalesce: true,
        cache: { staleAfter: 1, staleIfError: 60_000 },
      }),
      find: operation({
        path: '/find',
        query: z.object({ q: z.string(), api_key: z.string(), accessToken: z.string() }),
        output: Any,
      }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return { upstream, cats, runtime, base: aggregate('cat', { url: '/cat', deadline: 20_000 }) }
}

test('without a registered provider a run has no spans, and its functions run as they are', async t => {
  const { base, runtime, cats } = await arrange(t, ({ json }) => json(1))
  let isActive: boolean | undefined
  const plain = base
    .required('fact', () => {
      isActive = trace.getSpan(context.active()) !== undefined
      return cats.fact({ id: '1' })
    })
    .reply(Any, ({ fact }) => fact)
  t.equal((await fanOut(plain, {}, { runtime })).data, 1)
  t.equal(isActive, false)
})

test('a run, its steps and its attempts are one tree, with the names and attributes of the conventions', async t => {
  const tracing = registerTracing(t)
  const { upstream, base, runtime, cats } = await arrange(t, ({ json }) => json(1))
  const both = base
    .context(async () => 'c')
    .required('one', () => cats.fact({ id: '1' }))
    .required('two', () => cats.fact({ id: '2' }), { needs: ['one'] })
    .reply(Any, ({ two }) => two)
  await fanOut(both, {}, { runtime })
  t.same(tracing.tree(), [
    'aggregate cat',
    '  step context',
    '  step one',
    '    GET /facts/{id}',
    '  step two',
    '    GET /facts/{id}',
  ])
  const [attempt] = tracing.named('GET /facts/{id}')
  t.equal(attempt?.kind, SpanKind.CLIENT)
  t.same(attempt?.attributes, {
    'http.request.method': 'GET',
    'url.template': '/facts/{id}',
    'url.full': `${upstream.origin}/facts/1`,
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(upstream.origin).port),
    'headwaters.upstream': 'cats',
    'headwaters.operation': 'fact',
    'http.response.status_code': 200,
  })
  const [step] = tracing.named('step one')
  t.equal(step?.kind, SpanKind.INTERNAL)
  t.same(step?.attributes, {
    'headwaters.aggregate': 'cat',
    'headwaters.step': 'one',
    'headwaters.step.state': 'ok',
  })
  const [run] = tracing.named('aggregate cat')
  t.equal(run?.kind, SpanKind.INTERNAL)
  t.same(run?.attributes, { 'headwaters.aggregate': 'cat', 'headwaters.outcome': 'complete' })
})

test('a run is a child of the active span, and the spans of its functions are children of their steps', async t => {
  const tracing = registerTracing(t)
  const { base, runtime, cats } = await arrange(t, ({ json }) => json(1))
  const own = (name: string) => tracing.tracer.startActiveSpan(name, span => span.end())
  const spanned = base
    .context(async () => {
      await setImmediate()
      own('in context')
      return {}
    })
    .required('fact', async () => {
      own('in step')
      await setImmediate()
      own('in step, later')
      return cats.fact({ id: '1' })
    })
    .reply(Any, ({ fact }) => {
      own('in merge')
      return fact
    })
    .onReply(() => {
      own('in onReply')
      return undefined
    })
  await tracing.tracer.startActiveSpan('of the app', async span => {
    await fanOut(spanned, {}, { runtime })
    span.end()
  })
  t.same(tracing.tree(), [
    'of the app',
    '  aggregate cat',
    '    step context',
    '      in context',
    '    step fact',
    '      in step',
    '      in step, later',
    '      GET /facts/{id}',
    '    in merge',
    '    in onReply',
  ])
})

test('a retry is an attempt of its own, and its pause an event of the step', async t => {
  const tracing = registerTracing(t)
  let asked = 0
  const { base, runtime, cats } = await arrange(t, ({ json }) => json(1, asked++ === 0 ? 503 : 200), {
    retry: { maxAttempts: 2, initialDelay: 1, maxDelay: 1 },
  })
  const retried = base.required('fact', () => cats.fact({ id: '1' })).reply(Any, ({ fact }) => fact)
  await fanOut(retried, {}, { runtime })
  t.same(tracing.tree(), ['aggregate cat', '  step fact', '    GET /facts/{id} !', '    GET /facts/{id}'])
  const [first, second] = tracing.named('GET /facts/{id}')
  t.match(first?.attributes, {
    'http.response.status_code': 503,
    'error.type': '503',
    'headwaters.code': 'UPSTREAM_BUSY',
  })
  t.notOk(Object.hasOwn(first?.attributes ?? {}, 'http.request.resend_count'))
  t.equal(second?.attributes['http.request.resend_count'], 1)
  const [step] = tracing.named('step fact')
  t.match(step?.events, [
    {
      name: 'headwaters.wait',
      attributes: { 'headwaters.wait.reason': 'retry', 'headwaters.operation': 'cats.fact' },
    },
  ])
  t.ok((step?.events[0]?.attributes?.['headwaters.wait.duration_ms'] as number) >= 0)
})

test('a wait for a permit is an event of its step, and no attempt', async t => {
  const tracing = registerTracing(t)
  const { upstream, base, runtime, cats } = await arrange(t, () => {}, { concurrency: 1 })
  const two = base
    .required('one', () => cats.fact({ id: '1' }))
    .required('two', () => cats.fact({ id: '2' }))
    .reply(Any, ({ two: second }) => second)
  const running = fanOut(two, {}, { runtime })
  ;(await upstream.arrived('GET /facts/1')).json(1)
  ;(await upstream.arrived('GET /facts/2')).json(2)
  await running
  t.same(tracing.named('step one')[0]?.events, [])
  t.match(tracing.named('step two')[0]?.events, [
    { name: 'headwaters.wait', attributes: { 'headwaters.wait.reason': 'permit' } },
  ])
  t.equal(tracing.named('GET /facts/{id}').length, 2)
})

test('a hedge links to the first attempt, and the loser ends as cancelled without an error', async t => {
  const tracing = registerTracing(t)
  let asked = 0
  const { base, runtime, cats } = await arrange(t, ({ json }) => void (asked++ > 0 && json(1)), {
    hedge: { delay: 1, maxRatio: 1 },
  })
  const hedged = base.required('fact', () => cats.fact({ id: '1' })).reply(Any, ({ fact }) => fact)
  await fanOut(hedged, {}, { runtime })
  t.same(tracing.tree(), ['aggregate cat', '  step fact', '    GET /facts/{id}', '    GET /facts/{id}'])
  const attempts = tracing.named('GET /facts/{id}')
  const first = attempts.find(({ attributes }) => attributes['http.request.resend_count'] === undefined)
  const second = attempts.find(({ attributes }) => attributes['http.request.resend_count'] === 1)
  t.same(
    second?.links.map(link => link.context.spanId),
    [first?.spanContext().spanId],
  )
  t.equal(second?.attributes['http.response.status_code'], 200)
  t.equal(first?.attributes['headwaters.code'], 'CANCELLED')
  t.equal(first?.attributes['error.type'], undefined)
  t.equal(first?.status.code, SpanStatusCode.UNSET)
})

test('a step that shares an answer links to the attempt, also of another trace', async t => {
  const tracing = registerTracing(t)
  const { upstream, base, runtime, cats } = await arrange(t, () => {})
  const shared = base.required('shared', () => cats.shared()).reply(Any, ({ shared: value }) => value)
  const first = fanOut(shared, {}, { runtime })
  const asked = await upstream.arrived('GET /shared')
  const second = fanOut(shared, {}, { runtime })
  asked.json(1)
  await Promise.all([first, second])
  const [attempt] = tracing.named('GET /shared')
  t.equal(tracing.named('GET /shared').length, 1)
  const steps = tracing.named('step shared')
  t.equal(steps.filter(({ links }) => links.length === 0).length, 1)
  const joined = steps.find(({ links }) => links.length === 1)
  t.equal(joined?.links[0]?.context.spanId, attempt?.spanContext().spanId)
  t.equal(joined?.links[0]?.context.traceId, attempt?.spanContext().traceId)
  t.not(joined?.spanContext().traceId, attempt?.spanContext().traceId)
})

test('a stored answer makes no attempt, and its refresh is a child of the step that started it', async t => {
  const tracing = registerTracing(t)
  const { upstream, base, runtime, cats } = await arrange(t, ({ response }) => {
    response
      .writeHead(200, {
        'content-type': 'application/json',
        'cache-control': 'max-age=60, stale-while-revalidate=600',
        age: upstream.log.length === 1 ? '90' : '0',
      })
      .end('1')
  })
  const kept = base.required('kept', () => cats.kept()).reply(Any, ({ kept: value }) => value)
  await fanOut(kept, {}, { runtime })
  await fanOut(kept, {}, { runtime })
  await until(() => tracing.named('GET /kept').length === 2)
  const [, refresh] = tracing.named('GET /kept')
  const [, second] = tracing.named('step kept')
  t.equal(refresh?.parentSpanContext?.spanId, second?.spanContext().spanId)
  t.equal(refresh?.attributes['headwaters.background'], true)
  t.equal(tracing.named('GET /kept')[0]?.attributes['headwaters.background'], undefined)
  await fanOut(kept, {}, { runtime })
  t.equal(tracing.named('aggregate cat').length, 3)
  t.equal(tracing.named('GET /kept').length, 2, 'a fresh answer makes no attempt')
})

for (const name of ['late', 'joined'] as const)
  test(`a retry after staleAfter has headwaters.background, and the first attempt does not: ${name}`, async t => {
    const tracing = registerTracing(t)
    const held: Asked[] = []
    const { base, runtime, cats } = await arrange(
      t,
      asked => {
        held.push(asked)
        if (held.length === 2) return
        const headers = { 'content-type': 'application/json', 'cache-control': 'max-age=60', age: '90' }
        asked.response.writeHead(200, headers).end('1')
      },
      { retry: { maxAttempts: 2, initialDelay: 1, maxDelay: 1 } },
    )
    const kept = base.required('kept', () => cats[name]()).reply(Any, data => data.kept)
    await fanOut(kept, {}, { runtime })
    const { sources } = await fanOut(kept, {}, { runtime })
    t.match(sources, { kept: { state: 'stale' } })
    held[1]?.json('busy', 503)
    await until(() => tracing.named(`GET /${name}`).length === 3)
    const [, first, retry] = tracing.named(`GET /${name}`)
    t.equal(first?.attributes['headwaters.background'], undefined)
    t.equal(retry?.attributes['headwaters.background'], true)
    const [, step] = tracing.named('step kept')
    t.equal(retry?.parentSpanContext?.spanId, step?.spanContext().spanId)
  })

test('the span of a failed step has an error with its code, and the span of a step with a fallback has no error', async t => {
  const tracing = registerTracing(t)
  const { base, runtime, cats } = await arrange(t, ({ json }) => json(1, 500))
  const failing = base
    .optional('maybe', () => cats.fact({ id: '1' }), { fallback: 0 })
    .required('fact', () => cats.fact({ id: '2' }), { needs: ['maybe'] })
    .reply(Any, ({ fact }) => fact)
  await t.rejects(fanOut(failing, {}, { runtime }), { code: 'UPSTREAM_STATUS' })
  t.same(tracing.tree(), [
    'aggregate cat !',
    '  step maybe',
    '    GET /facts/{id} !',
    '  step fact !',
    '    GET /facts/{id} !',
  ])
  t.match(tracing.named('step maybe')[0]?.attributes, {
    'headwaters.step.state': 'fallback',
    'headwaters.code': 'UPSTREAM_STATUS',
  })
  t.match(tracing.named('step fact')[0]?.attributes, {
    'headwaters.step.state': 'failed',
    'headwaters.code': 'UPSTREAM_STATUS',
    'error.type': 'UPSTREAM_STATUS',
  })
  t.match(tracing.named('aggregate cat')[0]?.attributes, {
    'headwaters.outcome': 'failed',
    'headwaters.code': 'UPSTREAM_STATUS',
    'error.type': 'UPSTREAM_STATUS',
  })
})

test('a cancelled run ends all of its spans, without an error', async t => {
  const tracing = registerTracing(t)
  const { upstream, base, runtime, cats } = await arrange(t, () => {})
  const waiting = base
    .required('fact', () => cats.fact({ id: '1' }))
    .required('never', () => cats.fact({ id: '2' }), { needs: ['fact'] })
    .reply(Any, ({ fact }) => fact)
  const stop = new AbortController()
  const running = fanOut(waiting, {}, { runtime, signal: stop.signal })
  await upstream.arrived('GET /facts/1')
  stop.abort(new Error('no longer needed'))
  await t.rejects(running, { message: 'no longer needed' })
  t.same(tracing.tree(), ['aggregate cat', '  step fact', '    GET /facts/{id}'])
  t.equal(tracing.named('step fact')[0]?.attributes['headwaters.step.state'], 'cancelled')
  t.equal(tracing.named('aggregate cat')[0]?.attributes['headwaters.outcome'], 'cancelled')
  t.equal(tracing.named('GET /facts/{id}')[0]?.attributes['headwaters.code'], 'CANCELLED')
})

test('a run that is cancelled while context() runs ends the span of context()', async t => {
  const tracing = registerTracing(t)
  const { base, runtime } = await arrange(t, () => {})
  const waiting = base.context(() => new Promise(() => {})).reply(Any, () => 1)
  const stop = new AbortController()
  const running = fanOut(waiting, {}, { runtime, signal: stop.signal })
  stop.abort(new Error('no longer needed'))
  await t.rejects(running)
  t.same(tracing.tree(), ['aggregate cat', '  step context'])
  t.equal(tracing.named('step context')[0]?.attributes['headwaters.step.state'], 'cancelled')
})

test('at the deadline each span ends, with the code of the deadline', async t => {
  const tracing = registerTracing(t)
  const { base, runtime, cats } = await arrange(t, () => {})
  const late = base.optional('fact', () => cats.fact({ id: '1' }), { fallback: 0 }).reply(Any, ({ fact }) => fact)
  const { complete } = await fanOut(late, {}, { runtime, deadline: 50 })
  t.equal(complete, false)
  t.match(tracing.named('step fact')[0]?.attributes, {
    'headwaters.step.state': 'fallback',
    'headwaters.code': 'DEADLINE_EXCEEDED',
  })
  t.match(tracing.named('GET /facts/{id}')[0]?.attributes, { 'error.type': 'DEADLINE_EXCEEDED' })
  t.equal(tracing.named('aggregate cat')[0]?.attributes['headwaters.outcome'], 'partial')
})

test('a run whose input is refused has a span with the code', async t => {
  const tracing = registerTracing(t)
  const { runtime } = await arrange(t, () => {})
  const strict = aggregate('strict', { url: '/strict', query: z.object({ n: z.coerce.number() }) }).reply(Any, () => 1)
  await t.rejects(fanOut(strict, { query: { n: 'x' } }, { runtime }), { code: 'INPUT_INVALID' })
  t.same(tracing.tree(), ['aggregate strict'])
  t.match(tracing.named('aggregate strict')[0]?.attributes, {
    'headwaters.outcome': 'failed',
    'headwaters.code': 'INPUT_INVALID',
  })
})

test('a call of a function of context() after the steps started belongs to the span of context()', async t => {
  const tracing = registerTracing(t)
  const { base, runtime, cats } = await arrange(t, ({ json }) => json(1))
  const asking = base
    .context(({ ask }) => ({ later: () => ask(cats.fact({ id: '1' })) }))
    .required('fact', ({ context: { later } }) => later())
    .reply(Any, ({ fact }) => fact)
  await fanOut(asking, {}, { runtime })
  t.same(tracing.tree(), ['aggregate cat', '  step context', '    GET /facts/{id}', '  step fact'])
})

test('a run that the sampler leaves out has no spans, and the spans of its functions are left out too', async t => {
  const tracing = registerTracing(t, new AlwaysOffSampler())
  const { base, runtime, cats } = await arrange(t, ({ json }) => json(1))
  const spanIds = new Set<string | undefined>()
  const plain = base
    .required('fact', () => {
      spanIds.add(trace.getSpanContext(context.active())?.spanId)
      return cats.fact({ id: '1' })
    })
    .reply(Any, ({ fact }) => {
      spanIds.add(trace.getSpanContext(context.active())?.spanId)
      return fact
    })
  await fanOut(plain, {}, { runtime })
  t.same(tracing.ended(), [])
  t.equal(spanIds.size, 1, 'the span of the run is active in all of them')
  t.match([...spanIds][0], /^[0-9a-f]{16}$/)
})

test('where tracing is suppressed a run has no spans', async t => {
  const tracing = registerTracing(t)
  const { base, runtime, cats } = await arrange(t, ({ json }) => json(1))
  const plain = base.required('fact', () => cats.fact({ id: '1' })).reply(Any, ({ fact }) => fact)
  const suppressed = ROOT_CONTEXT.setValue(Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING'), true)
  await context.with(suppressed, () => fanOut(plain, {}, { runtime }))
  t.same(tracing.ended(), [])
})

test('the query of url.full has no credentials', async t => {
  const tracing = registerTracing(t)
  const { upstream, base, runtime, cats } = await arrange(t, ({ json }) => json(1))
  const found = base
    .required('find', () => cats.find({ q: 'tabby', api_key: 'secret-1', accessToken: 'secret-2' }))
    .reply(Any, ({ find }) => find)
  await fanOut(found, {}, { runtime })
  t.equal(
    tracing.named('GET /find')[0]?.attributes['url.full'],
    `${upstream.origin}/find?q=tabby&api_key=REDACTED&accessToken=REDACTED`,
  )
})

test('url.full has the declared base path, and url.template has only the path of the operation', async t => {
  const tracing = registerTracing(t)
  const upstream = await httpUpstream(t, ({ json }) => json(1))
  const { base, runtime, cats } = await arrange(t, ({ json }) => json(1), { origin: `${upstream.origin}/v1/` })
  const plain = base.required('fact', () => cats.fact({ id: '1' })).reply(Any, ({ fact }) => fact)
  await fanOut(plain, {}, { runtime })
  t.match(tracing.named('GET /facts/{id}')[0]?.attributes, {
    'url.full': `${upstream.origin}/v1/facts/1`,
    'url.template': '/facts/{id}',
    'server.port': Number(new URL(upstream.origin).port),
  })
})

test('the port of a server is that of its origin, or else of its scheme', async t => {
  const tracing = registerTracing(t)
  const runtime = createRuntime({ lookup: (_host, _options, done) => done(new Error('no address'), []) })
  t.teardown(() => runtime.close())
  const ports: unknown[] = []
  for (const origin of ['http://cats.example', 'https://cats.example', 'https://cats.example:8443']) {
    const cats = defineUpstream('cats', { origin, retry: false }, { fact: operation({ path: '/fact', output: Any }) })
    const failing = aggregate('cat', { url: '/cat' })
      .required('fact', () => cats.fact())
      .reply(Any, ({ fact }) => fact)
    await t.rejects(fanOut(failing, {}, { runtime }), { code: 'UPSTREAM_UNREACHABLE' })
    ports.push(tracing.named('GET /fact').at(-1)?.attributes['server.port'])
  }
  t.same(ports, [80, 443, 8443])
  const [attempt] = tracing.named('GET /fact')
  t.match(attempt?.attributes, { 'server.address': 'cats.example', 'error.type': 'UPSTREAM_UNREACHABLE' })
  t.equal(attempt?.attributes['http.response.status_code'], undefined)
})

test('functions run with the span of their step active also if functions are offloaded', async t => {
  const tracing = registerTracing(t)
  const { base, runtime } = await arrange(t, () => {})
  const add = offload<typeof functions, 'add'>(new URL('../helpers/offloaded.ts', import.meta.url), 'add')
  const spanned = base
    .required('one', () => {
      tracing.tracer.startActiveSpan('in step', span => span.end())
      return add(1, 2)
    })
    .reply(Any, ({ one }) => {
      tracing.tracer.startActiveSpan('in merge', span => span.end())
      return one
    })
  t.equal((await fanOut(spanned, {}, { runtime })).data, 3)
  t.same(tracing.tree(), ['aggregate cat', '  step one', '    in step', '  in merge'])
})

test('a sampler or a processor that throws does not fail a run', async t => {
  class Throwing extends NoopSpanProcessor {
    override onEnd(): void {
      throw new Error('of the processor')
    }
  }
  const sampler = {
    shouldSample() {
      throw new Error('of the sampler')
    },
  }
  for (const [own, processor] of [
    [undefined, new Throwing()],
    [sampler, undefined],
  ] as const)
    await t.test(own === undefined ? 'a processor' : 'a sampler', async part => {
      registerTracing(part, own, processor)
      const { base, runtime, cats } = await arrange(part, ({ json }) => json(1))
      const plain = base.required('fact', () => cats.fact({ id: '1' })).reply(Any, ({ fact }) => fact)
      part.equal((await fanOut(plain, {}, { runtime })).data, 1)
    })
})
