import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { bundleVersion } from '../../src/http/explorer/page.ts'
import { PathIndex } from '../../src/http/guard/path-index.ts'
import { guardRequests } from '../../src/http/guard/request-guard.ts'
import { createPressureGauge, defaultPressureLimits } from '../../src/http/guard/pressure.ts'
import { handleErrorsAsProblems } from '../../src/http/problems/problem-handler.ts'
import { listening } from '../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'

const quick = aggregate('quick', { url: '/v1/quick' })
  .required('now', () => 1)
  .reply(z.number(), ({ now }) => now)
const sink = aggregate('sink', { url: '/v1/sink', body: z.unknown() })
  .required('now', () => 1)
  .reply(z.number(), ({ now }) => now)

async function arrange(t: Test, options: AppOptions) {
  const app = buildApp([quick, sink], options)
  const ask = await listening(t, app)
  const statuses = async (count: number, headers: Record<string, string> = {}) => {
    const all = []
    for (let times = 0; times < count; times++) all.push((await ask('/v1/quick', { headers })).status)
    return all
  }
  return { app, ask, statuses }
}

const from = (address: string) => ({ 'x-forwarded-for': address })

test('a client above its limit gets 429 with retry-after; health routes and documents do not count', async t => {
  const { ask, statuses } = await arrange(t, { rateLimit: 3 })
  t.same(await statuses(3), [200, 200, 200])
  const refused = await ask<ProblemBody>('/v1/quick')
  isProblem(t, refused, 429, 'RATE_LIMITED')
  const after = Number(refused.headers.get('retry-after'))
  t.ok(after >= 1 && after <= 60, `again after ${after} s`)
  t.equal((await ask('/v1/sink', { method: 'POST' })).status, 429, 'aggregates are counted together')
  for (let times = 0; times < 5; times++) t.equal((await ask('/health/ready')).status, 200)
  t.equal((await ask('/openapi.json')).status, 200)
})

test('the bundle of the explorer counts as aggregates do, and its page does not', async t => {
  const { ask, statuses } = await arrange(t, { rateLimit: 3, keys: ['first-key-0123456789'] })
  t.same(await statuses(1, { authorization: 'Bearer none' }), [401])
  const bundle = `/docs/scalar-${bundleVersion}.js`
  const headers = { 'if-none-match': `W/"scalar-${bundleVersion}"` }
  t.same(
    [(await ask(bundle, { headers })).status, (await ask(bundle, { method: 'HEAD', headers })).status],
    [304, 304],
    'without a key',
  )
  isProblem(
    t,
    await ask<ProblemBody>(bundle, { headers: { ...headers, accept: 'application/json' } }),
    429,
    'RATE_LIMITED',
  )
  for (const path of ['/docs', '/docs/explorer.js', '/openapi.json', '/health/ready'])
    t.equal((await ask(path)).status, 200, path)
})

test('without a limit no request is counted', async t => {
  const { statuses } = await arrange(t, {})
  t.same(new Set(await statuses(50)), new Set([200]))
})

test('an x-forwarded-for header of an untrusted client is ignored', async t => {
  const { statuses } = await arrange(t, { rateLimit: 2 })
  t.same(
    [
      ...(await statuses(1, from('192.0.2.1'))),
      ...(await statuses(1, from('192.0.2.2'))),
      ...(await statuses(1, from('192.0.2.3'))),
    ],
    [200, 200, 429],
  )
})

test('each client of a trusted proxy is counted separately', async t => {
  for (const trustProxy of [['127.0.0.0/8'], ['loopback'], true] as const) {
    const { statuses } = await arrange(t, { rateLimit: 2, trustProxy })
    t.same(await statuses(3, from('192.0.2.1')), [200, 200, 429])
    t.same(await statuses(3, from('192.0.2.2')), [200, 200, 429])
    // The last one that is not trusted is the client; what stands before it is the client's own word.
    if (trustProxy !== true) t.same(await statuses(1, from('192.0.2.77, 192.0.2.1')), [429])
  }
  const { statuses } = await arrange(t, { rateLimit: 2, trustProxy: ['10.0.0.0/8'] })
  t.same(
    [...(await statuses(2, from('192.0.2.1'))), ...(await statuses(1, from('192.0.2.2')))],
    [200, 200, 429],
    'another proxy is not',
  )
})

test('the addresses of one IPv6 network are one client', async t => {
  const { statuses } = await arrange(t, { rateLimit: 2, trustProxy: true })
  t.same(
    [
      ...(await statuses(1, from('2001:db8::1'))),
      ...(await statuses(1, from('2001:db8::2'))),
      ...(await statuses(1, from('2001:db8::3'))),
      ...(await statuses(1, from('2001:db8:1::1'))),
    ],
    [200, 200, 429, 200],
  )
})

test('a client with a key is counted by its key, and one with an invalid key by its address', async t => {
  const { statuses } = await arrange(t, {
    rateLimit: 2,
    trustProxy: true,
    keys: ['first-key-0123456789', 'second-key-0123456789'],
  })
  const showing = (key: string, address: string) => ({ ...from(address), authorization: `Bearer ${key}` })
  t.same(
    [
      ...(await statuses(1, showing('first-key-0123456789', '192.0.2.1'))),
      ...(await statuses(1, showing('first-key-0123456789', '192.0.2.2'))),
      ...(await statuses(1, showing('first-key-0123456789', '192.0.2.3'))),
    ],
    [200, 200, 429],
  )
  t.same(await statuses(2, showing('second-key-0123456789', '192.0.2.1')), [200, 200])
  t.same(
    [
      ...(await statuses(1, showing('guess-1', '192.0.2.9'))),
      ...(await statuses(1, showing('guess-2', '192.0.2.9'))),
      ...(await statuses(1, showing('guess-3', '192.0.2.9'))),
    ],
    [401, 401, 429],
    'a caller that guesses is stopped',
  )
})

test('a request above the limit is refused before its body is received', async t => {
  const { app, statuses } = await arrange(t, { rateLimit: 1 })
  t.same(await statuses(1), [200])
  const socket = connect((app.server.address() as { readonly port: number }).port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(
    'POST /v1/sink HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{',
  )
  t.match(await text(socket), /^HTTP\/1\.1 429 [^]*\r\nconnection: close\r\n[^]*RATE_LIMITED/i)
})

test('at most maxClients are counted, and the least recent client is dropped', async t => {
  const app = fastify({ trustProxy: true })
  t.teardown(() => app.close())
  const gauge = createPressureGauge(defaultPressureLimits)
  await guardRequests(app, { gauge, paths: new PathIndex(), rateLimit: 1, keys: [], maxClients: 3 })
  app.get('/', () => 'well')
  const status = async (index: number) => (await app.inject({ url: '/', headers: from(`192.0.2.${index}`) })).statusCode
  const all = []
  for (const index of [1, 2, 3, 3, 1, 4, 3, 2]) all.push(await status(index))
  t.same(all, [200, 200, 200, 429, 429, 200, 429, 200])
})

/** Serves `GET /<n>`, which counts as n calls of a batch. */
async function countingApp(t: Test, options: Partial<Parameters<typeof guardRequests>[1]>) {
  const app = fastify()
  t.teardown(() => app.close())
  handleErrorsAsProblems(app)
  const gauge = createPressureGauge(defaultPressureLimits)
  const { limit } = await guardRequests(app, { gauge, paths: new PathIndex(), rateLimit: 10, keys: [], ...options })
  app.get('/:calls', async request => {
    await limit?.countCalls(request, Number((request.params as { readonly calls: string }).calls))
    return 'well'
  })
  return async (...calls: readonly number[]) => {
    const got = []
    for (const count of calls) {
      const { statusCode, headers, body } = await app.inject(`/${count}`)
      const { code, detail } = statusCode === 200 ? {} : (JSON.parse(body) as ProblemBody)
      got.push({ statusCode, code, detail, after: Number(headers['retry-after']) })
    }
    return got
  }
}

test('a batch counts as many requests as it has calls', async t => {
  const ask = await countingApp(t, {})
  t.match(await ask(1, 4, 5), [{ statusCode: 200 }, { statusCode: 200 }, { statusCode: 200 }], '10 requests of 10')
  const [refused] = await ask(1)
  t.match(refused, { statusCode: 429, code: 'RATE_LIMITED', detail: /wait for the seconds in retry-after/ })
  t.ok((refused?.after as number) >= 1 && (refused?.after as number) <= 60, `again after ${refused?.after} s`)
})

test('a batch that exceeds the limit together with earlier requests gets 429', async t => {
  const ask = await countingApp(t, {})
  t.match(await ask(8, 3), [{ statusCode: 200 }, { statusCode: 429 }])
})

test('the problem of a batch with more calls than the limit tells the caller to send fewer', async t => {
  const ask = await countingApp(t, {})
  t.match(await ask(11), [{ statusCode: 429, detail: /the batch has 11 calls, and the limit is 10 per minute/ }])
})

test('a counter of several processes gets the other calls of a batch in one step', async t => {
  const counted: unknown[][] = []
  let current = 0
  const ask = await countingApp(t, {
    countRequest: async (...args) => {
      counted.push(args)
      return { current: (current += args[1] ?? 1), ttl: 30_000 }
    },
  })
  t.match(await ask(1, 7, 3), [{ statusCode: 200 }, { statusCode: 200 }, { statusCode: 429, after: 30 }])
  const client = counted[0]?.[0]
  t.same(counted, [[client], [client], [client, 6], [client], [client, 2]])
})

test('a batch is accepted if the counter of several processes fails', async t => {
  const ask = await countingApp(t, { countRequest: () => Promise.reject(new Error('away')) })
  t.match(await ask(500), [{ statusCode: 200 }])
})
