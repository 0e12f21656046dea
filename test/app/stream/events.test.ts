import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate, refuse } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { httpUpstream } from '../../helpers/http-upstream.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { serve } from './helpers/serve.ts'
import { eventsOfKind, lastBodyOf, openStream, planOf, streamed, withoutTimes } from './helpers/streamed.ts'

const Any = z.unknown()

/** An upstream that answers `/ID` with its id, and `/500` with that status. */
async function upstreamOf(t: Test) {
  const { origin } = await httpUpstream(t, ({ request, json: answer }) => {
    const id = request.url?.slice(1) ?? ''
    answer(id, id.length === 3 ? Number(id) : 200)
  })
  return defineUpstream(
    'up',
    { origin, retry: false },
    { one: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.string() }) },
  )
}

test('a plan leaves before the first call is answered', async t => {
  const held = await rawUpstream(t, () => {})
  const up = defineUpstream('up', { origin: held.origin }, { one: operation({ path: '/', output: Any }) })
  const described = aggregate('held', { url: '/held', deadline: 20_000 })
    .required('first', () => up.one())
    .optional('second', () => 1, { fallback: 0, needs: ['first'] })
    .reply(Any, () => 1)
  const { origin } = await serve(t, [described])
  const stream = await openStream(`${origin}/held`)
  t.equal(stream.status, 200)
  t.match(Object.fromEntries(stream.headers), {
    'content-type': 'application/x-ndjson',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'x-request-id': /./,
  })
  t.match(await stream.next(), {
    event: 'plan',
    run: /^[0-9a-f]{8}-[0-9a-f-]{27}$/,
    deadline: 20_000,
    steps: [
      { name: 'first', kind: 'required', needs: [] },
      { name: 'second', kind: 'optional', needs: ['first'] },
    ],
  })
  stream.leave()
  await held.deserted()
})

test('a stream has the items and the sources of its steps, and the reply', async t => {
  const up = await upstreamOf(t)
  const described = aggregate('list', { url: '/list' })
    .context(async ({ ask }) => ({ id: await ask(up.one({ id: 'c' })) }))
    .each('each', () => [up.one({ id: 'a' }), up.one({ id: '500' })], { minSuccess: 1, fallback: 'none' })
    .optional('last', ({ each }) => each.length, { fallback: 0, needs: ['each'] })
    .reply(Any, ({ each }) => each)
  const { origin } = await serve(t, [described])
  const { events } = await streamed(`${origin}/list`)
  t.same(
    eventsOfKind(events, 'source').map(({ name, outcome }) => [name, outcome.state]),
    [
      ['context', 'ok'],
      ['each', 'partial'],
      ['last', 'ok'],
    ],
  )
  const items = eventsOfKind(events, 'item').sort((one, other) => one.index - other.index)
  t.same(items, [
    { event: 'item', name: 'each', index: 0, calls: 2, state: 'ok' },
    { event: 'item', name: 'each', index: 1, calls: 2, state: 'failed', code: 'UPSTREAM_STATUS', status: 500 },
  ])
  const reply = events.at(-1)
  t.match(reply, { event: 'reply', status: 200, body: { data: ['a', 'none'], complete: false } })
  const sources = (reply as { readonly body: { readonly sources: object } }).body.sources
  t.same(
    Object.fromEntries(eventsOfKind(events, 'source').map(({ name, outcome }) => [name, outcome])),
    sources,
    'each outcome is the entry of the reply',
  )
  const kinds = events.map(({ event }) => event).filter(kind => kind !== 'snapshot')
  t.same(kinds, ['plan', 'source', 'item', 'item', 'source', 'source', 'reply'])
})

test('an error before the plan keeps its status', async t => {
  const described = aggregate('early', { url: '/early', query: z.object({ at: z.string() }) })
    .context(({ query }) => {
      if (query.at === 'refused') refuse(404, 'Not here.')
      if (query.at === 'bug') throw new Error('bug')
      return {}
    })
    .required('one', () => 1)
    .reply(Any, () => 1)
  const { origin } = await serve(t, [described])
  for (const [query, status, code] of [
    ['', 400, 'INPUT_INVALID'],
    ['?at=refused', 404, 'REFUSED'],
    ['?at=bug', 500, 'INTERNAL'],
  ] as const) {
    const got = await streamed(`${origin}/early${query}`)
    t.equal(got.status, status)
    t.equal(got.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    t.equal(got.headers.get('x-accel-buffering'), null)
    t.match(JSON.parse(got.text), { code, status })
  }
  t.equal((await streamed(`${origin}/early?at=ok`)).status, 200)
})

test('a failure after the plan is the last event, with the bytes of the plain problem', async t => {
  const up = await upstreamOf(t)
  const described = aggregate('late', { url: '/late', query: z.object({ at: z.string() }) })
    .required('one', ({ query }): unknown => {
      if (query.at === 'refused') return refuse(409, 'Taken.', { headers: { 'x-own': 'a' } })
      if (query.at === 'busy') return refuse(429, 'Busy.', { retryAfterSeconds: 7 })
      if (query.at === 'bug') throw new Error('bug')
      return up.one({ id: query.at })
    })
    .reply(z.string(), () => (Math.random() < 2 ? (1 as never) : 'a'))
  const { origin, ask } = await serve(t, [described])
  for (const [at, status, code, headers] of [
    ['refused', 409, 'REFUSED', { 'x-own': 'a' }],
    ['busy', 429, 'REFUSED', { 'retry-after': '7' }],
    ['bug', 500, 'INTERNAL', {}],
    ['500', 502, 'UPSTREAM_STATUS', {}],
    ['a', 500, 'REPLY_INVALID', {}],
  ] as const) {
    const url = `/late?at=${at}`
    const got = await streamed(origin + url, { headers: { 'x-request-id': 'same' } })
    const plain = await ask(url, { headers: { 'x-request-id': 'same' } })
    t.equal(got.status, 200, 'the plan was sent')
    t.equal(planOf(got).event, 'plan')
    t.match(got.events.at(-1), { event: 'problem', status, body: { code, status } })
    t.same((got.events.at(-1) as { readonly headers: object }).headers, {
      'content-type': plain.headers.get('content-type'),
      'cache-control': 'no-store',
      ...headers,
    })
    t.equal(withoutTimes(lastBodyOf(got)), withoutTimes(plain.text))
    t.equal(plain.status, status)
  }
})

test('the body of the last event has the bytes of the plain reply, whatever its form', async t => {
  const up = await upstreamOf(t)
  const wide = { deadline: 20_000 }
  const described = [
    aggregate('boxed', { url: '/boxed', ...wide })
      .required('one', () => up.one({ id: 'a' }))
      .reply(z.object({ one: z.string(), text: z.string() }), ({ one }) => ({ one, text: '\u2028 \u{1f408} \n"' })),
    aggregate('bare', { url: '/bare', envelope: false, cacheControl: 'max-age=60', ...wide })
      .optional('one', () => up.one({ id: 'a' }), { fallback: null })
      .reply(Any, ({ one }) => ({ one })),
    aggregate('partial', { url: '/partial', envelope: false, cacheControl: 'max-age=60', ...wide })
      .optional('one', () => up.one({ id: '500' }), { fallback: null })
      .reply(Any, ({ one }) => ({ one })),
    aggregate('exact', { url: '/exact', ...wide })
      .required('one', () => 2n ** 70n)
      .reply(z.bigint(), ({ one }) => one),
    aggregate('nothing', { url: '/nothing', method: 'POST', ...wide })
      .required('one', () => up.one({ id: 'a' }))
      .reply(z.null(), () => null, { status: 204 }),
    aggregate('hooked', { url: '/hooked', method: 'POST', ...wide })
      .required('one', () => up.one({ id: 'a' }))
      .reply(z.string(), ({ one }) => one, { status: [201, 202] })
      .onReply(() => ({ status: 202, headers: { location: '/a', 'set-cookie': ['a=1', 'b=2'] } })),
    aggregate('large', { url: '/large', ...wide })
      .required('one', () => Array.from({ length: 100_000 }, (_, index) => `row ${index} \u{1f408}`))
      .reply(z.array(z.string()), ({ one }) => one),
  ]
  const { origin, ask } = await serve(t, described)
  for (const { name, route } of described) {
    const { method, url } = route
    const got = await streamed(origin + url, { method })
    const plain = await ask(url, { method })
    t.equal(got.status, 200)
    t.equal(withoutTimes(lastBodyOf(got)), name === 'nothing' ? 'null' : withoutTimes(plain.text), name)
    const last = got.events.at(-1) as { readonly status: number; readonly headers: Record<string, unknown> }
    t.equal(last.status, plain.status, name)
    for (const [header, value] of Object.entries(last.headers)) {
      const own = header === 'set-cookie' ? plain.headers.getSetCookie() : plain.headers.get(header)
      t.same(withoutTimes(JSON.stringify(value)), withoutTimes(JSON.stringify(own)), `${name}: ${header}`)
    }
    const own = ['content-type', 'server-timing', 'cache-control', 'etag', 'vary', 'location', 'headwaters-complete']
    for (const header of own) t.equal(header in last.headers, plain.headers.has(header), `${name}: ${header}`)
  }
})

test('a stream of an aggregate without steps has a plan and a reply', async t => {
  const { origin } = await serve(t, [aggregate('empty', { url: '/empty' }).reply(Any, () => 1)])
  const { events } = await streamed(`${origin}/empty`)
  t.match(events, [
    { event: 'plan', steps: [] },
    { event: 'reply', body: { data: 1, complete: true, sources: {} } },
  ])
})

test('the deadline of the caller is in the plan, and ends the run', async t => {
  const described = aggregate('slow', { url: '/slow', deadline: 20_000 })
    .required('needed', () => new Promise<number>(() => {}))
    .reply(Any, () => 1)
  const { origin } = await serve(t, [described])
  const { events } = await streamed(`${origin}/slow`, { headers: { 'x-request-timeout-ms': '50' } })
  t.match(events, [
    { event: 'plan', deadline: 50 },
    { event: 'source', name: 'needed', outcome: { state: 'failed' } },
    { event: 'problem', status: 504, body: { code: 'DEADLINE_EXCEEDED' } },
  ])
})

test('a caller sees as much of a stream as of a reply', async t => {
  const up = await upstreamOf(t)
  const described = aggregate('list', { url: '/list/{id}', params: z.object({ id: z.string() }) })
    .each('wombat', ({ params }) => [up.one({ id: 'a' }), up.one(params)], { minSuccess: 1, fallback: 'none' })
    .required('numbat', ({ params }) => up.one({ id: params.id === '500' ? 'a' : '501' }), { needs: ['wombat'] })
    .reply(Any, ({ wombat }) => wombat)
  const states = await serve(t, [described], { sources: 'states' })
  const { events } = await streamed(`${states.origin}/list/500`)
  t.same((events[0] as { readonly steps: unknown }).steps, [{ name: 'wombat' }, { name: 'numbat' }])
  for (const { outcome } of eventsOfKind(events, 'source')) t.same(Object.keys(outcome), ['state'])
  for (const item of eventsOfKind(events, 'item'))
    t.same(Object.keys(item), ['event', 'name', 'index', 'calls', 'state'])
  t.same((events.at(-1) as { readonly body: { readonly sources: object } }).body.sources, {
    wombat: { state: 'partial' },
    numbat: { state: 'ok' },
  })

  const none = await serve(t, [described], { sources: 'none' })
  for (const id of ['500', 'b']) {
    const got = await streamed(`${none.origin}/list/${id}`)
    t.same(Object.keys(planOf(got)), ['event', 'run', 'deadline'])
    t.notMatch(got.text + JSON.stringify([...got.headers]), /wombat|numbat|\bup\b/)
    t.equal(eventsOfKind(got.events, 'source').length + eventsOfKind(got.events, 'item').length, 0)
    t.equal(got.events.at(-1)?.event, id === 'b' ? 'problem' : 'reply')
  }
})

test('an aggregate with a body streams too', async t => {
  const described = aggregate('posted', { url: '/posted', body: z.object({ a: z.number() }) })
    .required('one', ({ body }) => body.a)
    .reply(Any, ({ one }) => one)
  const { origin } = await serve(t, [described])
  const init = { method: 'POST', headers: { 'content-type': 'application/json' } }
  const got = await streamed(`${origin}/posted`, { ...init, body: '{"a":7}' })
  t.match(got.events.at(-1), { event: 'reply', body: { data: 7 } })
  t.equal((await streamed(`${origin}/posted`, { ...init, body: '{}' })).status, 400)
})
