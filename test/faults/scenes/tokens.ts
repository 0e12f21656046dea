import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, env, operation } from '../../../src/upstream/declare.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { stage, Word, wordPath, type Reply } from '../helpers/stage.ts'
import { good, status } from '../helpers/wire.ts'

/** A token that is refused before its time, and then every token. */
export async function refusedTokens(t: Test): Promise<void> {
  let wanted = 'token-0'
  const tokens = await rawUpstream(t, (socket, { index }) =>
    socket.write(json({ access_token: `token-${index}`, token_type: 'Bearer', expires_in: 3600 })),
  )
  const upstream = await rawUpstream(t, (socket, request) => {
    const said = request.headers.find(([name]) => name === 'authorization')?.[1]
    socket.write(said === `Bearer ${wanted}` ? good(request) : status(401))
  })
  const guarded = defineUpstream(
    'guarded',
    {
      origin: upstream.origin,
      concurrency: 16,
      auth: { oauth2: { tokenUrl: `${tokens.origin}/token`, clientId: 'us', clientSecret: env('OUR_SECRET') } },
    },
    { word: operation(wordPath) },
  )
  const many = aggregate('many', { url: '/many' })
    .each('words', () => Array.from({ length: 16 }, (_, index) => guarded.word({ id: String(index) })))
    .reply(z.array(Word), ({ words }) => words)
  const { get, runtime } = await stage(t, [many], { environment: { OUR_SECRET: 'a' } })
  t.match(await get('/many'), { status: 200 })
  t.equal(tokens.requests.length, 1, 'one token for sixteen calls')

  wanted = 'token-1'
  t.match(await get('/many'), { status: 200 }, 'no caller notices that it is refused')
  t.equal(tokens.requests.length, 2, 'one new token for all')

  wanted = 'none'
  const before = upstream.requests.length
  for (let times = 0; times < 3; times++)
    t.match(await get<Reply>('/many'), { status: 502, body: { code: 'UPSTREAM_STATUS' } })
  t.equal(tokens.requests.length, 3, 'a new one that is refused too is the last')
  t.ok(
    upstream.requests.length - before <= 4 * 16,
    `${upstream.requests.length - before} requests for three times sixteen calls`,
  )
  t.match(
    runtime.stats(),
    { guarded: { active: 0, queued: 0, failed: 0, breaker: 'closed' } },
    "and says nothing of the upstream's health",
  )
}
