import { test } from 'tap'
import { z } from 'zod'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
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
