import type { Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { EarlyCloses } from '../../src/upstream/early-closes.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { rest } from '../helpers/turn.ts'

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

/** Asks one after the other and returns the connection that was used; `answer` decides what happens after each answer. */
async function arrange (t: Test, answer: (socket: Socket, path: string) => unknown) {
  const raw = await rawUpstream(t, (socket, { path }) => answer(socket, path))
  const upstream = defineUpstream('raw', { origin: raw.origin, slots: 1, connections: 3 }, {
    get: operation({ path: '/get', output: z.unknown() }),
    post: operation({ method: 'POST', path: '/post', output: z.unknown() }),
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return {
    raw,
    ask: async (name: 'get' | 'post') => {
      await runtime.send(testRun().ask(upstream[name]()))
      await rest()
      return raw.requests.at(-1)?.connection
    },
  }
}

test('after two early closes unsafe requests use new connections, and safe ones do not', async t => {
  let isClosing = true
  const { raw, ask } = await arrange(t, (socket, path) => isClosing ? socket.end(json(path)) : socket.write(json(path)))
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
  const { raw, ask } = await arrange(t, (socket, path) => isClosing ? socket.end(json(path, 200, { connection: 'close' })) : socket.write(json(path)))
  for (let call = 0; call < 4; call++) await ask('get')
  await raw.deserted()
  isClosing = false
  t.equal(await ask('get'), 4)
  t.equal(await ask('post'), 4, 'an unsafe request uses the used connection')
})
