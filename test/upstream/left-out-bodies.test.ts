import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

const body = z.object({ name: z.string() }).optional()
const output = z.unknown()
const operations = {
  post: operation({ method: 'POST', path: '/', body, output }),
  put: operation({ method: 'PUT', path: '/', body, output }),
  patch: operation({ method: 'PATCH', path: '/', body, output }),
  remove: operation({ method: 'DELETE', path: '/', body, output }),
  ping: operation({ method: 'POST', path: '/', output }),
  text: operation({ method: 'POST', path: '/', body: z.string(), output }),
  nullable: operation({ method: 'POST', path: '/', body: z.null(), output }),
  kept: operation({
    method: 'POST',
    path: '/',
    body: z.string().transform(text => (text === '' ? undefined : text)),
    output,
  }),
  anything: operation({ method: 'POST', path: '/', body: z.unknown(), output }),
  keyed: operation({ method: 'POST', path: '/', body, output, idempotencyKey: () => 'k' }),
}

async function arrange(t: Test, options: Partial<UpstreamOptions> = {}, failures = 0) {
  let left = failures
  const upstream = await rawUpstream(t, socket => socket.write(json(null, left-- > 0 ? 503 : 200)))
  const cats = defineUpstream('cats', { origin: upstream.origin, ...options }, operations)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return {
    cats,
    upstream,
    /** Sends a call and gives the headers of the last request that say something of a body. */
    out: async (call: Parameters<ReturnType<typeof testRun>['ask']>[0]) => {
      await runtime.send(testRun().ask(call))
      const { headers, body } = upstream.requests.at(-1) as (typeof upstream.requests)[0]
      return { ...Object.fromEntries(headers.filter(([name]) => /^(?:content-|transfer)/.test(name))), body }
    },
  }
}

const none = { 'content-length': '0', body: '' }
const tom = { 'content-type': 'application/json', 'content-length': '14', body: '{"name":"tom"}' }

test('a body that is left out has no content type, and a length of 0 where the method expects a body', async t => {
  const { cats, out } = await arrange(t)
  for (const ask of [cats.post, cats.put, cats.patch]) {
    t.same(await out(ask()), none)
    t.same(await out(ask({})), none)
    t.same(await out(ask({ body: undefined })), none)
    t.same(await out(ask({ body: { name: 'tom' } })), tom, 'one that is given')
    t.same(await out(ask()), none, 'and one that is left out after it')
  }
  t.same(await out(cats.remove()), { body: '' }, 'RFC 9110, section 8.6: a DELETE expects none')
  t.same(await out(cats.remove({ body: { name: 'tom' } })), tom)
  t.same(await out(cats.ping()), none)
})

test('a body that a schema makes undefined is not sent, and null and an empty string are sent', async t => {
  const { cats, out } = await arrange(t)
  t.same(await out(cats.kept({ body: '' })), none)
  t.same(await out(cats.kept({ body: 'a' })), { ...tom, 'content-length': '3', body: '"a"' })
  t.same(await out(cats.anything()), none)
  t.same(await out(cats.anything({ body: null })), { ...tom, 'content-length': '4', body: 'null' })
  t.same(await out(cats.nullable({ body: null })), { ...tom, 'content-length': '4', body: 'null' })
  t.same(await out(cats.text({ body: '' })), { ...tom, 'content-length': '2', body: '""' })
})

test('a body that its schema needs cannot be left out', async t => {
  const { cats } = await arrange(t)
  // @ts-expect-error -- the types say so too
  t.throws(() => cats.text({}), { code: 'CALL_INPUT_INVALID', message: /body: / })
})

test('a repetition leaves the content type out too', async t => {
  const { cats, out, upstream } = await arrange(t, { retry: { initialDelay: 0 } }, 1)
  t.same(await out(cats.keyed()), none)
  t.equal(upstream.requests.length, 2)
  t.notOk(upstream.requests.some(({ headers }) => headers.some(([name]) => name === 'content-type')))
})

test('headers that a layer and a declaration add change nothing of that', async t => {
  const { cats, out } = await arrange(t, {
    headers: { 'x-declared': '1' },
    layers: { call: [next => call => next(call.with({ headers: { 'x-layer': '1' } }))] },
  })
  t.same(await out(cats.post()), none)
  t.same(await out(cats.post({ body: { name: 'tom' } })), tom)
})

test('an upstream on Fastify takes a call whose body is left out', async t => {
  const app = fastify()
  app.post('/', async request => ({ body: request.body ?? null }))
  app.delete('/', async request => ({ body: request.body ?? null }))
  t.teardown(() => app.close())
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const cats = defineUpstream('cats', { origin }, operations)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  for (const [ask, value] of [
    [cats.post(), null],
    [cats.remove(), null],
    [cats.post({ body: { name: 'tom' } }), { name: 'tom' }],
  ] as const)
    t.match(await runtime.send(testRun().ask(ask)), { value: { body: value }, status: 200 })
})
