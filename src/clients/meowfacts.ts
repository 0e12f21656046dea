import { z } from 'zod'
import { MeowFacts } from '../schemas/cat-fact.ts'
import { defineUpstream, operation } from '../upstream/declare.ts'

/** meowfacts: several facts in one call. */
export const meowfacts = defineUpstream(
  'meowfacts',
  { origin: 'https://meowfacts.herokuapp.com', publicOnly: true },
  {
    facts: operation({
      path: '/',
      query: z.object({ count: z.number().int().min(1).max(100).optional() }),
      output: MeowFacts,
    }),
  },
)
