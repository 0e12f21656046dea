import { connect, type Socket } from 'node:net'
import { test } from 'tap'
import type { buildConnector } from 'undici'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { dispatch } from '../../src/upstream/transport/dispatch.ts'
import { openPool } from '../../src/upstream/transport/pool.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { rest } from '../helpers/turn.ts'

const ask = operation({ path: '/', output: z.unknown() })
const open = () => new UpstreamError('BREAKER_OPEN', 'raw')

test('calls that wait for a permit fail at once when the breaker opens, and none of them is sent', async t => {
  const raw = await rawUpstream(t, () => {})
  const hanging = defineUpstream(
    'hanging',
    {
      origin: raw.origin,
      concurrency: 4,
      retry: false,
      attemptTimeout: 50,
      breaker: { minimumCalls: 4, openDuration: 60_000 },
    },
    { ask },
  )
  let openedAt = NaN
  const runtime = createRuntime({
    onBreakerChange: () => {
      openedAt = performance.now()
    },
  })
  t.teardown(() => runtime.close())
  const lateMs: number[] = []
  const ends = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const { code } = (await failure(runtime.send(testRun().ask(hanging.ask())))) as UpstreamError
      if (code === 'BREAKER_OPEN') lateMs.push(performance.now() - openedAt)
      return code
    }),
  )
  const timeouts = ends.filter(code => code === 'UPSTREAM_TIMEOUT').length
  t.ok(
    timeouts >= 4 && timeouts <= 7,
    `${timeouts} timeouts: a call that hangs is a failure at its timeout, and the first three free their permits`,
  )
  t.equal(ends.filter(code => code === 'BREAKER_OPEN').length, 40 - timeouts)
  t.ok(Math.max(...lateMs) < 40, `within ${Math.max(...lateMs).toFixed(1)} ms, which is less than one more timeout`)
  t.ok(raw.requests.length <= timeouts, `${raw.requests.length} were sent`)
  t.match(runtime.stats(), { hanging: { queued: 0, breaker: 'open', failed: timeouts, ignored: 40 - timeouts } })
})

test('requests that wait for a connection, or for one to open, are turned away and never sent; one that was written is not', async t => {
  const raw = await rawUpstream(t, () => {})
  const opening: buildConnector.Callback[] = []
  let connections = 0
  const pool = openPool(raw.origin, {
    connections: 2,
    connect(_, callback) {
      if (connections++ > 0) return void opening.push(callback)
      const socket = connect(raw.port, '127.0.0.1', () => callback(null, socket))
    },
  })
  t.teardown(() => pool.destroy())
  const service = dispatch(pool, '')
  const { ask: question } = defineUpstream('raw', { origin: raw.origin }, { ask })
  const run = testRun()
  const written = failure(service(run.ask(question())))
  await raw.asked(1)
  const calls = Array.from({ length: 4 }, () => testRun().ask(question()))
  for (const call of calls) call.attempt.sent = true
  const ends = calls.map(call => failure(service(call)))
  await rest()
  t.equal(opening.length, 1, 'one connection is being opened, and three requests wait in the queue')
  pool.rejectQueued(open)
  t.match(
    await Promise.all(ends),
    Array.from({ length: 4 }, () => ({ code: 'BREAKER_OPEN' })),
  )
  t.same(
    calls.map(({ attempt }) => attempt.sent),
    [false, false, false, false],
    'they say nothing about the upstream',
  )
  t.equal(run.abort.size, 1, 'the one that was written goes on')
  for (const callback of opening) callback(new Error('too late'), null)
  run.abort.abort('gone')
  t.equal(await written, 'gone')
  t.equal(raw.requests.length, 1)
})

for (const way of ['by its end', 'by a reset'] as const)
  test(`a request whose connection closes, ${way}, before it is written is turned away while another socket opens`, async t => {
    const raw = await rawUpstream(t, socket => socket.write(json('warm')))
    const opening: buildConnector.Callback[] = []
    let first: Socket | undefined
    const pool = openPool(raw.origin, {
      connections: 1,
      connect(_, callback) {
        if (first !== undefined) return void opening.push(callback)
        const socket = (first = connect(raw.port, '127.0.0.1', () => callback(null, socket)))
      },
    })
    t.teardown(() => pool.destroy())
    const service = dispatch(pool, '')
    const { ask: question } = defineUpstream('raw', { origin: raw.origin }, { ask })
    await service(testRun().ask(question()))
    await rest()
    const run = testRun()
    const end = failure(service(run.ask(question())))
    if (way === 'by its end') first?.emit('end')
    else first?.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
    await rest()
    t.equal(opening.length, 1, 'another socket is being opened')
    pool.rejectQueued(open)
    run.abort.abort('it still waited')
    t.match(await end, { code: 'BREAKER_OPEN' })
    t.equal(raw.requests.length, 1)
  })

test('a pipeline turns away all its requests while its connection is being opened, and later those that are not written', async t => {
  const raw = await rawUpstream(t, (socket, { index }) => (index === 0 ? socket.write(json('warm')) : undefined))
  const opening: buildConnector.Callback[] = []
  const pool = openPool(raw.origin, {
    connections: 1,
    pipelining: 4,
    connect: (_, callback) => void opening.push(callback),
  })
  t.teardown(() => pool.destroy())
  const service = dispatch(pool, '', undefined, true)
  const { ask: question } = defineUpstream('raw', { origin: raw.origin }, { ask })
  const ends = Array.from({ length: 3 }, () => failure(service(testRun().ask(question()))))
  await rest()
  t.equal(opening.length, 1)
  pool.rejectQueued(open)
  t.match(
    await Promise.all(ends),
    Array.from({ length: 3 }, () => ({ code: 'BREAKER_OPEN' })),
  )
  const socket = connect(raw.port, '127.0.0.1', () => opening[0]?.(null, socket))
  t.equal((await service(testRun().ask(question()))).value, 'warm', 'the connection serves later requests')
})

test('a repetition that is turned away does not hide what the upstream did', async t => {
  const raw = await rawUpstream(t, socket => socket.destroy())
  const weak = defineUpstream(
    'weak',
    {
      origin: raw.origin,
      concurrency: 1,
      retry: { maxAttempts: 2, initialDelay: 0 },
      breaker: { minimumCalls: 4, openDuration: 60_000 },
    },
    {
      ask: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.unknown() }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const ends = await Promise.all(
    Array.from({ length: 10 }, async (_, id) => {
      const { code } = (await failure(runtime.send(testRun().ask(weak.ask({ id: String(id) }))))) as UpstreamError
      return [`/${id}`, code] as const
    }),
  )
  t.equal(raw.requests.length, 4)
  const sent = new Set(raw.requests.map(({ path }) => path))
  for (const [path, code] of ends) t.equal(code, sent.has(path) ? 'UPSTREAM_RESET' : 'BREAKER_OPEN', path)
})

test('a step whose first call is refused sends no other call', async t => {
  const { origin } = await rawUpstream(t, () => {})
  const full = defineUpstream('full', { origin, concurrency: 1, maxQueue: 0, breaker: false }, { ask })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  void failure(runtime.send(testRun().ask(full.ask())))
  const many = aggregate('many', { url: '/', deadline: 60_000 })
    .each('all', () => Array.from({ length: 20 }, () => full.ask()))
    .reply(z.unknown(), ({ all }) => all)
  t.match(await failure(fanOut(many, {}, { runtime })), { code: 'BULKHEAD_FULL' })
  t.match(runtime.stats(), { full: { calls: 2 } })
})
