import type { Socket } from 'node:net'
import { once } from 'node:events'
import type { Test } from 'tap'
import { rawUpstream, type RawRequest } from '../../helpers/raw-upstream.ts'
import { asking } from '../helpers/asking.ts'
import { stage, type Reply } from '../helpers/stage.ts'
import { good, status } from '../helpers/wire.ts'

interface Owed {
  readonly socket: Socket
  readonly request: RawRequest
}

/** Two attempts of one call, each of which the test answers. */
export async function hedged(t: Test): Promise<void> {
  const unhandled: unknown[] = []
  const hear = (error: unknown) => {
    unhandled.push(error)
  }
  process.on('unhandledRejection', hear)
  t.teardown(() => process.off('unhandledRejection', hear))

  const owed: Owed[] = []
  const upstream = await rawUpstream(t, (socket, request) => {
    owed.push({ socket, request })
  })
  // The share is of no matter here.
  const { required } = asking('twice', {
    origin: upstream.origin,
    hedge: { delay: 30, maxRatio: 1 },
    retryBudget: { ratio: 1, minPerSecond: 100 },
    breaker: false,
    retry: false,
  })
  const { get, runtime } = await stage(t, [required])

  async function both(
    id: string,
  ): Promise<readonly [reply: Promise<{ readonly status: number; readonly body: Reply }>, first: Owed, second: Owed]> {
    owed.length = 0
    const before = upstream.requests.length
    const reply = get<Reply>(`/twice?id=${id}`)
    await upstream.asked(before + 2)
    return [reply, owed[0] as Owed, owed[1] as Owed]
  }

  // A hedge counts against calls that were made, so the first call may have none.
  const warm = get<Reply>('/twice?id=warm')
  await upstream.asked(1)
  for (const { socket, request } of owed) socket.write(good(request))
  t.match(await warm, { status: 200 })

  for (const [what, bad] of [
    ['500', status(500)],
    ['a broken answer', 'rubbish\r\n\r\n'],
    ['another shape', good({ path: '/' }).toString().replace('word', 'name')],
  ] as const) {
    const [reply, first, second] = await both('a')
    first.socket.write(bad)
    second.socket.write(good(second.request))
    t.match(
      await reply,
      { status: 200, body: { data: { word: 'a' }, sources: { part: { state: 'ok', attempts: 2 } } } },
      `the first is ${what}, the second is taken`,
    )
  }

  const [reply, first, second] = await both('b')
  const cut = once(first.socket, 'close')
  second.socket.write(good(second.request))
  t.match(
    await reply,
    { status: 200, body: { data: { word: 'b' } } },
    'both would be good: the first to be there is taken',
  )
  await cut
  t.ok(second.socket.writable, 'the connection of the second attempt stays open')

  const [late, slow, quick] = await both('c')
  quick.socket.write(good(quick.request))
  slow.socket.write('rubbish\r\n\r\n')
  t.match(await late, { status: 200, body: { data: { word: 'c' } } }, 'a later answer of the loser has no effect')

  const [none, one, two] = await both('d')
  // Within the answer: before it, on a connection that has served, it would be a closed idle connection, which is
  // not a failure.
  for (const { socket } of [one, two])
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{', () =>
      socket.resetAndDestroy(),
    )
  t.match(await none, { status: 502, body: { code: 'UPSTREAM_RESET' } }, 'both bad: it has failed')
  await get('/health/live')
  t.same(unhandled, [], 'and no error is left without somebody to take it')
  t.match(runtime.stats(), { twice: { active: 0, queued: 0, ok: 6, failed: 1 } })
}
