import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate, times } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { idsOf } from '../../helpers/priced-upstream.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { stage, Word, type Reply } from '../helpers/stage.ts'
import { typed } from '../helpers/wire.ts'

/** Callers with different credentials whose runs ask for the same 50 keys at once. */
export async function keysApart(t: Test): Promise<void> {
  const owed: (() => void)[] = []
  const upstream = await rawUpstream(t, (socket, { path, headers }) => {
    const who = headers.find(([name]) => name === 'authorization')?.[1] ?? '-'
    const words = idsOf(path).map(id => ({ word: `${id} ${who}` }))
    owed.push(() => socket.write(typed('application/json', JSON.stringify(words))))
  })
  const personal = defineUpstream(
    'personal',
    { origin: upstream.origin, forwardHeaders: ['authorization'], attemptTimeout: 10_000 },
    {
      word: operation({
        path: '/words',
        query: z.object({ ids: z.array(z.string()) }),
        output: z.array(Word),
        coalesce: true,
        keyBatch: {
          maxKeys: 25,
          call: (ids: readonly string[]) => ({ ids }),
          pick: (words, id) => words.find(({ word }) => word.startsWith(`${id} `)),
        },
      }),
    },
  )
  const all = aggregate('all', { url: '/all', deadline: 10_000 })
    .each('words', () => times(50, index => personal.word(`k${index}`)))
    .reply(z.array(z.string()), ({ words }) => words.map(({ word }) => word))
  const { get } = await stage(t, [all])
  const callers = ['Bearer a', 'Bearer b', 'Bearer c', undefined]
  const replies = callers.map(who =>
    get<Reply<readonly string[]>>('/all', { headers: who === undefined ? {} : { authorization: who } }),
  )
  await upstream.asked(2 * callers.length)
  for (const pay of owed) pay()
  t.same(
    (await Promise.all(replies)).map(({ body }) => body.data),
    callers.map(who => times(50, index => `k${index} ${who ?? '-'}`)),
    'each caller has the values that were made for him',
  )
  t.equal(upstream.requests.length, 2 * callers.length)
}
