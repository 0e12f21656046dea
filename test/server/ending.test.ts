import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { startService } from '../helpers/service-process.ts'

const fact = json({ fact: 'Cats purr.', length: 10 })
/** Well below the ten seconds that requests in flight may take. */
const prompt = 4000

async function open (t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket.on('error', () => {})
}

/** Whether a new connection is taken. */
async function takes (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const [taken] = await Promise.race([once(socket, 'connect').then(() => [true] as const, () => [false] as const), once(socket, 'close').then(() => [false] as const, () => [false] as const)])
  socket.destroy()
  return taken
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets a request in flight end, takes no new connection and exits with 0`, async t => {
    const answers: (() => void)[] = []
    const ninja = await rawUpstream(t, socket => { answers.push(() => socket.write(fact)) })
    const { port, origin, said, stop, ended, errors } = await startService(t, { HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: ninja.origin })
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
    t.same(await ended, { code: 0, signal: null })
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
  socket.write('POST /v1/cat-facts HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n')
  await once(socket, 'data')
  const before = performance.now()
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
  t.ok(performance.now() - before < prompt)
})

/** Aggregates that never end by themselves, and one that fails as nobody expects. */
const definitions = `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const source = defineUpstream('source', { origin: 'http://127.0.0.1:9', timeout: 60_000 }, { ask: operation({ path: '/', output: z.unknown() }) })
const options = { deadline: 60_000 }
export const hung = aggregate('hung', { url: '/hung', ...options }).required('it', () => source.ask()).reply(z.unknown(), ({ it }) => it)
export const fault = aggregate('fault', { url: '/fault', query: z.object({ kind: z.string() }), ...options }).required('first', () => source.ask()).required('it', ({ query }) => {
  const kinds = {
    rejection: () => { void Promise.reject(new Error('left alone')) },
    nothing: () => { void Promise.reject(undefined) },
    exception: () => { setImmediate(() => { throw new Error('left alone') }) },
  }
  kinds[query.kind]()
  return new Promise(() => {})
}, { needs: ['first'] }).reply(z.unknown(), ({ it }) => it)
`

/** The service with these aggregates, over an upstream that takes every request and answers none before it is told to. */
async function hanging (t: Test, environment: Readonly<Record<string, string>> = {}, ...flags: readonly string[]) {
  const answers: (() => void)[] = []
  const upstream = await rawUpstream(t, socket => { answers.push(() => socket.write(json('at last'))) })
  const { path } = definitionsFolder(t, { 'aggregates.mjs': definitions })
  return { upstream, answers, ...await startService(t, { HEADWATERS_UPSTREAM_SOURCE_ORIGIN: upstream.origin, ...environment }, ['serve', path, ...flags]) }
}

for (const flags of [[], ['--watch']]) {
  test(`${['serve', ...flags].join(' ')}: an upstream that hangs does not hold the end, and its callers hear why`, async t => {
    const { origin, upstream, stop, ended, errors, said } = await hanging(t, { DRAIN_MS: '100' }, ...flags)
    const inFlight = fetch(`${origin}/hung`)
    await upstream.asked(1)
    const before = performance.now()
    stop('SIGTERM')
    const response = await inFlight
    t.equal(response.status, 503)
    t.match(await response.json(), { code: 'RUNTIME_CLOSED', sources: { it: { state: 'failed' } } })
    t.same(await ended, { code: 0, signal: null })
    t.ok(performance.now() - before < prompt)
    await upstream.deserted()
    await said('draining')
    t.equal(await errors, '')
  })
}

for (const [first, second] of [['SIGTERM', 'SIGTERM'], ['SIGTERM', 'SIGINT'], ['SIGINT', 'SIGINT']] as const) {
  test(`${second} after ${first} ends the process at once`, async t => {
    const { origin, upstream, stop, ended, said } = await hanging(t, { DRAIN_MS: '60000' })
    const inFlight = fetch(`${origin}/hung`).then(() => 'answered', () => 'cut')
    await upstream.asked(1)
    stop(first)
    await said('draining')
    stop(second)
    t.same(await ended, { code: 1, signal: null })
    t.match(await said('second signal'), { signal: second })
    t.equal(await inFlight, 'cut')
  })
}

for (const [kind, event, err] of [['rejection', 'unhandledRejection', { message: 'left alone' }], ['nothing', 'unhandledRejection', undefined], ['exception', 'uncaughtException', { message: 'left alone' }]] as const) {
  for (const isDraining of [false, true]) {
    test(`an error that nobody caught (${kind}) ends the process${isDraining ? ' that drains' : ''} with a log, at once`, async t => {
      const { origin, upstream, answers, stop, ended, said } = await hanging(t, { DRAIN_MS: '60000' })
      const inFlight = fetch(`${origin}/hung`).then(() => 'answered', () => 'cut')
      await upstream.asked(1)
      void fetch(`${origin}/fault?kind=${kind}`).catch(() => {})
      await upstream.asked(2)
      if (isDraining) {
        stop('SIGTERM')
        await said('draining')
      }
      answers[1]?.()
      t.same(await ended, { code: 1, signal: null })
      t.match(await said('nobody caught'), { level: 60, event, ...err && { err } })
      t.equal(await inFlight, 'cut')
    })
  }
}
