import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { Id, stage, Word, wordPath, type Reply } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'

/** A kept connection that closes as it is used again, at full concurrency and with an empty retry budget. */
export async function reused(t: Test): Promise<void> {
  let isClosing = false
  const seen = new Map<number, number>()
  const upstream = await rawUpstream(t, (socket, request) => {
    const before = seen.get(request.connection) ?? 0
    seen.set(request.connection, before + 1)
    if (isClosing && before > 0) socket.destroy()
    else well(socket, request)
  })
  const keeper = defineUpstream('keeper', { origin: upstream.origin, concurrency: 8 }, { word: operation(wordPath) })
  const required = aggregate('required', { url: '/required', query: Id })
    .each('words', ({ query }) => Array.from({ length: 8 }, (_, index) => keeper.word({ id: `${query.id}-${index}` })))
    .reply(z.array(Word), ({ words }) => words)
  const { get, runtime } = await stage(t, [required])

  t.match(await get('/required?id=first'), { status: 200, body: { complete: true } })
  t.equal(upstream.connections, 8)
  isClosing = true
  for (const id of ['second', 'third', 'fourth']) {
    const { status, body } = await get<Reply<readonly unknown[]>>(`/required?id=${id}`)
    t.equal(status, 200, `${id}: no caller notices`)
    t.same(
      body.data,
      Array.from({ length: 8 }, (_, index) => ({ word: `${id}-${index}` })),
    )
  }
  t.match(runtime.stats(), { keeper: { calls: 32, ok: 32, failed: 0, active: 0 } })
  t.ok(upstream.open <= 8, `${upstream.open} connections with a concurrency of 8`)
}

/** Connections that are all closed in the moment in which all are wanted again. */
export async function reusedAtOnce(t: Test): Promise<void> {
  const concurrency = 16
  const sockets = new Set<Socket>()
  const upstream = await rawUpstream(t, well, undefined, socket => {
    sockets.add(socket.on('close', () => sockets.delete(socket)))
  })
  const keeper = defineUpstream(
    'keeper',
    { origin: upstream.origin, concurrency, retryBudget: { ratio: 0, minPerSecond: 0 } },
    { word: operation(wordPath) },
  )
  const required = aggregate('required', { url: '/required', query: Id })
    .each('words', ({ query }) =>
      Array.from({ length: concurrency }, (_, index) => keeper.word({ id: `${query.id}-${index}` })),
    )
    .reply(z.array(Word), ({ words }) => words)
  const { get, runtime } = await stage(t, [required])

  const lost: string[] = []
  for (let round = 0; round < 20; round++) {
    await get(`/required?id=warm-${round}`)
    for (const socket of sockets) socket.destroy()
    const { status, body } = await get<Reply<readonly unknown[]>>(`/required?id=again-${round}`)
    if (status !== 200) lost.push(`${round}: ${status} ${body.code}`)
  }
  t.same(lost, [], 'no caller notices, though there is no retry to spend')
  t.match(runtime.stats(), { keeper: { ok: 40 * concurrency, failed: 0, active: 0, breaker: 'closed' } })
}

/** An unsafe call whose connection is reset while its body is on the way. */
export async function brokenOff(t: Test): Promise<void> {
  let connections = 0
  const server = createServer(socket => {
    connections++
    socket.on('error', () => {}).once('data', () => socket.resetAndDestroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const writer = defineUpstream(
    'writer',
    { origin, attemptTimeout: 1000, maxRequestBytes: 32 * 1024 * 1024 },
    {
      save: operation({ method: 'POST', path: '/words', body: z.object({ word: z.string() }), output: Word }),
    },
  )
  // More than a socket takes at once.
  const word = 'x'.repeat(16 * 1024 * 1024)
  const required = aggregate('required', { url: '/required' })
    .required('part', () => writer.save({ body: { word } }))
    .reply(z.unknown(), ({ part }) => part)
  const optional = aggregate('optional', { url: '/optional' })
    .optional('part', () => writer.save({ body: { word } }), { fallback: null })
    .reply(z.unknown(), ({ part }) => part)
  const { get, runtime } = await stage(t, [required, optional])

  t.match(await get('/required'), {
    status: 502,
    body: { code: 'OUTCOME_UNKNOWN', sources: { part: { state: 'failed', attempts: 1 } } },
  })
  t.equal(connections, 1, 'it was sent once')
  t.match(await get('/optional'), {
    status: 200,
    body: { data: null, sources: { part: { state: 'fallback', code: 'OUTCOME_UNKNOWN', attempts: 1 } } },
  })
  t.equal(connections, 2, 'and once')
  t.match(runtime.stats(), { writer: { active: 0, queued: 0, failed: 2 } })
}
