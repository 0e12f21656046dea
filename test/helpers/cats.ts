import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'

export const cats = defineUpstream(
  'cats',
  { origin: 'http://cats.invalid' },
  {
    fact: operation({ path: '/fact', output: z.object({ fact: z.string() }) }),
    order: operation({
      method: 'POST',
      path: '/orders',
      body: z.object({ cat: z.string() }),
      output: z.object({ id: z.string() }),
    }),
  },
)

const Fact = z.object({ fact: z.string() }).meta({ id: 'CatsFact', description: 'What is told.' })

/** A GET with every part but a body. */
export const fact = aggregate('a-fact', {
  url: '/facts/{kind}',
  params: z.object({ kind: z.enum(['short', 'long']) }),
  query: z.object({ count: z.coerce.number().int().min(1).default(1) }),
  headers: z.object({ 'accept-language': z.string().optional() }),
  summary: 'One fact',
  description: 'Told by a cat.',
})
  .required('fact', () => cats.fact())
  .reply(Fact, ({ fact: told }) => told)

/** A POST with a body. */
export const order = aggregate('order', { url: '/orders', body: z.object({ cat: z.string().min(2) }), envelope: false })
  .required('order', ({ body }) => cats.order({ body }))
  .reply(z.object({ id: z.string() }), ({ order: { id } }) => ({ id }))

/** What both call, scripted for one test, and the override that leads there. */
export async function scriptedCats(t: Test) {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  return { upstream, overrides: { cats: { origin: upstream.origin } } }
}
