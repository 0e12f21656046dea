import { test, type Test } from 'tap'
import { z } from 'zod'
import type { UpstreamError } from '../../../src/errors.ts'
import { namesCaller } from '../../../src/core/names-caller.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import type { CustomLayer } from '../../../src/upstream/spec/layer-types.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { until } from '../../helpers/until.ts'

test('a header is known as a credential by the last word of its name', t => {
  const callers = [
    'authorization',
    'cookie',
    'x-api-key',
    'apikey',
    'x-auth-token',
    'x-amz-security-token',
    'x-session-id',
    'x-user',
    'x-user-id',
    'x-tenant',
    'x-tenant-id',
    'x-account-id',
    'x-goog-authenticated-user-email',
    'x-forwarded-client-cert',
    'x-forwarded-for',
    'forwarded',
    'x-real-ip',
    'dpop',
    'x_api_key',
  ]
  const others = [
    'accept-language',
    'user-agent',
    'x-request-id',
    'traceparent',
    'idempotency-key',
    'x-client-version',
    'x-forwarded-proto',
    'x-forwarded-host',
    'authority',
    'monkey',
    'baggage',
    'x-strip',
  ]
  t.same(
    callers.filter(name => !namesCaller(name)),
    [],
  )
  t.same(others.filter(namesCaller), [])
  t.end()
})

/** An upstream that answers the caller `bad` with 429 and all others well; `who` is the header that it reads. */
async function arrange(t: Test, who: string, options: Partial<UpstreamOptions> = {}) {
  const raw = await rawUpstream(t, (socket, { headers }) => {
    const isBad = headers.some(([name, value]) => name === who && value === 'bad')
    socket.write(isBad ? json({}, 429, { 'retry-after': '30' }) : json('well'))
  })
  const upstream = defineUpstream(
    'shared',
    { origin: raw.origin, concurrency: 'adaptive', ...options },
    {
      ask: operation({ path: '/', output: z.unknown() }),
      kept: operation({ path: '/kept', output: z.unknown(), cache: { ttl: 1, staleWhileRevalidate: 60_000 } }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const ask = (name: string, operationName: 'ask' | 'kept' = 'ask') =>
    runtime.send(testRun({ headers: { [who]: name } }).ask(upstream[operationName]()))
  const askOften = async (times = 30) => {
    const codes = new Set<string>()
    for (let time = 0; time < times; time++) codes.add(((await failure(ask('bad'))) as UpstreamError).code)
    return [...codes]
  }
  return { raw, runtime, ask, askOften, stats: () => runtime.stats()['shared'] }
}

for (const who of ['authorization', 'cookie', 'x-api-key', 'x-tenant-id', 'x-forwarded-for']) {
  test(`30 answers of 429 to one caller, known by a forwarded ${who}, harm no other caller`, async t => {
    const { raw, ask, askOften, stats } = await arrange(t, who, { forwardHeaders: [who] })
    t.same(await askOften(), ['UPSTREAM_BUSY'])
    t.equal(raw.requests.length, 30, 'none is sent again: retries would spend the budget of all callers')
    t.match(stats(), { breaker: 'closed', concurrency: 20, failed: 0, ignored: 30 })
    t.equal((await ask('good')).value, 'well', 'the retry-after of one caller does not pause another')
  })
}

/** A custom layer that gives each call the name of its caller, as an author's authentication of callers does. */
const naming: CustomLayer = next => call =>
  next(call.with({ headers: { Authorization: call.inbound['authorization'] ?? 'nobody' } }))

test("answers of 429 to a caller whose credentials a layer at 'call' gives harm no other caller and no refresh of the cache", async t => {
  const { ask, askOften, stats, raw } = await arrange(t, 'authorization', { layers: { call: [naming] } })
  await askOften()
  t.match(stats(), { breaker: 'closed', concurrency: 20, failed: 0 })
  t.equal((await ask('good', 'kept')).value, 'well')
  t.equal(raw.requests.length, 31)
})

test("a refresh of what is kept for a caller is judged as the caller's calls are", async t => {
  let isLimited = false
  const raw = await rawUpstream(t, socket => socket.write(isLimited ? json({}, 429) : json('well')))
  const upstream = defineUpstream(
    'shared',
    { origin: raw.origin, breaker: { minimumCalls: 1 }, layers: { call: [naming] } },
    {
      kept: operation({ path: '/', output: z.unknown(), cache: { ttl: 0, staleWhileRevalidate: 60_000 } }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const ask = () => runtime.send(testRun({ headers: { authorization: 'a' } }).ask(upstream.kept()))
  await ask()
  isLimited = true
  await ask()
  await raw.asked(2)
  await until(() => runtime.stats()['shared']?.active === 0)
  t.match(runtime.stats(), { shared: { breaker: 'closed' } })
})

test('a 429 is a failure of the upstream if no credentials of callers are sent', async t => {
  const signing: CustomLayer = next => call => next(call.with({ headers: { authorization: 'bad' } }))
  const cases: Partial<UpstreamOptions>[] = [
    { headers: { authorization: 'bad' } },
    { headers: { authorization: 'bad' }, forwardHeaders: ['accept-language'] },
    { layers: { attempt: [signing] } },
  ]
  for (const options of cases) {
    const { askOften, stats } = await arrange(t, 'authorization', options)
    await askOften()
    const { breaker, concurrency = 0 } = stats() ?? {}
    t.equal(breaker, 'open')
    t.ok(concurrency < 20, `a concurrency of ${concurrency}`)
  }
})

test('a 503 counts as a failure of the upstream for any caller, and a 401 or 403 never does', async t => {
  for (const [status, breaker] of [
    [503, 'open'],
    [401, 'closed'],
    [403, 'closed'],
  ] as const) {
    const raw = await rawUpstream(t, json({}, status))
    const upstream = defineUpstream(
      'shared',
      { origin: raw.origin, forwardHeaders: ['authorization'] },
      { ask: operation({ path: '/', output: z.unknown() }) },
    )
    const runtime = createRuntime()
    t.teardown(() => runtime.close())
    for (let time = 0; time < 30; time++)
      await failure(runtime.send(testRun({ headers: { authorization: 'a' } }).ask(upstream.ask())))
    t.equal(runtime.stats()['shared']?.breaker, breaker, String(status))
  }
})
