import { test } from 'tap'
import { z } from 'zod'
import { aggregate, refuse, skip } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import type { ProblemBody } from '../helpers/problem.ts'
import { serveApp } from '../helpers/served-app.ts'

const shop = defineUpstream(
  'shop',
  { origin: 'http://shop.test' },
  {
    orders: operation({ path: '/orders', output: z.object({ for: z.string() }) }),
  },
)

const orders = aggregate('orders', {
  url: '/v1/orders',
  headers: z.object({ authorization: z.string().optional() }),
  cacheControl: 'private, max-age=5',
})
  .context(({ headers }) =>
    headers.authorization === undefined
      ? refuse(401, 'Say who you are.')
      : { user: headers.authorization.replace('Bearer ', '') },
  )
  .required('orders', () => shop.orders())
  .reply(z.object({ for: z.string() }), ({ orders }) => orders)
  .onReply(({ context }) => ({ headers: { 'x-user': context.user, 'set-cookie': ['a=1', 'b=2'] } }))

test('the result of context() reaches the upstream through a layer, and the headers of onReply() reach the caller', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => json({ for: request.headers['x-user'] }))
  const { get } = await serveApp(t, {
    aggregates: [orders],
    overrides: { shop: { origin: upstream.origin } },
    layers: {
      call: [next => call => next(call.with({ headers: { 'x-user': (call.context as { user: string }).user } }))],
    },
  })
  for (const user of ['ada', 'bob']) {
    const { status, headers, body } = await get('/v1/orders', { headers: { authorization: `Bearer ${user}` } })
    t.match({ status, body }, { status: 200, body: { data: { for: user }, complete: true } })
    t.equal(headers.get('x-user'), user)
    t.same(headers.getSetCookie(), ['a=1', 'b=2'])
  }
  const { headers } = await get('/v1/orders', { headers: { authorization: 'Bearer ada' } })
  const same = await get('/v1/orders', {
    headers: { authorization: 'Bearer ada', 'if-none-match': headers.get('etag') ?? '' },
  })
  t.same([same.status, same.headers.get('x-user')], [304, 'ada'])
  t.match(await get<ProblemBody>('/v1/orders'), { status: 401, body: { code: 'REFUSED', detail: 'Say who you are.' } })
  t.equal(upstream.log.length, 4, 'nothing was asked for the one who was refused')
})

test('a context() that asks a call is in the body, in the headers and in the log of a reply', async t => {
  const upstream = await httpUpstream(t, ({ request, response }) => {
    const status = Number(/^\/users\/(\d{3})$/.exec(request.url ?? '')?.[1] ?? 200)
    response
      .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'max-age=60' })
      .end(JSON.stringify({ for: request.url }))
  })
  const users = defineUpstream(
    'users',
    { origin: upstream.origin, retry: false },
    {
      find: operation({
        path: '/users/{id}',
        params: z.object({ id: z.string() }),
        output: z.object({ for: z.string() }),
        cache: true,
      }),
    },
  )
  const flag = z.stringbool().default(false)
  const parts = { query: z.object({ user: z.string(), catch: flag, both: flag }) }
  const declare = (name: string, envelope: boolean) =>
    aggregate(name, { url: `/v1/${name}`, envelope, ...parts })
      .context(async ({ ask, query }) => {
        const found = ask(users.find({ id: query.user }))
        return query.catch ? found.catch(() => ({ for: 'nobody' })) : found
      })
      .required('one', () => 1)
      .optional('two', ({ query }) => (query.both ? users.find({ id: query.user }) : skip), { fallback: null })
      .reply(z.string(), ({ context }) => context.for)
  const lines: Record<string, unknown>[] = []
  const { get } = await serveApp(t, {
    aggregates: [declare('boxed', true), declare('bare', false)],
    logger: {
      level: 'info',
      stream: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    },
  })

  const whole = await get('/v1/boxed?user=ada')
  t.match(whole.body, {
    data: '/users/ada',
    complete: true,
    sources: { context: { state: 'ok', start: 0, attempts: 1, status: 200, cache: 'miss' }, one: { state: 'ok' } },
  })
  t.match(whole.text, /"sources":\{"context":/, 'it is the first source')
  t.match(whole.headers.get('server-timing'), /^context;dur=[\d.]+;desc="ok", one;dur=/)
  t.match(whole.headers.get('cache-status'), 'headwaters;fwd=miss;detail=context')
  t.match(
    (await get('/v1/bare?user=ada')).headers.get('headwaters-sources'),
    /^context=ok;start=0;ms=[\d.]+;attempts=0;status=200;cache=hit;age=\d+;ttl=\d+, one=ok;/,
  )

  t.match(await get('/v1/boxed?user=500'), {
    status: 502,
    body: {
      code: 'UPSTREAM_STATUS',
      detail: /^Step 'context': users answered with an unexpected status/,
      sources: { context: { state: 'failed', status: 500, code: 'UPSTREAM_STATUS' }, one: { state: 'cancelled' } },
    },
  })
  t.match(lines.at(-1), { code: 'UPSTREAM_STATUS', detail: /^Step 'context': users / })

  const caught = await get('/v1/bare?user=500&catch=true')
  t.equal(caught.headers.get('headwaters-complete'), '?1')
  t.match(
    caught.headers.get('headwaters-sources'),
    /^context=ok;start=0;ms=[\d.]+;attempts=1;calls=1;ok=0;failed=1, one=ok;/,
  )
  await get('/v1/boxed?user=500&catch=true&both=true')
  t.match(lines.at(-1), {
    msg: 'reply is partial',
    sources: {
      context: { state: 'ok', lost: [{ code: 'UPSTREAM_STATUS' }] },
      two: { state: 'fallback', code: 'UPSTREAM_STATUS' },
    },
  })
})
