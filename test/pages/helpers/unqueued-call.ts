import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { runAggregate, scriptedUpstream } from '../../../src/testing/index.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { failure } from '../../helpers/failure.ts'

const fact = operation({ path: '/fact', query: z.object({ max_length: z.number() }), output: z.unknown() })
const cats = defineUpstream('cats', { origin: 'https://cats.example' }, { fact })
const card = aggregate('card', { url: '/card' })
  .required('fact', () => cats.fact({ max_length: 40 }))
  .reply(z.unknown(), () => null)

/** Returns the message of a run that asks for 40 characters while an answer for 50 is queued, with this file and line. */
export async function unqueuedCallText(place: string): Promise<string> {
  await using upstream = await scriptedUpstream()
  upstream.answer(cats.fact({ max_length: 50 }), {})
  const { message } = (await failure(runAggregate(card, {}, { upstreams: { cats: upstream } }))) as Error
  return message.replace(/(?<=called at ).*/, place)
}
