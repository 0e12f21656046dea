import { test } from 'tap'
import { z } from 'zod'
import { aggregate, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { problemOf } from '../helpers/problem-of.ts'

const answers: Readonly<Record<string, (respond: (body: string, headers?: Record<string, string>) => void) => void>> = {
  '/good': respond => respond('{"n":1}'),
  '/large': respond => respond(JSON.stringify({ n: 1, padding: 'x'.repeat(3000) })),
  '/many': respond => respond(JSON.stringify({ n: 1, padding: times(200, index => index) })),
  '/shape': respond => respond('{"n":"one"}'),
  '/headers': respond => respond('{"n":1}', { 'x-long': 'x'.repeat(20_000) }),
}

test('a bound that one call exceeds is the loss of that call, which an each and an optional step tolerate', async t => {
  const upstream = await httpUpstream(t, ({ request, response }) => {
    answers[request.url ?? '']?.((body, headers = {}) =>
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body),
    )
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { get } = defineUpstream(
    'bounded',
    { origin: upstream.origin, retry: false, maxResponseBytes: 2000, maxJsonValues: 100 },
    { get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.object({ n: z.number() }) }) },
  )
  for (const [id, code] of [
    ['large', 'UPSTREAM_TOO_LARGE'],
    ['many', 'UPSTREAM_TOO_LARGE'],
    ['shape', 'UPSTREAM_SCHEMA'],
    ['headers', 'UPSTREAM_PROTOCOL'],
  ] as const) {
    const described = aggregate('tolerant', { url: '/tolerant', deadline: 20_000 })
      .each('list', () => ['good', id].map(each => get({ id: each })), { minSuccess: 1, fallback: null })
      .optional('one', () => get({ id }), { fallback: null })
      .reply(z.unknown(), ({ list, one }) => ({ list, one }))
    const { data, complete, sources } = await fanOut(described, {}, { runtime })
    t.same([data, complete], [{ list: [{ n: 1 }, null], one: null }, false], id)
    t.match(sources, { list: { state: 'partial', failed: [{ index: 1, code }] }, one: { state: 'fallback', code } }, id)
  }
})

test('a list that the queue of its upstream refuses is lost call by call', async t => {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { get, other } = defineUpstream(
    'narrow',
    { origin: upstream.origin, retry: false, concurrency: 1, connections: 1, maxQueue: 1 },
    {
      get: operation({ path: '/{id}', params: z.object({ id: z.number() }), output: z.unknown() }),
      other: operation({ path: '/other', output: z.unknown() }),
    },
  )
  const hold = aggregate('holding', { url: '/holding', deadline: 20_000 })
    .each('all', () => [other(), other()])
    .reply(z.unknown(), () => 1)
  const held = new AbortController()
  const holding = problemOf(fanOut(hold, {}, { runtime, signal: held.signal })).catch((error: unknown) => error)
  const asked = await upstream.arrived('GET /other')
  const described = aggregate('refused', { url: '/refused', deadline: 20_000 })
    .each('list', () => times(5, id => get({ id })), { minSuccess: 0, fallback: null })
    .reply(z.unknown(), ({ list }) => list)
  const { data, sources } = await fanOut(described, {}, { runtime })
  t.same(data, [null, null, null, null, null])
  t.match(sources.list, {
    state: 'partial',
    calls: 5,
    ok: 0,
    failed: times(5, index => ({ index, code: 'BULKHEAD_FULL' })),
  })
  held.abort(new Error('seen'))
  await holding
  await asked.closed
})

test('an input that an operation refuses is not a loss of one call: the function of the step throws it', async t => {
  const { get } = defineUpstream(
    'picky',
    { origin: 'http://picky.test' },
    { get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.unknown() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const listing = (minSuccess: number) =>
    aggregate('listing', { url: '/listing' })
      .each('list', () => ['a', '..'].map(id => get({ id })), { minSuccess, fallback: null })
      .reply(z.unknown(), ({ list }) => list)
  t.match(await problemOf(fanOut(listing(1), {}, { runtime })), { code: 'CALL_INPUT_INVALID' })
  t.match(await fanOut(listing(0), {}, { runtime }), {
    data: [],
    complete: false,
    sources: { list: { state: 'fallback', code: 'CALL_INPUT_INVALID' } },
  })
})
