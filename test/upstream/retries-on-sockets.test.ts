import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json } from '../helpers/raw-upstream.ts'
import { serveHttp } from '../helpers/serve-http.ts'
import { wire } from '../helpers/wire.ts'
import { until } from '../helpers/until.ts'

const ask = operation({ path: '/ask', output: z.unknown() })
const put = operation({ method: 'PUT', path: '/put', output: z.unknown() })
const post = operation({ method: 'POST', path: '/post', output: z.unknown() })

test('a reset before the answer is followed by a second attempt on another connection', async t => {
  const { upstream, send } = await wire(
    t,
    (socket, { index }) => (index === 0 ? socket.resetAndDestroy() : socket.write(json('second'))),
    ask,
    { retry: {} },
  )
  const run = testRun()
  t.equal((await send(run)).value, 'second')
  t.equal(upstream.requests.length, 2)
  t.equal(upstream.connections, 2)
  t.equal(run.events.filter(({ type }) => type === 'attempt started').length, 2)
  t.match(run.events.at(-1), { type: 'call ended', attempts: 2, status: 200 })
})

test('no call fails when an upstream closes its connection after each answer without saying so', async t => {
  // The second request on a connection finds it closed: as an idle timeout that comes while the request is on its way.
  const { upstream, send } = await wire(
    t,
    (socket, { connection }) => {
      const times = (served.get(connection) ?? 0) + 1
      served.set(connection, times)
      if (times === 1) socket.write(json('well'))
      else socket.destroy()
    },
    ask,
    { retry: {}, retryBudget: { ratio: 0, minPerSecond: 0 }, breaker: { minimumCalls: 1, failureRatio: 0.01 } },
  )
  const served = new Map<number, number>()
  for (let call = 0; call < 20; call++) t.equal((await send()).value, 'well')
  t.ok(
    upstream.requests.length > 30,
    `${upstream.requests.length} requests: most calls needed a second attempt, of which none was charged`,
  )
})

test('a PUT is sent again when its connection breaks, a POST is not: its outcome is unknown', async t => {
  const putting = await wire(
    t,
    (socket, { index }) => (index === 0 ? socket.destroy() : socket.write(json('put'))),
    put,
    { retry: {} },
  )
  t.equal((await putting.send()).value, 'put')
  const posting = await wire(t, socket => socket.destroy(), post, { retry: {} })
  t.match(await failure(posting.send()), { code: 'OUTCOME_UNKNOWN' })
  t.equal(posting.upstream.requests.length, 1)
})

test('a breaker that is open asks no upstream, and the runtime says so', async t => {
  const changes: unknown[] = []
  const { upstream, send } = await wire(
    t,
    json({}, 500),
    ask,
    { breaker: { minimumCalls: 3, openDuration: 60_000 } },
    { onBreakerChange: change => changes.push(change) },
  )
  for (let call = 0; call < 3; call++) t.match(await failure(send()), { code: 'UPSTREAM_STATUS' })
  t.match(await failure(send()), { code: 'BREAKER_OPEN', statusCode: 503 })
  t.equal(upstream.requests.length, 3)
  t.same(changes, [{ upstream: 'raw', from: 'closed', to: 'open' }])
})

test('with 500 good answers in its window the breaker opens after 20 failures in a row', async t => {
  let isWell = true
  const { upstream, send } = await wire(t, socket => socket.write(isWell ? json('well') : json({}, 500)), ask, {
    breaker: { openDuration: 60_000 },
  })
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 50 }, () => send()))
  isWell = false
  for (let call = 0; call < 20; call++) t.match(await failure(send()), { code: 'UPSTREAM_STATUS' })
  t.match(await failure(send()), { code: 'BREAKER_OPEN' })
  t.equal(upstream.requests.length, 520)
})

test('without a breaker an upstream is asked however often it fails', async t => {
  const { upstream, send } = await wire(t, json({}, 500), ask)
  for (let call = 0; call < 30; call++) await failure(send())
  t.equal(upstream.requests.length, 30)
})

test('a slow answer is overtaken by that of a second attempt, and its connection is closed', async t => {
  const { upstream, send } = await wire(
    t,
    (socket, { index }) => {
      if (index > 0) socket.write(json('second'))
    },
    ask,
    { hedge: { delay: 5, maxRatio: 1 } },
  )
  const run = testRun()
  t.equal((await send(run)).value, 'second')
  t.match(run.events.at(-1), { type: 'call ended', attempts: 2 })
  await until(() => upstream.open <= 1)
  t.equal(run.abort.size, 0)
})

test('a bulkhead gives a second attempt no place in its queue', async t => {
  const { upstream, send } = await wire(
    t,
    (socket, { index }) => {
      if (index > 0) socket.write(json('well'))
    },
    ask,
    { hedge: { delay: 1, maxRatio: 1 }, concurrency: 1, attemptTimeout: 60 },
  )
  t.match(await failure(send()), { code: 'UPSTREAM_TIMEOUT' })
  t.equal(upstream.requests.length, 1)
})

/** Whether attempt `n` of call `id` fails: one in twenty, the same each time. */
const fails = (id: string, attempt: number) =>
  createHash('sha256').update(`${id}/${attempt}`).digest().readUInt32BE() < 2 ** 32 / 20

test('with one in twenty attempts failing, as many calls succeed as two tries give', async t => {
  const asked = new Map<string, number>()
  const server = createServer((request, response) => {
    const id = String(request.url).slice(1)
    const attempt = (asked.get(id) ?? 0) + 1
    asked.set(id, attempt)
    response.writeHead(fails(id, attempt) ? 500 : 200, { 'content-type': 'application/json' }).end('{}')
  })
  const origin = await serveHttp(t, server)
  const flaky = defineUpstream(
    'flaky',
    { origin, retry: { initialDelay: 0 } },
    {
      get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.object({}) }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())

  const ids = Array.from({ length: 4000 }, (_, index) => `call-${index}`)
  let succeeded = 0
  for (let from = 0; from < ids.length; from += 50) {
    await Promise.all(
      ids.slice(from, from + 50).map(id =>
        runtime.send(testRun().ask(flaky.get({ id }))).then(
          () => {
            succeeded++
          },
          () => {},
        ),
      ),
    )
  }
  const computed = ids.filter(id => !(fails(id, 1) && fails(id, 2))).length
  t.comment(`${succeeded} of ${ids.length} succeeded, ${computed} by computation`)
  t.ok(Math.abs(succeeded - computed) / ids.length <= 0.005)
  t.ok(computed / ids.length > 0.995)
})

test('an onBreakerChange that throws fails the call at which the breaker changed, and no later call', async t => {
  let answered = json({}, 500)
  const onBreaker = () => {
    throw new Error('a bug of a listener')
  }
  const { send } = await wire(
    t,
    socket => socket.write(answered),
    ask,
    { breaker: { minimumCalls: 1, openDuration: 1 } },
    { onBreakerChange: onBreaker },
  )
  const ended = () =>
    send().then(
      ({ value }) => value,
      (error: Error) => (error instanceof UpstreamError ? error.code : error.message),
    )
  const next = async () => {
    let last
    await until(async () => (last = await ended()) !== 'BREAKER_OPEN')
    return last
  }
  t.equal(await ended(), 'a bug of a listener', 'it opens')
  answered = json('well')
  t.equal(await next(), 'a bug of a listener', 'it tries')
  const ends: unknown[] = []
  for (let asked = 0; asked < 1000 && (asked === 0 || ends.at(-1) === 'well'); asked++) ends.push(await next())
  t.equal(ends.at(-1), 'a bug of a listener', 'it closes')
  t.ok(ends.length > 4, 'after four stages')
  t.equal(await next(), 'well')
})
