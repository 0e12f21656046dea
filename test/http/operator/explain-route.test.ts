import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { Explainer } from '../../../src/explain/explainer.ts'
import type { Explanation, ListedAggregate } from '../../../src/explain/explanation.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { addExplainRoutes } from '../../../src/http/operator/explain-route.ts'
import { handleErrorsAsProblems } from '../../../src/http/problems/problem-handler.ts'
import { acceptAllMethods } from '../../../src/http/routing/allowed-methods.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { listening } from '../../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../../helpers/problem.ts'

const api = defineUpstream(
  'api',
  { origin: 'https://a.example', forwardHeaders: ['accept-language'] },
  {
    order: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.unknown() }),
  },
)
const orders = aggregate('orders', {
  url: '/orders/{id}',
  params: z.object({ id: z.string() }),
  query: z.object({ size: z.coerce.number().default(1) }),
  headers: z.object({ 'x-kind': z.string().optional() }),
  deadline: 500,
})
  .required('order', ({ params, query }) => api.order({ id: `${params.id}-${query.size}` }))
  .required('next', ({ order }) => api.order({ id: (order as { readonly next: string }).next }), { needs: ['order'] })
  .reply(z.unknown(), () => 1)
const posted = aggregate('posted', { url: '/posted', body: z.object({ a: z.string() }) })
  .required('it', ({ body }) => api.order({ id: body.a }))
  .reply(z.unknown(), () => 1)
const thrown = aggregate('thrown', { url: '/thrown' })
  .required('it', (): number => {
    throw new Error('SECRET-9f2d')
  })
  .reply(z.unknown(), () => 1)

/** Serves the explanations of these aggregates. */
function serveExplanations(t: Test, access: { readonly key?: string } = {}, aggregates = [orders, posted, thrown]) {
  const explainer = new Explainer(aggregates, { overrides: {}, variableOf: () => undefined })
  const app = fastify()
  acceptAllMethods(app)
  handleErrorsAsProblems(app)
  addExplainRoutes(app, access, () => explainer)
  return listening(t, app)
}

test('the list has each aggregate with the fields of its input', async t => {
  const ask = await serveExplanations(t)
  const { status, headers, body } = await ask<{ readonly aggregates: readonly ListedAggregate[] }>('/explain')
  t.equal(status, 200)
  t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
  t.same(body.aggregates.slice(0, 2), [
    {
      name: 'orders',
      method: 'GET',
      url: '/orders/{id}',
      fields: [
        { name: 'id', in: 'params', required: true },
        { name: 'size', in: 'query', required: false },
        { name: 'x-kind', in: 'headers', required: false },
      ],
    },
    { name: 'posted', method: 'POST', url: '/posted', fields: [{ name: 'body', in: 'body', required: true }] },
  ])
  const text = await ask('/explain', { headers: { accept: 'text/plain' } })
  t.match(text.text, /^orders {2}GET \/orders\/\{id\}\n {2}fields: id, \[size\], \[x-kind\]\n/)
})

test('the query of the request gives the params, the query and the values of steps', async t => {
  const ask = await serveExplanations(t)
  const { status, headers, body } = await ask<Explanation>(`/explain/orders?id=a&size=2&value.order={"next":"b"}`, {
    headers: { 'x-request-timeout-ms': '300', 'accept-language': 'en' },
  })
  t.equal(status, 200)
  t.equal(headers.get('cache-control'), 'no-store')
  t.match(body, {
    aggregate: 'orders',
    limits: [{ name: 'deadline', value: 300, from: 'caller' }],
    steps: [{ calls: [{ path: '/a-2' }] }, { after: ['order'], calls: [{ path: '/b' }] }],
  })
  t.ok(
    body.steps[0]?.calls[0]?.headers.some(({ name, from }) => name === 'accept-language' && from === 'forwardHeaders'),
  )
  t.match((await ask<Explanation>('/explain/posted')).body.steps, [{ calls: [{ path: '/{body.a}' }] }])
})

test('an explanation is text for a browser, and for a caller that asks for text', async t => {
  const ask = await serveExplanations(t)
  const text = await ask('/explain/orders', { headers: { accept: 'text/plain' } })
  t.equal(text.headers.get('content-type'), 'text/plain; charset=utf-8')
  t.equal(text.headers.get('vary'), 'accept')
  t.match(text.text, 'GET /{params.id}-1')
  const browser = await ask('/explain/orders', { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
  t.equal(browser.text, text.text)
  for (const accept of ['*/*', 'application/json', 'application/json, text/plain'])
    t.match(await ask('/explain/orders', { headers: { accept } }), { body: { aggregate: 'orders' } }, accept)
})

test('a wrong input is refused with all its faults', async t => {
  const ask = await serveExplanations(t)
  const refused = await ask<ProblemBody>('/explain/orders?size=big')
  isProblem(t, refused, 400, 'INPUT_INVALID')
  t.match(refused.body.errors, [{ pointer: '/query/size' }])
  const question = await ask<ProblemBody>('/explain/orders?value.order={&id=%ff', {
    headers: { 'x-request-timeout-ms': 'soon' },
  })
  isProblem(t, question, 400, 'INPUT_INVALID')
  t.same(
    question.body.errors?.map(({ pointer }) => pointer),
    ['/query', '/headers/x-request-timeout-ms', '/query/value.order'],
  )
  const step = await ask<ProblemBody>('/explain/orders?value.ordr=1&value.x=1')
  t.same(step.body.errors, [
    { pointer: '/query/value.ordr', reason: "names no step: did you mean 'order'?" },
    { pointer: '/query/value.x', reason: 'names no step: use order, next' },
  ])
})

test('an unknown aggregate is 404 with the nearest name, and names of every object are unknown', async t => {
  const ask = await serveExplanations(t)
  const unknown = await ask<ProblemBody>('/explain/order')
  isProblem(t, unknown, 404, 'NOT_FOUND')
  t.match(unknown.body.detail, "did you mean 'orders'?")
  for (const name of ['__proto__', 'constructor', 'toString', '%00', 'x'.repeat(80)])
    isProblem(t, await ask(`/explain/${name}`), 404, 'NOT_FOUND')
  const many = await ask<Explanation>(
    '/explain/orders?__proto__=1&constructor=2&value.order={"__proto__":{"next":"x"}}',
  )
  t.equal(many.status, 200)
  isProblem(t, await ask('/explain/orders?value.__proto__={"id":1}'), 400, 'INPUT_INVALID')
})

test('explanations can be read with GET and HEAD only, and need the key', async t => {
  const ask = await serveExplanations(t)
  for (const path of ['/explain', '/explain/orders']) {
    t.match(await ask(path, { method: 'HEAD' }), { status: 200, text: '' })
    isProblem(t, await ask(path, { method: 'POST' }), 405, 'METHOD_NOT_ALLOWED')
  }
  const key = 'admin-key-0123456789'
  const guarded = await serveExplanations(t, { key })
  for (const path of ['/explain', '/explain/orders', '/explain/none'])
    isProblem(t, await guarded(path), 401, 'UNAUTHENTICATED')
  const { body, status } = await guarded<Explanation>('/explain/orders', {
    headers: { authorization: `Bearer ${key}` },
  })
  t.equal(status, 200)
  t.notMatch(JSON.stringify(body), key)
})

test('the key of the operator is not the authorization of the request that is explained', async t => {
  const seen: unknown[] = []
  const keyed = aggregate('keyed', {
    url: '/keyed',
    headers: z.object({
      authorization: z.string().refine(value => {
        seen.push(value)
        return value.startsWith('Basic ')
      }),
    }),
  })
    .required('it', ({ headers }) => api.order({ id: headers.authorization }))
    .reply(z.unknown(), () => 1)
  const key = 'admin-key-0123456789'
  const ask = await serveExplanations(t, { key }, [keyed] as never)
  const { status, body } = await ask<Explanation>('/explain/keyed', { headers: { authorization: `Bearer ${key}` } })
  t.equal(status, 200)
  t.match(body.steps, [{ calls: [{ path: '/{headers.authorization}' }] }])
  t.same(seen, [])
  const open = await serveExplanations(t, {}, [keyed] as never)
  await open('/explain/keyed', { headers: { authorization: 'Basic abc' } })
  t.same(seen, ['Basic abc'], 'without a key the header is of the request that is explained')
})

test('the message of an error is not in an explanation over HTTP', async t => {
  const ask = await serveExplanations(t)
  const { text, body } = await ask<Explanation>('/explain/thrown')
  t.notMatch(text, 'SECRET-9f2d')
  t.match(body.steps[0]?.notes, [/^cannot be shown: its function failed: Error at \S+explain-route.test.ts:\d+$/])
})

test('explanations are made one after the other, and too many that wait are refused', async t => {
  let running = 0
  let most = 0
  const slow = aggregate('slow', { url: '/slow' })
    .required('it', async () => {
      most = Math.max(most, ++running)
      await new Promise(resolve => setImmediate(resolve))
      running--
      return 1
    })
    .reply(z.unknown(), () => 1)
  const ask = await serveExplanations(t, {}, [slow] as never)
  const got = await Promise.all(Array.from({ length: 40 }, () => ask<ProblemBody>('/explain/slow')))
  t.equal(most, 1)
  const statuses = new Set(got.map(({ status }) => status))
  t.ok(statuses.has(200))
  for (const each of got.filter(({ status }) => status !== 200)) isProblem(t, each, 503, 'OVERLOADED')
  t.equal((await ask('/explain/slow')).status, 200)
})
