import { Pool } from 'undici'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { operation, defineUpstream } from '../../src/upstream/declare.ts'
import { dispatch } from '../../src/upstream/transport/dispatch.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { rest, turn } from '../helpers/turn.ts'
import { wire } from '../helpers/wire.ts'

const ask = operation({ path: '/', output: z.unknown() })
const tell = operation({ method: 'POST', path: '/tell', body: z.unknown(), output: z.unknown() })
const silent = () => {}
const deadline = () => new UpstreamError('DEADLINE_EXCEEDED', 'test')

/** One connection, so that a second call waits inside undici. */
async function oneConnection(t: Test, script: Parameters<typeof rawUpstream>[1]) {
  const upstream = await rawUpstream(t, script)
  const pool = new Pool(upstream.origin, { connections: 1 })
  t.teardown(() => pool.destroy())
  return { upstream, service: dispatch(pool, ''), ...defineUpstream('raw', { origin: upstream.origin }, { ask, tell }) }
}

test('a call given up in flight closes its socket at once', async t => {
  const { send, upstream } = await wire(t, silent, ask)
  const run = testRun()
  const asked = failure(send(run))
  await upstream.asked(1)
  run.abort.abort('gone')
  t.equal(await asked, 'gone')
  await upstream.deserted()
  t.equal(run.abort.size, 0)
})

test('a call given up while the promises of its turn settle is not sent, though a connection is open that has not served', async t => {
  const { send, upstream } = await wire(t, socket => socket.write(json('"well"')), ask)
  const opening = testRun()
  const gone = failure(send(opening))
  await turn()
  opening.abort.abort('gone')
  await gone
  await upstream.holds(1)
  await rest()

  const run = testRun()
  const asked = failure(send(run))
  for (let microtasks = 0; microtasks < 10; microtasks++) await Promise.resolve()
  run.abort.abort('gone as well')
  t.equal(await asked, 'gone as well')
  await rest()
  t.equal(upstream.requests.length, 0)
  t.equal(upstream.connections, 1)
})

test('a call given up in the middle of its body closes its socket', async t => {
  const { send, upstream } = await wire(
    t,
    socket => socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{'),
    ask,
  )
  const run = testRun()
  const asked = failure(send(run))
  await upstream.asked(1)
  run.abort.abort('gone')
  t.equal(await asked, 'gone')
  await upstream.deserted()
})

test('a call given up while it waits for a connection never leaves', async t => {
  const { service, upstream, ask, tell } = await oneConnection(t, (socket, { index }) => {
    if (index > 0) socket.write(json(index))
  })
  const runs = Array.from({ length: 5 }, () => testRun())
  const asked = [ask(), ask(), tell({ body: 1 }), tell({ body: 2 }), ask()].map((call, at) =>
    service((runs[at] as (typeof runs)[0] & {}).ask<unknown>(call)),
  )
  const ends = asked.slice(0, 4).map(failure)
  await upstream.asked(1)
  runs[1]?.abort.abort('safe and gone')
  runs[2]?.abort.abort('unsafe and gone')
  const late = deadline()
  runs[3]?.abort.abort(late)
  t.same(
    [await ends[1], await ends[2], await ends[3]],
    ['safe and gone', 'unsafe and gone', late],
    'at once, while the connection is taken',
  )
  t.same(
    runs.slice(1, 4).map(run => run.abort.size),
    [0, 0, 0],
  )
  runs[0]?.abort.abort('done')
  t.equal(await ends[0], 'done')
  t.equal((await asked[4])?.value, 1)
  t.equal(upstream.requests.length, 2, 'only the first and the last ever left')
})

test('an unsafe call on the wire is not aborted when its caller leaves', async t => {
  const replies: (() => void)[] = []
  const { service, upstream, tell } = await oneConnection(t, socket =>
    replies.push(() => socket.write(json('done', 201))),
  )
  const run = testRun()
  const told = service(run.ask(tell({ body: { a: 1 } })))
  await upstream.asked(1)
  run.abort.abort('gone')
  run.abort.abort(new UpstreamError('UPSTREAM_TIMEOUT', 'test'))
  t.equal(run.abort.size, 1, 'it still listens')
  replies[0]?.()
  t.same(await told, { value: 'done', status: 201 })
  t.equal(run.abort.size, 0)
})

test('a deadline cuts an unsafe call that has left, even after its caller left, and its outcome is unknown', async t => {
  for (const first of [undefined, 'gone']) {
    const { service, upstream, tell } = await oneConnection(t, silent)
    const run = testRun()
    const told = failure(service(run.ask(tell({ body: {} }))))
    await upstream.asked(1)
    if (first !== undefined) run.abort.abort(first)
    const cause = deadline()
    run.abort.abort(cause)
    t.match(await told, { code: 'OUTCOME_UNKNOWN', statusCode: 504, verdict: 'failed', retryable: false, cause })
    await upstream.deserted()
    t.equal(run.abort.size, 0)
  }
})

test('a connection that breaks off after an unsafe call has left leaves its outcome unknown', async t => {
  const { send } = await wire(t, socket => socket.resetAndDestroy(), tell)
  t.match(await failure(send(testRun(), { body: {} })), {
    code: 'OUTCOME_UNKNOWN',
    statusCode: 502,
    retryable: false,
    cause: { code: 'UPSTREAM_RESET' },
  })
})

test('a deadline cuts a safe call with its own reason', async t => {
  const { send, upstream } = await wire(t, silent, ask)
  const run = testRun()
  const asked = failure(send(run))
  await upstream.asked(1)
  const late = deadline()
  run.abort.abort(late)
  t.equal(await asked, late)
})

test('an answer that arrived counts, whatever comes after it', async t => {
  const { send } = await wire(t, json('well'), ask)
  const run = testRun()
  t.equal((await send(run)).value, 'well')
  run.abort.abort('gone')
  t.equal(run.abort.size, 0)
})
