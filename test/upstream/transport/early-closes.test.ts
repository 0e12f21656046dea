import type { Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { EarlyCloses } from '../../../src/upstream/transport/early-closes.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { rest, turn } from '../../helpers/turn.ts'
import { until } from '../../helpers/until.ts'

test('two early closes within 60 s are frequent for 60 s', t => {
  let now = 0
  const closes = new EarlyCloses(() => now)
  closes.add()
  t.notOk(closes.areFrequent)
  now = 60_001
  closes.add()
  t.notOk(closes.areFrequent, 'the first is forgotten')
  now += 60_000
  closes.add()
  t.ok(closes.areFrequent)
  now += 59_999
  t.ok(closes.areFrequent)
  now += 1
  t.notOk(closes.areFrequent)
  t.end()
})

/**
 * Asks one after the other and returns the connection that was used; `answer` decides what happens after each answer.
 */
async function arrange(
  t: Test,
  answer: (socket: Socket, path: string) => unknown,
  options: Partial<UpstreamOptions> = {},
  onConnection?: (socket: Socket) => unknown,
) {
  const raw = await rawUpstream(t, (socket, { path }) => answer(socket, path), undefined, onConnection)
  const upstream = defineUpstream(
    'raw',
    { origin: raw.origin, concurrency: 1, connections: 3, breaker: false, ...options },
    {
      get: operation({ path: '/get', output: z.unknown() }),
      post: operation({ method: 'POST', path: '/post', output: z.unknown() }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return {
    raw,
    upstream,
    runtime,
    ask: async (name: 'get' | 'post') => {
      await runtime.send(testRun().ask(upstream[name]()))
      await rest()
      return raw.requests.at(-1)?.connection
    },
  }
}

test('after two early closes unsafe requests use new connections, and safe ones do not', async t => {
  let isClosing = true
  const { raw, ask } = await arrange(t, (socket, path) =>
    isClosing ? socket.end(json(path)) : socket.write(json(path)),
  )
  await ask('get')
  await raw.deserted()
  await ask('get')
  await raw.deserted()
  isClosing = false
  t.equal(await ask('get'), 2)
  t.equal(await ask('get'), 2)
  t.equal(await ask('post'), 3, 'an unsafe request leaves the used connection to safe ones')
  t.equal(await ask('get'), 3)
  t.equal(await ask('post'), 4)
  t.equal(await ask('post'), 5, 'and where there are no more connections, it renews one')
  t.equal(await ask('post'), 6)
  t.ok(raw.open <= 3)
})

test('a close that the answer announced is not early', async t => {
  let isClosing = true
  const { raw, ask } = await arrange(
    t,
    (socket, path) => (isClosing ? socket.end(json(path, 200, { connection: 'close' })) : socket.write(json(path))),
    { connections: 1 },
  )
  for (let call = 0; call < 4; call++) await ask('get')
  await raw.deserted()
  isClosing = false
  t.equal(await ask('get'), 4)
  t.equal(await ask('post'), 4, 'an unsafe request uses the used connection')
})

test('a connection that is closed as idle while a request is on its way is one early close', async t => {
  for (const method of ['get', 'post'] as const) {
    let isClosing = false
    const { raw, ask } = await arrange(t, (socket, path) => (isClosing ? socket.destroy() : socket.write(json(path))), {
      retry: false,
      connections: 1,
    })
    await ask('get')
    isClosing = true
    await ask(method).catch(() => {})
    await raw.deserted()
    isClosing = false
    const connection = await ask('get')
    t.equal(await ask('post'), connection, 'an unsafe request uses the used connection')
  }
})

test('a connection that breaks off in an answer is not an early close', async t => {
  let isBreaking = true
  const { raw, ask } = await arrange(
    t,
    (socket, path) => (isBreaking ? socket.end(json(path).subarray(0, -1)) : socket.write(json(path))),
    { retry: false, connections: 1 },
  )
  for (let breaks = 0; breaks < 3; breaks++) await ask('get').catch(() => {})
  await raw.deserted()
  isBreaking = false
  const connection = await ask('get')
  t.equal(await ask('post'), connection)
})

test('a second close while an unsafe request is on its way makes early closes frequent', async t => {
  let isClosing = false
  const { raw, ask } = await arrange(t, (socket, path) => (isClosing ? socket.destroy() : socket.write(json(path))), {
    retry: false,
  })
  for (let closes = 0; closes < 2; closes++) {
    isClosing = false
    await ask('get')
    isClosing = true
    await ask('post').catch(() => {})
    await raw.deserted()
  }
  isClosing = false
  const connection = (await ask('get')) as number
  t.equal(await ask('post'), connection + 1)
})

test('a connection that closes before its first request is not an early close', async t => {
  let isClosing = true
  const { raw, upstream, runtime, ask } = await arrange(
    t,
    (socket, path) => socket.write(json(path)),
    { connections: 1 },
    socket => isClosing && setImmediate(() => socket.end()),
  )
  for (let closes = 0; closes < 2; closes++) {
    const run = testRun()
    const call = run.ask(upstream.get())
    const asked = failure(runtime.send(call))
    await turn()
    run.abort.abort('gone')
    t.equal(await asked, 'gone')
    await call.attempt.held
    await raw.deserted()
  }
  isClosing = false
  const connection = await ask('get')
  t.equal(await ask('post'), connection)
})

test('an unsafe request takes a connection that has been idle for 5 ms, and else opens one', async t => {
  let answeredAt = 0
  const { raw, ask } = await arrange(t, (socket, path) => {
    answeredAt = performance.now()
    socket.write(json(path))
  })
  t.equal(await ask('post'), 0)
  // Its connection has been idle for less time than this; a machine under load may need more.
  const [since, next] = [answeredAt, await ask('post')]
  if (answeredAt - since < 5) t.equal(next, 1)
  await until(() => performance.now() - answeredAt >= 20)
  t.equal(await ask('post'), 0, 'the one that has been idle longest')
  t.ok(raw.connections <= 2)
})
