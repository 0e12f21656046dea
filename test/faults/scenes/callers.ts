import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { asking } from '../helpers/asking.ts'
import { slack } from '../helpers/slack.ts'
import { Id, stage, Word, wordPath, type Reply } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'
import { good } from '../helpers/wire.ts'
import { until, untilEvent } from '../../helpers/until.ts'

const request = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nhost: a\r\n${headers}\r\n`

/** A caller who writes bytes, and goes when the test says so. */
async function caller(t: Test, app: FastifyInstance, bytes: string): Promise<Socket> {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(
    socket.on('error', () => {}),
    'connect',
  )
  socket.write(bytes)
  return socket
}

/** What comes over a connection until it has this many whole answers with a length. */
async function answersOf(socket: Socket, count: number): Promise<readonly string[]> {
  let received = ''
  const bodies: string[] = []
  socket.on('data', part => {
    received += String(part)
    for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
      const length = Number(/content-length: (\d+)/i.exec(received.slice(0, end))?.[1])
      if (received.length < end + 4 + length) break
      bodies.push(received.slice(end + 4, end + 4 + length))
      received = received.slice(end + 4 + length)
    }
  })
  await untilEvent(socket, 'data', () => bodies.length >= count, { seen: () => bodies })
  return bodies
}

/**
 * A caller that disconnects while some of its calls are in flight, some wait for a permit and one waits for its retry.
 */
export async function gone(t: Test): Promise<void> {
  const concurrency = 2
  const held = new Set<Socket>()
  let isHolding = true
  const upstream = await rawUpstream(t, (socket, each) => {
    if (!isHolding) return well(socket, each)
    held.add(socket)
  })
  const failing = await rawUpstream(t, socket => socket.resetAndDestroy())
  const busy = defineUpstream(
    'busy',
    { origin: upstream.origin, concurrency, attemptTimeout: 10_000 },
    { word: operation(wordPath) },
  )
  const again = defineUpstream(
    'again',
    { origin: failing.origin, retry: { maxAttempts: 3, initialDelay: 10_000, maxDelay: 10_000 }, breaker: false },
    { word: operation(wordPath) },
  )
  const many = aggregate('many', { url: '/many', query: Id, deadline: 10_000 })
    .each('words', () => Array.from({ length: 10 }, (_, index) => busy.word({ id: String(index) })))
    .optional('again', () => again.word({ id: 'a' }), { fallback: null })
    .reply(z.unknown(), ({ words }) => words)
  const one = asking('one', { origin: upstream.origin })
  const { app, get, runtime } = await stage(t, [many, one.required])

  const lateMs: number[] = []
  for (let times = 0; times < 10; times++) {
    held.clear()
    const socket = await caller(t, app, request('/many?id=a'))
    await upstream.asked((times + 1) * concurrency)
    const closes = [...held].map(each => once(each, 'close'))
    const since = performance.now()
    socket.resetAndDestroy()
    await Promise.all(closes)
    lateMs.push(performance.now() - since)
  }
  t.ok(
    lateMs.every(ms => ms < 50 + slack),
    `the upstream saw each go within ${Math.max(...lateMs).toFixed(0)} ms`,
  )
  isHolding = false
  t.match(await get('/one?id=b'), { status: 200 })
  t.equal(upstream.requests.length, 10 * concurrency + 1, 'what waited was never sent')
  t.match(runtime.stats(), {
    busy: { active: 0, queued: 0, failed: 0, ignored: 100, breaker: 'closed' },
    again: { active: 0, queued: 0 },
  })
  t.ok(failing.requests.length <= 10, 'and nothing was tried again for who had gone')
}

/** A run that ends in its good time while others still wait for what it began. */
export async function finished(t: Test): Promise<void> {
  const owed: (() => void)[] = []
  const upstream = await rawUpstream(t, (socket, each) => {
    owed.push(() => socket.write(good(each)))
  })
  const quick = await rawUpstream(t, well)
  const shared = defineUpstream(
    'shared',
    { origin: upstream.origin, attemptTimeout: 10_000 },
    { word: operation({ ...wordPath, coalesce: true }) },
  )
  const other = defineUpstream('other', { origin: quick.origin }, { word: operation(wordPath) })
  const first = aggregate('first', { url: '/first', query: Id, deadline: 10_000 })
    .firstOf('part', ({ query }) => [shared.word({ id: query.id }), other.word({ id: 'quick' })])
    .reply(Word, ({ part }) => part)
  const second = aggregate('second', { url: '/second', query: Id, deadline: 10_000 })
    .required('part', ({ query }) => shared.word({ id: query.id }))
    .reply(Word, ({ part }) => part)
  const { app, get, runtime } = await stage(t, [first, second])

  const leader = await caller(t, app, request('/first?id=a'))
  const follower = get<Reply>('/second?id=a')
  const [body = ''] = await answersOf(leader, 1)
  t.match(JSON.parse(body), { data: { word: 'quick' }, complete: true })
  leader.write(request('/health/live'))
  t.equal((await answersOf(leader, 1))[0], '{"status":"live"}', 'its connection lives on')
  await upstream.asked(1)
  for (const pay of owed) pay()
  t.match(await follower, { status: 200, body: { data: { word: 'a' }, complete: true } })
  t.equal(upstream.requests.length, 1)
  t.match(runtime.stats(), { shared: { active: 0, failed: 0 }, other: { ok: 1 } })
}

/** The one whose call it was goes; those who share it do not notice. */
export async function leaderGone(t: Test): Promise<void> {
  const owed: (() => void)[] = []
  const upstream = await rawUpstream(t, (socket, each) => {
    owed.push(() => socket.write(good(each)))
  })
  const shared = defineUpstream(
    'shared',
    { origin: upstream.origin, attemptTimeout: 10_000 },
    { word: operation({ ...wordPath, coalesce: true }) },
  )
  const required = aggregate('required', { url: '/required', query: Id, deadline: 10_000 })
    .required('part', ({ query }) => shared.word({ id: query.id }))
    .reply(Word, ({ part }) => part)
  const { app, get, runtime } = await stage(t, [required])
  const leader = await caller(t, app, request('/required?id=a'))
  await upstream.asked(1)
  const followers = Array.from({ length: 20 }, () => get<Reply>('/required?id=a'))
  await until(() => (runtime.stats()['shared']?.calls ?? 0) >= 21)
  leader.resetAndDestroy()
  await until(() => (runtime.stats()['shared']?.ignored ?? 0) >= 1)
  for (const pay of owed) pay()
  t.ok(
    (await Promise.all(followers)).every(({ status, body }) => status === 200 && body.data?.['word'] === 'a'),
    'all 20 have the answer',
  )
  t.equal(upstream.requests.length, 1)
  t.match(runtime.stats(), { shared: { ok: 20, ignored: 1, failed: 0, active: 0 } })
}

/** A thousand callers who ask the same at once. */
export async function herd(t: Test): Promise<void> {
  const owed: (() => void)[] = []
  const upstream = await rawUpstream(t, (socket, each) => {
    owed.push(() => socket.write(good(each)))
  })
  const shared = defineUpstream(
    'shared',
    { origin: upstream.origin, concurrency: 4, maxQueue: 4, attemptTimeout: 10_000 },
    { word: operation({ ...wordPath, coalesce: true }) },
  )
  const many = aggregate('many', { url: '/many', query: Id, deadline: 10_000 })
    .each('words', ({ query }) => Array.from({ length: 100 }, () => shared.word({ id: query.id })), {
      concurrency: 100,
    })
    .reply(z.array(Word), ({ words }) => words)
  const { get, runtime } = await stage(t, [many])
  const replies = Array.from({ length: 10 }, () => get<Reply<readonly unknown[]>>('/many?id=a'))
  await until(() => (runtime.stats()['shared']?.calls ?? 0) >= 1000)
  for (const pay of owed) pay()
  const all = await Promise.all(replies)
  t.ok(all.every(({ status, body }) => status === 200 && body.data?.length === 100))
  t.equal(upstream.requests.length, 1, 'a thousand calls are one')
  t.match(runtime.stats(), { shared: { ok: 1000, active: 0, queued: 0 } })
}

/** Callers with different credentials who ask the same at once. */
export async function apart(t: Test): Promise<void> {
  const owed: (() => void)[] = []
  const upstream = await rawUpstream(t, (socket, { headers }) => {
    const who = ['authorization', 'cookie', 'x-tenant']
      .map(name => headers.find(([each]) => each === name)?.[1] ?? '-')
      .join()
    owed.push(() => socket.write(good({ path: `/word/${encodeURIComponent(who)}` })))
  })
  const personal = defineUpstream(
    'personal',
    { origin: upstream.origin, forwardHeaders: ['authorization', 'cookie', 'x-tenant'], attemptTimeout: 10_000 },
    { word: operation({ ...wordPath, coalesce: true }) },
  )
  const required = aggregate('required', { url: '/required', query: Id, deadline: 10_000 })
    .required('part', ({ query }) => personal.word({ id: query.id }))
    .reply(Word, ({ part }) => part)
  const { get } = await stage(t, [required])
  const callers: readonly Readonly<Record<string, string>>[] = [
    { authorization: 'Bearer a' },
    { authorization: 'Bearer b' },
    { cookie: 'id=a' },
    { cookie: 'id=b' },
    { 'x-tenant': 'a' },
    { 'x-tenant': 'b' },
    {},
    { authorization: 'Bearer a', 'x-tenant': 'a' },
  ]
  const replies = callers.map(headers => get<Reply>('/required?id=a', { headers }))
  await upstream.asked(callers.length)
  for (const pay of owed) pay()
  const got = (await Promise.all(replies)).map(({ body }) => decodeURIComponent(String(body.data?.['word'])))
  t.same(
    got,
    callers.map(headers => ['authorization', 'cookie', 'x-tenant'].map(name => headers[name] ?? '-').join()),
    'each has the answer that was made for him',
  )
}

/** Two requests over one connection, and two over two: the end of one is not the end of the other. */
export async function sameConnection(t: Test): Promise<void> {
  const owed = new Map<string, () => void>()
  const upstream = await rawUpstream(t, (socket, each) => {
    owed.set(each.path, () => socket.write(good(each)))
  })
  const { required } = asking('slow', { origin: upstream.origin })
  const { app, get, runtime } = await stage(t, [required])

  const both = await caller(t, app, request('/slow?id=a') + request('/slow?id=b'))
  const answers = answersOf(both, 2)
  await upstream.asked(1)
  owed.get('/word/a')?.()
  await upstream.asked(2)
  owed.get('/word/b')?.()
  t.match(
    (await answers).map(body => JSON.parse(body) as unknown),
    [{ data: { word: 'a' } }, { data: { word: 'b' } }],
    'the first was over, and the second went on',
  )

  const leaving = await caller(t, app, request('/slow?id=c'))
  await upstream.asked(3)
  const staying = get<Reply>('/slow?id=d')
  await upstream.asked(4)
  leaving.resetAndDestroy()
  await until(() => (runtime.stats()['slow']?.ignored ?? 0) >= 1)
  owed.get('/word/d')?.()
  t.match(await staying, { status: 200, body: { data: { word: 'd' } } })
  t.match(runtime.stats(), { slow: { ok: 3, ignored: 1, failed: 0, active: 0 } })
}

/** Callers who never read what they asked for. */
export async function slowReaders(t: Test): Promise<void> {
  const limit = 500
  const long = 'x'.repeat(1024 * 1024)
  const upstream = await rawUpstream(t, (socket, { path }) =>
    socket.write(good({ path: path.startsWith('/word/long') ? `/word/${long}` : path })),
  )
  const { required } = asking('long', { origin: upstream.origin, concurrency: 40 })
  const { app, get, runtime } = await stage(t, [required], { limits: { replyTimeout: limit } })
  let open = 0
  app.server.on('connection', socket => {
    open++
    socket.on('close', () => {
      open--
    })
  })
  const readers = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      // Several replies, so that no buffer on the way holds them all.
      const socket = await caller(t, app, request(`/long?id=long-${index}`).repeat(8))
      return socket.pause()
    }),
  )
  await until(() => (runtime.stats()['long']?.ok ?? 0) >= readers.length)
  t.match(await get('/long?id=short'), { status: 200, body: { data: { word: 'short' } } }, 'others are answered')
  await until(() => open <= 1, {
    withinMs: 4 * limit + slack,
    seen: () => `${open} connections of callers that do not read`,
  })
  t.match(runtime.stats(), { long: { active: 0, queued: 0 } }, 'and it holds no permit')
  t.ok(upstream.open <= 40)
}
