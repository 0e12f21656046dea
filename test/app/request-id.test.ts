import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { echoUpstream } from '../helpers/echo-upstream.ts'
import { listening } from '../helpers/listening.ts'

interface Told {
  readonly data: { readonly forwarded: Readonly<Record<string, string>>; readonly schema: string }
}

/** An aggregate that tells which id its schema, its upstream and a layer have seen. */
async function telling(t: Test) {
  const { origin } = await echoUpstream(t)
  const echo = defineUpstream(
    'echo',
    {
      origin,
      forwardHeaders: ['X-Request-Id'],
      layers: {
        call: [next => call => next(call.with({ headers: { 'x-layer': String(call.inbound['x-request-id']) } }))],
      },
    },
    {
      ask: operation({ path: '/', output: z.unknown() }),
    },
  )
  return aggregate('telling', { url: '/telling', headers: z.object({ 'X-Request-ID': z.string() }) })
    .required('forwarded', () => echo.ask())
    .reply(z.unknown(), ({ headers, forwarded }) => ({ forwarded, schema: headers['X-Request-ID'] }))
}

test('an upstream, a schema and a layer see the id that the caller gets back, given, replaced or made', async t => {
  const ask = await listening(t, buildApp([await telling(t)]))
  const requests: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ 'x-request-id': 'a-1' }, /^a-1$/],
    [{}, /^[0-9a-f-]{36}$/],
    [{ 'x-request-id': 'two words' }, /^[0-9a-f-]{36}$/],
    [{ 'x-request-id': 'x'.repeat(129) }, /^[0-9a-f-]{36}$/],
  ]
  for (const [headers, id] of requests) {
    const got = await ask<Told>('/telling', { headers })
    const effective = got.headers.get('x-request-id') ?? ''
    t.match(effective, id)
    t.same(got.body.data, { forwarded: { 'x-request-id': effective, 'x-layer': effective }, schema: effective })
  }
})

test("the request id is end-to-end, although the caller's connection header names it", async t => {
  const app = buildApp([await telling(t)])
  t.teardown(() => app.close())
  const { headers, body } = await app.inject({
    url: '/telling',
    headers: { connection: 'x-request-id', 'x-request-id': 'a-1' },
  })
  t.equal(headers['x-request-id'], 'a-1')
  t.match(JSON.parse(body), { data: { forwarded: { 'x-request-id': 'a-1', 'x-layer': 'a-1' }, schema: 'a-1' } })
})

test("in the plugin the request id is the app's id, or the one that its hooks have set", async t => {
  for (const isSet of [false, true]) {
    const app = fastify({ genReqId: () => 'theirs' })
    if (isSet)
      app.addHook('onRequest', async (_request, reply) => {
        void reply.header('x-request-id', 'set')
      })
    await app.register(headwaters, { aggregates: [await telling(t)] })
    const ask = await listening(t, app)
    const id = isSet ? 'set' : 'theirs'
    const got = await ask<Told>('/telling', { headers: { 'x-request-id': 'a-1' } })
    t.equal(got.headers.get('x-request-id'), id)
    t.same(got.body.data, { forwarded: { 'x-request-id': id, 'x-layer': id }, schema: id })
  }
})
