import { test } from 'tap'
import { originPanicAttempts } from '../../../src/metrics/families.ts'
import { createRuntime, type OriginChange, type Runtime, type RuntimeOptions } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { valuesOf } from '../../helpers/metric-values.ts'
import { declareCats, numbered, originList } from '../../helpers/origin-list.ts'
import { json, rawUpstream, type RawUpstream } from '../../helpers/raw-upstream.ts'
import { selfSigned } from '../../helpers/self-signed.ts'
import { until } from '../../helpers/until.ts'

const ids = (count: number) => Array.from({ length: count }, (_, at) => String(at))
const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0)

test('calls use all origins of a list, each with its own host header', async t => {
  const { servers, cats, ask, counts } = await originList(t, [0, 1, 2].map(numbered))
  const values = await Promise.all(ids(30).map(id => ask(cats.cat({ id }))))
  t.equal(values.length, 30)
  for (const [at, { requests, port }] of servers.entries()) {
    t.equal(requests.length, values.filter(value => value === at).length, 'an answer is that of its origin')
    t.ok(requests.length > 0, `origin ${at} has ${counts().join()} of 30 calls`)
    for (const { headers } of requests) t.same(new Map(headers).get('host'), `127.0.0.1:${port}`)
  }
})

test('the origins of an upstream are in its stats', async t => {
  const { servers, cats, ask, origins } = await originList(t, [0, 1, 2].map(numbered))
  await Promise.all(ids(30).map(id => ask(cats.cat({ id }))))
  t.match(
    origins(),
    servers.map(({ port, requests }) => ({
      origin: `127.0.0.1:${port}`,
      state: 'available',
      active: 0,
      attempts: requests.length,
      failed: 0,
    })),
  )
})

test('a retry goes to another origin', async t => {
  const retry = { maxAttempts: 3, initialDelay: 1, maxDelay: 1 }
  const { cats, ask, counts } = await originList(t, [json('bad', 503), json('bad', 503), json('well')], { retry })
  for (const id of ids(5)) t.equal(await ask(cats.cat({ id })), 'well')
  const [first = 0, second = 0, third = 0] = counts()
  t.equal(third, 5)
  t.ok(first <= 5 && second <= 5, `no call has tried one origin twice: ${counts().join()}`)
})

test('a retry of an upstream whose origins were all tried uses one of them again', async t => {
  const retry = { maxAttempts: 4, initialDelay: 1, maxDelay: 1 }
  const { cats, ask, counts } = await originList(t, [json('bad', 503), json('bad', 503)], { retry })
  t.match(await failure(ask(cats.cat({ id: '1' }))), { code: 'UPSTREAM_BUSY', upstreamStatus: 503 })
  t.same(counts(), [2, 2])
})

test('a hedge goes to another origin', async t => {
  const silent = () => {}
  const { cats, ask, counts } = await originList(t, [silent, json('well')], {
    hedge: { delay: 5, maxRatio: 1 },
    attemptTimeout: 20_000,
  })
  for (const id of ids(5)) t.equal(await ask(cats.cat({ id })), 'well')
  const [first = 0, second = 0] = counts()
  t.equal(second, 5)
  t.ok(first <= 5, `the silent origin has ${first} attempts`)
})

for (const [title, code] of [
  ['a local address for it is missing', 'EADDRNOTAVAIL'],
  ['its address is refused', 'ADDRESS_REFUSED'],
] as const)
  test(`an origin whose connections fail at once because ${title} attracts no calls`, async t => {
    const lookup: RuntimeOptions['lookup'] = (_hostname, _options, done) =>
      done(Object.assign(new Error('refused'), { code }), [])
    const servers: RawUpstream[] = []
    for (const at of [0, 1, 2]) servers.push(await rawUpstream(t, numbered(at)))
    const runtime = createRuntime({ lookup })
    t.teardown(() => runtime.close())
    const cats = declareCats([...servers.map(({ origin }) => origin), 'http://bad.example'])
    const results = []
    for (const id of ids(200))
      results.push(...(await Promise.allSettled([runtime.send(testRun().ask(cats.cat({ id })))])))
    const failed = results.filter(({ status }) => status === 'rejected').length
    t.ok(failed > 0 && failed < 10, `${failed} of 200 calls fail`)
    t.match(runtime.stats()['cats']?.origins?.at(-1), { attempts: failed, failed })
  })

test('an origin whose connections fail at once because the process has no file descriptor attracts no calls', async t => {
  const lookup: RuntimeOptions['lookup'] = (_hostname, _options, done) =>
    done(Object.assign(new Error('no descriptor'), { code: 'EMFILE' }), [])
  const server = await rawUpstream(t, numbered(0))
  const runtime = createRuntime({ lookup })
  t.teardown(() => runtime.close())
  const cats = declareCats([server.origin, 'http://bad.example'])
  for (const id of ids(100)) await Promise.allSettled([runtime.send(testRun().ask(cats.cat({ id })))])
  t.ok(server.requests.length > 25, `the origin that answers has ${server.requests.length} of 100 calls`)
  t.match(runtime.stats()['cats']?.origins?.at(-1), { state: 'available', attempts: 0, failed: 0 })
})

/** Returns the number of attempts whose origin was chosen in panic. */
const panicsOf = (runtime: Runtime) => valuesOf(runtime, originPanicAttempts)['cats'] ?? 0

/** Ten origins that answer every call, and every health check, with 503. */
const tenBad = Array.from({ length: 10 }, () => json('bad', 503))

test('an upstream whose origins all fail is still asked, without a refusal', async t => {
  const { runtime, cats, ask, counts, origins } = await originList(t, tenBad, {
    balance: { ejection: { duration: 60_000 } },
  })
  for (const id of ids(200)) t.match(await failure(ask(cats.cat({ id }))), { code: 'UPSTREAM_BUSY' })
  t.equal(sum(counts()), 200, 'every call was sent')
  t.ok(Math.min(...counts()) > 0, `every origin has calls: ${counts().join()}`)
  const ejected = origins().filter(({ state }) => state === 'ejected')
  t.equal(ejected.length, 5, 'half of the origins are ejected')
  t.ok(
    ejected.some(({ attempts }) => attempts > 5),
    'ejected origins have calls',
  )
  t.ok(panicsOf(runtime) > 0)
})

test('an upstream whose origins all fail their health checks is still asked, without a refusal', async t => {
  const healthCheck = { path: '/health', interval: 100, timeout: 100, unhealthyAfter: 1 }
  const { runtime, servers, cats, ask, origins } = await originList(t, tenBad, {
    balance: { healthCheck, ejection: false },
  })
  await failure(ask(cats.cat({ id: 'first' })))
  await until(() => origins().every(({ state }) => state === 'unhealthy'))
  const before = panicsOf(runtime)
  for (const id of ids(200)) t.match(await failure(ask(cats.cat({ id }))), { code: 'UPSTREAM_BUSY' })
  t.equal(panicsOf(runtime) - before, 200, 'every origin was chosen in panic')
  const calls = servers.map(({ requests }) => requests.filter(({ path }) => path !== '/health').length)
  t.equal(sum(calls), 201, 'every call was sent')
  t.ok(Math.min(...calls) > 0, `every origin has calls: ${calls.join()}`)
})

test('the breaker of an upstream opens when all its origins fail', async t => {
  const breaker = { minimumCalls: 10 }
  const { runtime, cats, ask, counts } = await originList(t, tenBad, { breaker })
  for (const id of ids(10)) t.match(await failure(ask(cats.cat({ id }))), { code: 'UPSTREAM_BUSY' })
  t.match(await failure(ask(cats.cat({ id: 'last' }))), { code: 'BREAKER_OPEN' })
  t.equal(sum(counts()), 10)
  t.match(runtime.stats(), { cats: { breaker: 'open' } })
})

test('a change of an origin is reported, and an error of the callback fails no call', async t => {
  const changes: OriginChange[] = []
  const callbacks: readonly ((change: OriginChange) => unknown)[] = [
    change => changes.push(change),
    change => {
      changes.push(change)
      throw new Error('thrown by the callback')
    },
    change => {
      changes.push(change)
      return Promise.reject(new Error('rejected by the callback'))
    },
  ]
  for (const onOriginChange of callbacks) {
    changes.length = 0
    const { servers, cats, ask } = await originList(
      t,
      [json('bad', 503), json('well')],
      { retry: { maxAttempts: 2, initialDelay: 1, maxDelay: 1 }, retryBudget: { ratio: 1, minPerSecond: 100 } },
      { onOriginChange },
    )
    for (let calls = 0; changes.length === 0 && calls < 500; calls++) {
      const values = await Promise.all(ids(10).map(id => ask(cats.cat({ id }))))
      t.ok(values.every(value => value === 'well'))
    }
    t.same(changes, [{ upstream: 'cats', origin: `127.0.0.1:${servers[0]?.port}`, state: 'ejected' }])
  }
})

test('health checks use the TLS options of the upstream', async t => {
  const tls = { ca: selfSigned.cert }
  const servers = [await rawUpstream(t, json('well'), selfSigned), await rawUpstream(t, json('well'), selfSigned)]
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const healthCheck = { path: '/health', interval: 100, timeout: 100, unhealthyAfter: 1 }
  const cats = declareCats(
    servers.map(({ origin }) => origin),
    { tls, balance: { healthCheck } },
  )
  t.match(await runtime.send(testRun().ask(cats.cat({ id: '1' }))), { value: 'well' })
  const checks = ({ requests }: RawUpstream) => requests.filter(({ path }) => path === '/health').length
  await until(() => servers.every(server => checks(server) >= 2))
})
