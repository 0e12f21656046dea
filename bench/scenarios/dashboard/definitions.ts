// The definitions for `bench/scenarios/dashboard/main.ts`: a run of three calls to two upstreams.
import { z } from 'zod'
import { aggregate, defineUpstream, operation, times } from 'headwaters'

const Fact = z.object({ fact: z.string(), length: z.number() })
const calls = { fact: operation({ path: '/fact', output: Fact }) }
const first = defineUpstream('first', { origin: 'http://127.0.0.1:9' }, calls)
const second = defineUpstream('second', { origin: 'http://127.0.0.1:9' }, calls)

export const facts = aggregate('facts', { url: '/facts' })
  .each('many', () => times(2, () => first.fact()))
  .optional('one', () => second.fact(), { fallback: null })
  .reply(z.object({ facts: z.array(Fact) }), ({ many, one }) => ({ facts: one === null ? many : [...many, one] }))
