import { aggregate, defineUpstream, operation, times, type UpstreamOptions } from 'headwaters'
import { z } from 'zod'
import { Fact, Facts } from '../../fact.ts'
import { settings } from '../../settings.ts'
import { forwarded } from '../inputs.ts'

/** The aggregate that the bench asks, with options of its upstream beside those that all targets share. */
export function factsWith(options: Partial<UpstreamOptions>) {
  const upstream = defineUpstream(
    'facts',
    {
      origin: 'http://127.0.0.1:9',
      concurrency: settings.slots,
      maxQueue: settings.queue,
      forwardHeaders: forwarded,
      ...options,
    },
    {
      fact: operation({
        path: '/topics/{topic}/fact',
        params: z.object({ topic: z.string() }),
        query: z.object({ index: z.int(), lang: z.string().optional(), max_length: z.int().optional() }),
        output: Fact,
      }),
    },
  )

  return aggregate('facts', {
    url: '/v1/facts/{topic}',
    params: z.object({ topic: z.string() }),
    query: z.object({
      n: z.coerce.number().int().min(1).max(100),
      lang: z.string().optional(),
      max_length: z.coerce.number().int().min(1).optional(),
    }),
    envelope: false,
    deadline: settings.deadlineMs,
  })
    .each(
      'facts',
      ({ params: { topic }, query: { n, lang, max_length } }) =>
        times(n, index => upstream.fact({ topic, index, lang, max_length })),
      { concurrency: settings.width },
    )
    .reply(Facts, ({ facts }) => ({ facts }))
}
