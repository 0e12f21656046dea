import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { Id, stage, wordPath } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'
import { status } from '../helpers/wire.ts'

/** An upstream with credentials that sends its callers to somebody else. */
export async function elsewhere(t: Test): Promise<void> {
  const other = await rawUpstream(t, well)
  for (const [code, redirects] of [301, 302, 303, 307, 308].flatMap(code => [
    [code, 0] as const,
    [code, 10] as const,
  ])) {
    const upstream = await rawUpstream(t, (socket, { path }) =>
      socket.write(status(code, [`location: ${other.origin}${path}`])),
    )
    const sender = defineUpstream(
      'sender',
      {
        origin: upstream.origin,
        headers: { authorization: 'Bearer a', 'x-api-key': 'b' },
        forwardHeaders: ['x-user'],
        redirects,
      },
      { word: operation(wordPath) },
    )
    const required = aggregate('required', { url: '/required', query: Id })
      .required('part', ({ query }) => sender.word({ id: query.id }))
      .reply(z.unknown(), ({ part }) => part)
    const { get } = await stage(t, [required])
    t.match(await get('/required?id=a', { headers: { 'x-user': 'c' } }), {
      status: 502,
      body: { code: 'UPSTREAM_STATUS', sources: { part: { state: 'failed', status: code, attempts: 1 } } },
    })
    t.equal(upstream.requests.length, 1)
  }
  t.equal(other.connections, 0, 'the other has no connection')
}
