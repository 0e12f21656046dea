import type { Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { dispatch } from '../../../src/upstream/transport/dispatch.ts'
import { sendOf } from '../../../src/upstream/call/layer.ts'
import { openPool } from '../../../src/upstream/transport/pool.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { rest } from '../../helpers/turn.ts'
import { until } from '../../helpers/until.ts'

/** Sends calls one after the other over a pool of one connection; returns the connection of each. */
async function asked(
  t: Test,
  maxAge: number | undefined,
  isEnough = (calls: number, _connection: number): boolean => calls === 5,
) {
  const raw = await rawUpstream(t, (socket, { headers }) => {
    socket.write(json('well'))
    if (headers.some(([name, value]) => name === 'connection' && value === 'close')) socket.end()
  })
  const pool = openPool(raw.origin, { connections: 1, connect: {}, ...(maxAge !== undefined && { maxAge }) })
  t.teardown(() => pool.destroy())
  const { ask } = defineUpstream('raw', { origin: raw.origin }, { ask: operation({ path: '/', output: z.unknown() }) })
  for (let calls = 0; !isEnough(calls, raw.requests.at(-1)?.connection ?? 0); calls++)
    await dispatch(pool, '')(testRun().ask(ask()))
  return raw.requests.map(({ connection }) => connection)
}

test('a connection is used again until it is old, and then takes its last call', async t => {
  t.same(await asked(t, undefined), [0, 0, 0, 0, 0])
  t.same(await asked(t, 0), [0, 0, 1, 1, 2])
  const connections = await asked(t, 5, (calls, last) => last === 2 || calls === 10_000)
  t.equal(connections.at(-1), 2, `after ${connections.length} calls`)
})

/** A pool of one connection, to an upstream that answers when the test says so. */
async function oneConnection(t: Test) {
  const sockets: Socket[] = []
  const raw = await rawUpstream(t, socket => sockets.push(socket))
  const pool = openPool(raw.origin, { connections: 1, connect: {} })
  t.teardown(() => pool.destroy())
  const service = dispatch(pool, '')
  const { ask, tell } = defineUpstream(
    'raw',
    { origin: raw.origin },
    {
      ask: operation({ path: '/ask', output: z.unknown() }),
      tell: operation({ method: 'POST', path: '/tell', output: z.unknown() }),
    },
  )
  return { raw, pool, service, ask, tell, answer: (value: unknown) => sockets.pop()?.write(json(value)) }
}

test('a request aborted in the queue leaves it at once, holds no permit and is never sent', async t => {
  const { raw, service, ask, tell, answer } = await oneConnection(t)
  const first = service(testRun().ask(ask()))
  await raw.asked(1)
  const runs = [testRun(), testRun()] as const
  const calls = [runs[0].ask(ask()), runs[1].ask(tell())] as const
  const ends = [failure(service(calls[0])), failure(service(calls[1]))]
  const last = service(testRun().ask(ask()))
  for (const run of runs) run.abort.abort('gone')
  t.same(await Promise.all(ends), ['gone', 'gone'])
  t.same(
    calls.map(({ attempt }) => attempt.held),
    [undefined, undefined],
  )
  answer('first')
  t.match(await first, { value: 'first' })
  await raw.asked(2)
  answer('last')
  t.match(await last, { value: 'last' })
  t.same(
    raw.requests.map(({ path }) => path),
    ['/ask', '/ask'],
  )
})

test('requests in the queue of a pool that is destroyed fail, and so do later ones', async t => {
  const { raw, pool, service, ask } = await oneConnection(t)
  const ends = [failure(service(testRun().ask(ask()))), failure(service(testRun().ask(ask())))]
  await raw.asked(1)
  await pool.destroy()
  ends.push(failure(service(testRun().ask(ask()))))
  t.match(await Promise.all(ends), [{ code: 'RUNTIME_CLOSED' }, { code: 'RUNTIME_CLOSED' }, { code: 'RUNTIME_CLOSED' }])
})

test('a request that needs a new connection opens one, or renews an idle one if the pool is full, or waits if all are in use', async t => {
  const sockets: Socket[] = []
  const raw = await rawUpstream(t, (socket, { path }) =>
    path === '/held' ? sockets.push(socket) : socket.write(json('well')),
  )
  const pool = openPool(raw.origin, { connections: 2, connect: {} })
  t.teardown(() => pool.destroy())
  const service = dispatch(pool, '')
  const { ask, held } = defineUpstream(
    'raw',
    { origin: raw.origin },
    { ask: operation({ path: '/', output: z.unknown() }), held: operation({ path: '/held', output: z.unknown() }) },
  )
  const asNew = (question = ask()) => {
    const call = testRun().ask(question)
    call.effort.hadFreeRetry = true
    return service(call.nextAttempt())
  }
  const last = () => raw.requests.at(-1)?.connection

  await service(testRun().ask(ask()))
  t.equal(last(), 0)
  await asNew()
  t.equal(last(), 1, 'the idle one is not used')
  await asNew()
  t.equal(last(), 2, 'there is no room, so an idle one gets a new socket')
  await raw.holds(2)

  const waiting = [asNew(held()), asNew(held())]
  await until(() => sockets.length >= 2)
  const late = asNew()
  const before = raw.requests.length
  sockets[0]?.write(json('first'))
  t.equal((await Promise.race(waiting)).value, 'first')
  t.equal((await late).value, 'well')
  t.equal(raw.requests.length, before + 1)
  t.ok((last() as number) > 4, 'on a socket of its own, once a connection was free')
  sockets[1]?.write(json('second'))
  await Promise.all(waiting)
})

test('a pool that has all its sockets does not ask for another one', async t => {
  const sockets: Socket[] = []
  const raw = await rawUpstream(t, socket => sockets.push(socket))
  let questions = 0
  const pool = openPool(raw.origin, { connections: 1, connect: {}, mayOpen: () => ++questions > 0 })
  t.teardown(() => pool.destroy())
  const service = dispatch(pool, '')
  const { ask } = defineUpstream('raw', { origin: raw.origin }, { ask: operation({ path: '/', output: z.unknown() }) })
  const calls = [service(testRun().ask(ask()))]
  await raw.asked(1)
  calls.push(service(testRun().ask(ask())))
  await rest()
  for (const count of [1, 2]) {
    await raw.asked(count)
    sockets[count - 1]?.write(json('well'))
  }
  t.match(await Promise.all(calls), [{ value: 'well' }, { value: 'well' }])
  t.equal(questions, 1)
})

test('a request that finds its connection unusable takes the next warm one, and opens none', async t => {
  const sockets: Socket[] = []
  const raw = await rawUpstream(t, socket => {
    sockets.push(socket)
  })
  const pool = openPool(raw.origin, { connections: 2, connect: {} })
  t.teardown(() => pool.destroy())
  const service = dispatch(pool, '')
  const { ask } = defineUpstream('raw', { origin: raw.origin }, { ask: operation({ path: '/', output: z.unknown() }) })
  const [first, second] = [service(testRun().ask(ask())), service(testRun().ask(ask()))]
  await raw.asked(2)
  sockets[0]?.write(json('first'))
  await first
  sockets[1]?.write(json('second'))
  await second
  await rest()
  // It comes after the loop has polled the socket, and before undici writes.
  setImmediate(() => sockets[1]?.write('stray'))
  const third = service(testRun().ask(ask()))
  await raw.asked(3)
  sockets[2]?.write(json('third'))
  t.equal((await third).value, 'third')
  t.equal(raw.requests[2]?.connection, raw.requests[0]?.connection)
  t.equal(raw.connections, 2)
})

test('a pool may be destroyed while undici fails the requests of a connection', async t => {
  const raw = await rawUpstream(t, (socket, { index }) => index === 2 && socket.resetAndDestroy())
  const pool = openPool(raw.origin, { connections: 1, pipelining: 3, connect: {} })
  const { ask } = defineUpstream('raw', { origin: raw.origin }, { ask: operation({ path: '/', output: z.unknown() }) })
  const send = sendOf(dispatch(pool, '', undefined, true))
  const ends: unknown[] = []
  let destroyed: Promise<void> | undefined
  await new Promise<void>(resolve => {
    const lose = (error: unknown) => {
      destroyed ??= pool.destroy()
      if (ends.push(error) === 3) resolve()
    }
    for (let call = 0; call < 3; call++)
      send(testRun().ask(ask()), { resolve: answer => t.fail('it was answered', answer), reject: lose })
  })
  await destroyed
  t.match(
    ends,
    Array.from({ length: 3 }, () => ({ code: /^(?:UPSTREAM_RESET|RUNTIME_CLOSED)$/ })),
  )
  await raw.deserted()
})
