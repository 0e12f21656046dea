import { Pool } from 'undici'
import fc from 'fast-check'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { dispatch } from '../../../src/upstream/transport/dispatch.ts'
import { testRun, type TestRun } from '../../helpers/call.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'

const operations = {
  ask: operation({ path: '/ask', output: z.unknown() }),
  find: operation({
    path: '/{kind}/find',
    params: z.object({ kind: z.string() }),
    query: z.object({ q: z.string() }),
    output: z.unknown(),
  }),
  text: operation({ path: '/text', output: z.string(), responseType: 'text', accept: ['text/plain', 'text/x'] }),
  head: operation({ method: 'HEAD', path: '/head', output: z.unknown(), allowEmpty: true }),
  tell: operation({
    method: 'POST',
    path: '/tell',
    body: z.object({ a: z.number() }),
    output: z.unknown(),
    idempotencyKey: ({ body }) => `key-${body.a}`,
  }),
  remove: operation({ method: 'DELETE', path: '/remove', output: z.unknown() }),
}

async function arrange(t: Test, options: Partial<UpstreamOptions> = {}, prefix = '') {
  const upstream = await rawUpstream(t, (socket, { method }) =>
    socket.write(
      method === 'HEAD' ? 'HTTP/1.1 200 OK\r\n\r\n' : json(null, 200, { 'content-type': 'application/json' }),
    ),
  )
  const pool = new Pool(upstream.origin, { connections: 1 })
  t.teardown(() => pool.destroy())
  const declared = defineUpstream('raw', { origin: upstream.origin, ...options }, operations)
  const service = dispatch(pool, prefix)
  return {
    ...declared,
    /** Sends a call and gives what went out. */
    out: async (call: Parameters<TestRun['ask']>[0], run: TestRun = testRun()) => {
      await service(run.ask(call)).catch(error => {
        if (error.code !== 'UPSTREAM_CONTENT_TYPE') throw error
      })
      const { method, path, body, headers } = upstream.requests.at(-1) as NonNullable<(typeof upstream.requests)[0]>
      return { method, path, body, headers: headers.filter(([name]) => name !== 'host' && name !== 'connection') }
    },
    host: new URL(upstream.origin).host,
    upstream,
  }
}

test('a call goes out with the headers of its operation and no others', async t => {
  const { out, ask } = await arrange(t)
  t.same(await out(ask(), testRun({ headers: { cookie: 'secret', authorization: 'secret', 'x-any': 'thing' } })), {
    method: 'GET',
    path: '/ask',
    body: '',
    headers: [
      ['accept', 'application/json, application/*+json, text/json'],
      ['accept-encoding', 'gzip, br'],
      ['user-agent', 'headwaters'],
    ],
  })
})

test('the path and query of a call are written below the path prefix of its origin', async t => {
  const { out, find } = await arrange(t, {}, '/v1/proxy')
  t.match(await out(find({ kind: 'c a/t', q: 'ü&?' })), { path: '/v1/proxy/c%20a%2Ft/find?q=%C3%BC%26%3F' })
})

test('accept is what the operation reads', async t => {
  const { out, text } = await arrange(t)
  t.same((await out(text())).headers[0], ['accept', 'text/plain, text/x'])
})

test('a HEAD and a call without a body send none', async t => {
  const { out, head, remove } = await arrange(t)
  t.match(await out(head()), { method: 'HEAD', body: '' })
  const { headers, method } = await out(remove())
  t.equal(method, 'DELETE')
  t.notOk(headers.some(([name]) => name === 'content-type'))
})

test('a body is JSON and says so, and goes out with the key of its call', async t => {
  const { out, tell } = await arrange(t)
  const { method, body, headers } = await out(tell({ body: { a: 7 } }))
  t.equal(method, 'POST')
  t.equal(body, '{"a":7}')
  t.match(Object.fromEntries(headers), {
    'content-type': 'application/json',
    'content-length': '7',
    'idempotency-key': 'key-7',
  })
})

test('declared headers are sent with every call, and may replace those of the service', async t => {
  const { out, ask } = await arrange(t, {
    headers: { 'X-Api-Key': 'k', Accept: 'application/vnd.x+json', 'User-Agent': 'me' },
    decompress: false,
  })
  t.same((await out(ask())).headers, [
    ['x-api-key', 'k'],
    ['accept', 'application/vnd.x+json'],
    ['user-agent', 'me'],
  ])
})

test('a forwarded header wins over a declared one, and the declared one stands where none came', async t => {
  const { out, ask } = await arrange(t, {
    headers: { Authorization: 'ours', 'x-fixed': '1' },
    forwardHeaders: ['Authorization', 'user-agent', 'accept'],
  })
  const sentWith = async (inbound: Record<string, string>) => {
    const { headers } = await out(ask(), testRun({ headers: inbound }))
    return headers.filter(([name]) => name !== 'accept-encoding').toSorted(([a], [b]) => (a < b ? -1 : 1))
  }
  t.same(await sentWith({ authorization: 'theirs', accept: 'a/b', cookie: 'secret' }), [
    ['accept', 'a/b'],
    ['authorization', 'theirs'],
    ['user-agent', 'headwaters'],
    ['x-fixed', '1'],
  ])
  t.match(await sentWith({}), [
    ['accept', /json/],
    ['authorization', 'ours'],
    ['user-agent', 'headwaters'],
    ['x-fixed', '1'],
  ])
})

test('the key of a call leaves once, also where the upstream declares or forwards one', async t => {
  for (const options of [{ forwardHeaders: ['idempotency-key'] }, { headers: { 'Idempotency-Key': 'fixed' } }]) {
    const { out, tell } = await arrange(t, options)
    const { headers } = await out(tell({ body: { a: 1 } }), testRun({ headers: { 'idempotency-key': 'inbound' } }))
    t.same(
      headers.filter(([name]) => name === 'idempotency-key'),
      [['idempotency-key', 'key-1']],
      JSON.stringify(options),
    )
  }
})

test('the forwarded headers of one call are not sent with the next', async t => {
  const { out, ask } = await arrange(t, { forwardHeaders: ['x-tenant'] })
  t.ok((await out(ask(), testRun({ headers: { 'x-tenant': 'a' } }))).headers.some(([name]) => name === 'x-tenant'))
  t.notOk((await out(ask())).headers.some(([name]) => name === 'x-tenant'))
})

const names = [
  'authorization',
  'cookie',
  'x-tenant',
  'x-request-id',
  'baggage',
  'accept-language',
  'constructor',
  'x-api-key',
  'forwarded',
  'via',
  'user-agent',
]
const value = fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/)

test('no header that is not allowed ever leaves, and every allowed one that came does', async t => {
  const { host, upstream } = await arrange(t)
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(names),
      fc.dictionary(fc.constantFrom(...names, 'host', 'transfer-encoding', 'connection'), value),
      async (forward, inbound) => {
        const pool = new Pool(upstream.origin, { connections: 1 })
        const { ask } = defineUpstream('raw', { origin: upstream.origin, forwardHeaders: forward }, operations)
        await dispatch(pool, '')(testRun({ headers: inbound }).ask(ask()))
        await pool.destroy()
        const { headers = [] } = upstream.requests.at(-1) ?? {}
        const came = headers.filter(([name]) => !['accept', 'accept-encoding', 'host', 'connection'].includes(name))
        const sent = forward.filter(name => Object.hasOwn(inbound, name)).map(name => [name, inbound[name]])
        const agent = sent.some(([name]) => name === 'user-agent') ? [] : [['user-agent', 'headwaters']]
        const text = (list: readonly (readonly unknown[])[]) =>
          JSON.stringify(list.map(pair => pair.join(': ')).toSorted())
        if (text(came) !== text([...agent, ...sent])) throw new Error(`${text(came)} left`)
        if (headers.find(([name]) => name === 'host')?.[1] !== host) throw new Error('another host')
      },
    ),
    { numRuns: 40 },
  )
  t.pass('held for 40 lists of headers')
})
