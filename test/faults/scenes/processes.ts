import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'
import { quietPort } from '../../helpers/quiet-port.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { runCommand, startService } from '../../helpers/service-process.ts'
import { slack } from '../helpers/slack.ts'

const fact = json({ fact: 'Cats purr.', length: 10 })
/** Long enough that nothing of these scenes waits for it. */
const drainMs = 20_000

/** A service whose runs are under way until the test lets them end. */
async function holding(t: Test, environment: Readonly<Record<string, string>> = {}) {
  const owed: (() => void)[] = []
  const ninja = await rawUpstream(t, socket => {
    owed.push(() => socket.write(fact))
  })
  const service = await startService(t, {
    HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: ninja.origin,
    HEADWATERS_UPSTREAM_CATFACT_NINJA_ATTEMPT_TIMEOUT_MS: '60000',
    HEADWATERS_UPSTREAM_MEOWFACTS_OFF: '1',
    HEADWATERS_UPSTREAM_THE_CAT_API_OFF: '1',
    DRAIN_MS: String(drainMs),
    ...environment,
  })
  return {
    ninja,
    ...service,
    pay: () => {
      for (const each of owed.splice(0)) each()
    },
  }
}

const ask = 'GET /v1/cat-facts?count=1 HTTP/1.1\r\nhost: a\r\n\r\n'

async function caller(
  t: Test,
  port: number,
  bytes: string,
): Promise<{ readonly socket: Socket; readonly all: Promise<string> }> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let received = ''
  socket
    .on('error', () => {})
    .on('data', part => {
      received += String(part)
    })
  // Not `once`, which takes a reset for a failure.
  const all = new Promise<string>(resolve => {
    socket.on('close', () => resolve(received))
  })
  await once(socket, 'connect')
  if (bytes !== '') socket.write(bytes)
  return { socket, all }
}

async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  const isOpen = await Promise.race([
    once(socket, 'connect').then(
      () => true,
      () => false,
    ),
    once(socket, 'close').then(
      () => false,
      () => false,
    ),
  ])
  socket.destroy()
  return !isOpen
}

/** SIGTERM while three callers are waiting, and others hold connections and say nothing. */
export async function ended(t: Test): Promise<void> {
  const { port, ninja, said, stop, ended: end, errors, pay } = await holding(t)
  const waiting = await Promise.all(Array.from({ length: 3 }, () => caller(t, port, ask)))
  await Promise.all(
    ['', 'GET / HTTP/1.1\r\nho', 'GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n'].map(bytes => caller(t, port, bytes)),
  )
  await ninja.asked(3)
  stop('SIGTERM')
  await said('draining')
  let refused = false
  for (let tries = 0; !refused && tries < 100; tries++) refused = await isRefused(port)
  t.ok(refused, 'a new connection is refused')
  const before = performance.now()
  pay()
  for (const text of await Promise.all(waiting.map(({ all }) => all))) {
    t.match(text, /^HTTP\/1\.1 200 /)
    t.match(text, /\r\nconnection: close\r\n/i)
  }
  t.same(await end, { code: 0, signal: null })
  const elapsed = performance.now() - before
  t.ok(elapsed < 500 + slack, `ended ${elapsed.toFixed(0)} ms after the last answer`)
  t.equal(await errors, '')
}

/** Requests that come while it ends, over a connection that has one under way and over one that has none. */
export async function lateRequests(t: Test): Promise<void> {
  const { port, ninja, said, stop, ended: end, pay } = await holding(t)
  const busy = await caller(t, port, ask)
  const idle = await caller(t, port, '')
  await ninja.asked(1)
  stop('SIGTERM')
  await said('draining')
  busy.socket.write(ask)
  t.equal(await idle.all, '', 'a connection without a request is closed')
  pay()
  const text = await busy.all
  t.match(
    text,
    /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is,
    'what was under way is answered, as the last of its connection',
  )
  t.notMatch(text.slice(20), 'HTTP/1.1 200', 'what came later is not')
  t.equal(ninja.requests.length, 1, 'nor does it reach an upstream')
  t.same(await end, { code: 0, signal: null })
}

/** SIGTERM while an upstream hangs for longer than the time for draining. */
export async function hungWhileEnding(t: Test): Promise<void> {
  const { port, ninja, stop, ended: end } = await holding(t, { DRAIN_MS: '200' })
  const { all } = await caller(t, port, ask)
  await ninja.asked(1)
  const before = performance.now()
  stop('SIGTERM')
  t.match(await all, /^HTTP\/1\.1 503 /, 'the caller gets a refusal')
  t.same(await end, { code: 0, signal: null })
  const elapsed = performance.now() - before
  t.ok(elapsed < 200 + 500 + slack, `ended after ${elapsed.toFixed(0)} ms`)
}

/** A second signal, and uncaught errors. */
export async function forced(t: Test): Promise<void> {
  const { port, ninja, said, stop, ended: end } = await holding(t)
  await caller(t, port, ask)
  await ninja.asked(1)
  stop('SIGTERM')
  await said('draining')
  const before = performance.now()
  stop('SIGTERM')
  const { code, signal } = await end
  t.ok(code !== 0 && signal === null, `a second signal ends it at once, with ${code}`)
  t.ok(performance.now() - before < 500 + slack)
}

/** A definitions file whose step leaves an uncaught error behind. */
export async function uncaught(t: Test): Promise<void> {
  for (const [what, bug] of [
    ['a rejection', 'void Promise.reject(new Error("left behind"))'],
    ['an exception', 'setImmediate(() => { throw new Error("left behind") })'],
  ] as const) {
    const { path } = definitionsFolder(t, {
      'bug.ts': `
import { aggregate } from 'headwaters'
import { z } from 'zod'

export const bug: unknown = aggregate('bug', { url: '/bug' })
  .required('part', () => { ${bug}; return 'fine' })
  .reply(z.string(), ({ part }) => part)
`,
    })
    const { origin, said, ended: end } = await startService(t, { DRAIN_MS: String(drainMs) }, ['serve', path])
    await fetch(`${origin}/bug`).catch(() => {})
    t.match(await said('uncaught error'), { level: 60, err: { message: 'left behind' } }, `${what} is in the log`)
    const { code } = await end
    t.ok(code !== 0 && code !== null, `and the process ends with ${code}`)
  }
}

/** A start while an upstream is down, and with configuration that cannot be used. */
export async function started(t: Test): Promise<void> {
  const ninja = await rawUpstream(t, fact, undefined, undefined, await quietPort())
  await ninja.stop()
  const environment = {
    HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: ninja.origin,
    HEADWATERS_UPSTREAM_THE_CAT_API_ORIGIN: ninja.origin,
  }
  const { origin, stop, ended: end } = await startService(t, environment)
  t.equal((await fetch(`${origin}/health/ready`)).status, 200)
  const response = await fetch(`${origin}/v1/cat-facts?count=1`)
  t.equal(response.status, 200)
  t.match(await response.json(), {
    complete: false,
    sources: {
      meow: { state: 'fallback', code: 'UPSTREAM_UNREACHABLE' },
      picture: { state: 'fallback', code: 'UPSTREAM_UNREACHABLE' },
    },
  })
  stop('SIGTERM')
  t.same(await end, { code: 0, signal: null })

  const { code, errors, output } = await runCommand(t, ['serve'], {
    PORT: '70000',
    HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: 'nonsense',
  })
  t.equal(code, 2)
  t.equal(output, '')
  t.match(errors, /PORT: /)
  t.match(errors, /HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: 'nonsense' is not an origin/)
}
