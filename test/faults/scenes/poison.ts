import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { rawUpstream, type RawRequest } from '../../helpers/raw-upstream.ts'
import { Id, stage, Word, wordPath, type Reply } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'

const warm = 60

/** The service with 60 connections that have served; `next` decides what comes of later requests. */
async function warmed(t: Test, next: (socket: Socket, request: RawRequest) => unknown) {
  let isWarm = false
  let waiting: (() => void)[] = []
  const upstream = await rawUpstream(t, (socket, request) => {
    if (isWarm) return next(socket, request)
    waiting.push(() => well(socket, request))
    if (waiting.length < warm) return
    for (const answer of waiting) answer()
    waiting = []
  })
  const keeper = defineUpstream(
    'keeper',
    { origin: upstream.origin, concurrency: warm, connections: warm, retry: { maxAttempts: 2, initialDelay: 0 } },
    { word: operation(wordPath) },
  )
  const many = aggregate('many', { url: '/many', query: Id })
    .each(
      'words',
      ({ query }) => Array.from({ length: warm }, (_, index) => keeper.word({ id: `${query.id}-${index}` })),
      { concurrency: warm },
    )
    .reply(z.array(Word), ({ words }) => words)
  const one = aggregate('one', { url: '/one', query: Id })
    .required('part', ({ query }) => keeper.word({ id: query.id }))
    .reply(Word, ({ part }) => part)
  const { get, runtime } = await stage(t, [many, one])
  t.match(await get('/many?id=warm'), { status: 200, body: { complete: true } })
  t.equal(upstream.open, warm)
  isWarm = true
  return { upstream, get, runtime }
}

/** Every connection that has served before dies of its next request. */
export async function restartedWarm(t: Test): Promise<void> {
  const served = new Set(Array.from({ length: warm }, (_, connection) => connection))
  const { upstream, get, runtime } = await warmed(t, (socket, request) => {
    if (served.has(request.connection)) return socket.destroy()
    well(socket, request)
  })
  t.match(await get<Reply<readonly unknown[]>>('/many?id=a'), { status: 200, body: { complete: true } })
  t.ok(upstream.requests.length <= 3 * warm, `${upstream.requests.length - warm} requests for ${warm} calls`)
  t.match(runtime.stats(), { keeper: { ok: 2 * warm, failed: 0, breaker: 'closed' } })
}

/** One request kills each connection that it is sent over; all others are answered. */
export async function poisonous(t: Test): Promise<void> {
  const { upstream, get, runtime } = await warmed(t, (socket, request) => {
    if (request.path.endsWith('poison')) return socket.destroy()
    well(socket, request)
  })
  const sent = () => upstream.requests.filter(({ path }) => path.endsWith('poison')).length
  t.match(await get('/one?id=poison'), {
    status: 502,
    body: { code: 'UPSTREAM_RESET', sources: { part: { attempts: 3 } } },
  })
  t.equal(sent(), 3, 'once, once more for nothing, and once more from the budget')
  t.match(await get('/one?id=a'), { status: 200 })
  for (let calls = 0; runtime.stats()['keeper']?.breaker === 'closed' && calls < 20; calls++)
    await get('/one?id=poison')
  t.match(runtime.stats(), { keeper: { breaker: 'open', active: 0 } })
  t.ok(sent() <= 3 * 11, `${sent()} times before the breaker opened`)
}
