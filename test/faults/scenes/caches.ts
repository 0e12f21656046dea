import type { Socket } from 'node:net'
import type { Test } from 'tap'
import type { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import type { OperationOptions } from '../../../src/upstream/spec/operation-options.ts'
import type { UpstreamOptions } from '../../../src/upstream/spec/options.ts'
import { quietPort } from '../../helpers/quiet-port.ts'
import { rawUpstream, type RawRequest } from '../../helpers/raw-upstream.ts'
import { slack } from '../helpers/slack.ts'
import { Id, stage, Word, wordPath, type Reply } from '../helpers/stage.ts'
import { answer, status, typed } from '../helpers/wire.ts'
import { elapsed, until } from '../../helpers/until.ts'

type Cache = NonNullable<
  OperationOptions<string, z.ZodType, undefined, undefined, undefined, undefined, never, undefined>['cache']
>

/** A word that is kept, from an upstream that counts how often it was asked. */
async function keeping(
  t: Test,
  cache: Cache,
  answers: (socket: Socket, request: RawRequest) => unknown,
  options: Partial<UpstreamOptions> = {},
) {
  const upstream = await rawUpstream(t, answers, undefined, undefined, await quietPort())
  const keeper = defineUpstream(
    'keeper',
    { origin: upstream.origin, attemptTimeout: 10_000, ...options },
    { word: operation({ ...wordPath, cache }) },
  )
  const required = aggregate('required', { url: '/required', query: Id, deadline: 10_000 })
    .required('part', ({ query }) => keeper.word({ id: query.id }))
    .reply(Word, ({ part }) => part)
  const served = await stage(t, [required])
  return { upstream, ...served, ask: (id = 'a', headers = {}) => served.get<Reply>(`/required?id=${id}`, { headers }) }
}

const numbered =
  (lines: readonly string[] = []) =>
  (socket: Socket, { index }: RawRequest) =>
    socket.write(typed('application/json', `{"word":"${index}"}`, lines))

/** A word that everybody wants, at the moment in which it is no longer fresh. */
export async function hotKey(t: Test): Promise<void> {
  const owed: (() => void)[] = []
  const { upstream, ask, runtime } = await keeping(t, { ttl: 100, staleWhileRevalidate: 60_000 }, (socket, request) => {
    if (request.index === 0) numbered()(socket, request)
    else owed.push(() => numbered()(socket, request))
  })
  t.match(await ask(), { body: { data: { word: '0' } } })
  await elapsed(110)
  const since = performance.now()
  const stale = await Promise.all(Array.from({ length: 100 }, () => ask()))
  t.ok(
    stale.every(({ status, body }) => status === 200 && body.data?.['word'] === '0'),
    'all have the old word',
  )
  t.ok(performance.now() - since < 5000 + slack, 'and do not wait')
  t.equal(upstream.requests.length, 2, 'while one call fetches the new one')
  for (const pay of owed) pay()
  await until(async () => (await ask()).body.data?.['word'] === '1')
  t.equal(upstream.requests.length, 2)
  t.match(runtime.stats(), { keeper: { active: 0, queued: 0, failed: 0 } })
}

/** A refresh that was begun for a caller who has long been answered. */
export async function detached(t: Test): Promise<void> {
  const owed: (() => void)[] = []
  const { upstream, ask, get } = await keeping(t, { ttl: 1, staleWhileRevalidate: 60_000 }, (socket, request) => {
    if (request.index === 0) numbered()(socket, request)
    else owed.push(() => numbered()(socket, request))
  })
  await ask()
  await elapsed(10)
  t.match(
    await ask('a', { connection: 'close' }),
    { status: 200, body: { data: { word: '0' } } },
    'the caller is answered, and his connection closed',
  )
  await upstream.asked(2)
  // Each of these requests takes turns of the loop in which the close of the caller's connection could end the refresh.
  for (let times = 0; times < 20; times++) await get('/health/live')
  t.equal(upstream.open, 1, 'the refresh goes on')
  for (const pay of owed.splice(0)) pay()
  let got: unknown = '0'
  await until(async () => (got = (await ask()).body.data?.['word']) !== '0')
  t.equal(got, '1', 'what the refresh brought is given')
}

/** Answers that were cut short, that are no good or that are somebody's own. */
export async function neverKept(t: Test): Promise<void> {
  const bad: readonly (readonly [what: string, code: string | undefined, write: (socket: Socket) => unknown])[] = [
    [
      'cut short',
      'UPSTREAM_RESET',
      socket => socket.end(answer(['content-length: 100', 'cache-control: max-age=1000'], '{"word":"bad"}')),
    ],
    [
      'cut short in chunks',
      'UPSTREAM_RESET',
      socket =>
        socket.end(answer(['transfer-encoding: chunked', 'cache-control: max-age=1000'], 'e\r\n{"word":"bad"}\r\n')),
    ],
    [
      'ended by its connection',
      undefined,
      socket => socket.end(answer(['cache-control: max-age=1000'], '{"word":"bad"}')),
    ],
    [
      'of another shape',
      'UPSTREAM_SCHEMA',
      socket => socket.write(typed('application/json', '{"word":1}', ['cache-control: max-age=1000'])),
    ],
    ['an error', 'UPSTREAM_STATUS', socket => socket.write(status(500, ['cache-control: max-age=1000']))],
    [
      'with a cookie',
      undefined,
      socket =>
        socket.write(typed('application/json', '{"word":"bad"}', ['cache-control: max-age=1000', 'set-cookie: id=1'])),
    ],
    [
      'private',
      undefined,
      socket => socket.write(typed('application/json', '{"word":"bad"}', ['cache-control: private, max-age=1000'])),
    ],
  ]
  for (const [what, code, write] of bad) {
    let isWell = false
    const { ask } = await keeping(
      t,
      { ttl: 60_000 },
      (socket, request) => (isWell ? numbered()(socket, request) : write(socket)),
      { retry: false },
    )
    const first = await ask()
    t.equal(first.body.code, code, what)
    isWell = true
    t.match(await ask(), { status: 200, body: { data: { word: '1' } } }, `what was ${what} is not given again`)
  }
}

/** Callers with different credentials who ask for what is kept. */
export async function keptApart(t: Test): Promise<void> {
  const { upstream, ask } = await keeping(
    t,
    { ttl: 60_000 },
    (socket, { headers }) => {
      socket.write(
        typed(
          'application/json',
          JSON.stringify({ word: headers.find(([name]) => name === 'authorization')?.[1] ?? 'nobody' }),
        ),
      )
    },
    { forwardHeaders: ['authorization', 'cookie', 'x-tenant'] },
  )
  for (const who of ['Bearer a', 'Bearer b', 'Bearer a', 'Bearer b'])
    t.match(await ask('a', { authorization: who }), { body: { data: { word: who } } }, `${who} has his own`)
  t.match(await ask('a'), { body: { data: { word: 'nobody' } } })
  t.equal(upstream.requests.length, 3)
  await ask('a', { cookie: 'id=1' })
  await ask('a', { 'x-tenant': '1' })
  t.equal(upstream.requests.length, 5, 'no caller has what was kept for another')
}

/** What is kept stands in while the upstream is down and its breaker open. */
export async function standsIn(t: Test): Promise<void> {
  const { upstream, ask, runtime, get } = await keeping(t, { ttl: 1, staleIfError: 60_000 }, numbered(), {
    breaker: { minimumCalls: 4, openDuration: 60_000 },
  })
  await ask()
  await upstream.stop()
  for (let times = 0; runtime.stats()['keeper']?.breaker !== 'open' && times < 20; times++) {
    t.match(await ask(), {
      status: 200,
      body: { complete: false, data: { word: '0' }, sources: { part: { state: 'stale' } } },
    })
  }
  t.match(runtime.stats(), { keeper: { breaker: 'open' } })
  t.match(
    await ask(),
    { status: 200, body: { complete: false, data: { word: '0' }, sources: { part: { state: 'stale' } } } },
    'also without a request',
  )
  t.match(await get('/required?id=b'), { status: 503, body: { code: 'BREAKER_OPEN' } }, 'what was never had is not')
}

/** What is kept stands in after a soft limit while the upstream hangs, long before its timeout. */
export async function standsInSoon(t: Test): Promise<void> {
  let isHanging = false
  const owed: (() => void)[] = []
  const { upstream, ask, runtime } = await keeping(
    t,
    { ttl: 1, staleIfError: 60_000 },
    (socket, request) => {
      const answer = () => numbered()(socket, request)
      if (isHanging) owed.push(answer)
      else answer()
    },
    { breaker: false },
  )
  await ask()
  isHanging = true
  await elapsed(2)
  const replies = await Promise.all(Array.from({ length: 20 }, () => ask()))
  for (const { status, body } of replies)
    t.match(
      { status, body },
      {
        status: 200,
        body: { complete: false, data: { word: '0' }, sources: { part: { state: 'stale', code: 'UPSTREAM_TIMEOUT' } } },
      },
    )
  const longest = Math.max(...replies.map(({ body }) => body.sources['part']?.ms ?? Infinity))
  t.ok(longest < 5000, `after ${longest} ms at most, of a timeout of 10 s`)
  t.equal(upstream.requests.length, 2, 'one call has asked for all of them')
  isHanging = false
  for (const answer of owed) answer()
  await until(() => runtime.stats()['keeper']?.active === 0)
  t.match(await ask(), { status: 200, body: { complete: true } })
  t.match(runtime.stats(), { keeper: { active: 0, queued: 0, cache: { refreshes: 1 } } })
}
