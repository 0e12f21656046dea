import { aggregate, defineUpstream, operation, times, type UpstreamOptions } from 'headwaters'
import { z } from 'zod'
import { Fact, Facts } from '../../workload/fact.ts'
import { settings } from '../../workload/settings.ts'
import { forwarded } from '../inputs.ts'

const origin = 'http://127.0.0.1:9'
const operations = {
  fact: operation({
    path: '/topics/{topic}/fact',
    params: z.object({ topic: z.string() }),
    query: z.object({ index: z.int(), lang: z.string().optional(), max_length: z.int().optional() }),
    output: Fact,
  }),
}

type ExtraOptions = Pick<UpstreamOptions, 'pipelining' | 'concurrency'>
interface EachOptions {
  readonly concurrency?: number
}

/**
 * Defines the aggregate that the bench calls.
 *
 * @param options - Options of the upstream, in addition to those that all targets share.
 * @param each - Options of the step. By default, the concurrency that all targets share.
 */
export function factsWith(options: ExtraOptions, each: EachOptions = { concurrency: settings.stepConcurrency }) {
  const { upstream, eachOptions } = definitionsWith(options, each)
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
      eachOptions,
    )
    .reply(Facts, ({ facts }) => ({ facts }))
}

/**
 * Defines the upstream with the option names of the checkout that loads this module: with `--against`, an older
 * checkout may load it, whose options had other names.
 */
function definitionsWith(options: ExtraOptions, each: EachOptions) {
  const { concurrency, maxQueue, stepConcurrency } = settings
  try {
    return {
      upstream: defineUpstream(
        'facts',
        { origin, concurrency, maxQueue, forwardHeaders: forwarded, ...options },
        operations,
      ),
      eachOptions: each,
    }
  } catch (error) {
    if (!String(error).includes("there is no option 'concurrency'")) throw error
    const oldOptions = {
      origin,
      slots: concurrency,
      queue: maxQueue,
      forward: forwarded,
      ...(options.pipelining !== undefined && { trusted: options }),
    }
    return {
      upstream: defineUpstream('facts', oldOptions as UpstreamOptions, operations),
      eachOptions: { width: stepConcurrency } as EachOptions,
    }
  }
}
