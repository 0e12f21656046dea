import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { startService } from '../helpers/service-process.ts'
import { isExact } from '../helpers/timing.ts'

const fact = json({ fact: 'Cats purr.', length: 10 })
/** By when the process ends after its last request, in ms; a machine that runs other tests too is given more. */
const atOnce = isExact ? 500 : 4000
/** Well below the ten seconds that requests in flight may take. */
const prompt = 4000

async function open(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket.on('error', () => {})
}

/** Whether a new connection is taken. */
async function takes(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const [taken] = await Promise.race([
    once(socket, 'connect').then(
      () => [true] as const,
      () => [false] as const,
    ),
    once(socket, 'close').then(
      () => [false] as const,
      () => [false] as const,
    ),
  ])
  socket.destroy()
  return taken
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets a request in flight end, takes no new connection and exits with 0`, async t => {
    const answers: (() => void)[] = []
    const ninja = await rawUpstream(t, socket => {
      answers.push(() => socket.write(fact))
    })
    const { port, origin, said, stop, ended, errors } = await startService(t, {
      HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: ninja.origin,
    })
    const inFlight = fetch(`${origin}/v1/cat-facts?count=1`)
    await ninja.asked(1)

    stop(signal)
    t.match(await said('draining'), { signal })
    // The listener closes within a turn or two of that line; the request in flight holds the process until then.
    let isOpen = true
    for (let tries = 0; isOpen && tries < 50; tries++) isOpen = await takes(port)
    t.notOk(isOpen, 'a new connection is refused')

    for (const answer of answers) answer()
    const response = await inFlight
    t.equal(response.status, 200)
    t.equal(response.headers.get('connection'), 'close')
    t.match(await response.json(), { complete: true, sources: { ninja: { state: 'ok' } } })
    const answered = performance.now()
    t.same(await ended, { code: 0, signal: null })
    const elapsed = performance.now() - answered
    t.comment(`ended ${elapsed.toFixed(0)} ms after its last request`)
    t.ok(elapsed < atOnce)
    t.equal(await errors, '')
  })
}

test('with nothing to do it ends at once', async t => {
  const { stop, ended } = await startService(t)
  const before = performance.now()
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
  t.ok(performance.now() - before < prompt)
})

for (const [what, bytes] of [
  ['that is kept open after an answer', 'GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n'],
  ['that never said anything', ''],
  ['with half a request', 'GET /health/live HTTP/1.1\r\nho'],
] as const) {
  test(`a connection ${what} does not hold the end`, async t => {
    const { port, stop, ended, origin } = await startService(t)
    const socket = await open(t, port)
    socket.write(bytes)
    if (bytes.endsWith('\r\n\r\n')) await once(socket, 'data')
    // Whatever came before this answer has been read.
    t.equal((await fetch(`${origin}/health/live`)).status, 200)
    socket.resume()
    const before = performance.now()
    stop('SIGTERM')
    t.same(await ended, { code: 0, signal: null })
    const elapsed = performance.now() - before
    t.ok(elapsed < prompt, `ended after ${elapsed.toFixed(0)} ms`)
  })
}

test('a request that never ends is cut when the time for draining is over', async t => {
  const { port, stop, ended } = await startService(t, { DRAIN_MS: '200' })
  const socket = await open(t, port)
  socket.write(
    'POST /v1/cat-facts HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n',
  )
  await once(socket, 'data')
  const before = performance.now()
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
  t.ok(performance.now() - before < prompt)
})
