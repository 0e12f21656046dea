import { z } from 'zod'
import { NinjaBreeds } from '../schemas/cat-breed.ts'
import { NinjaFact, NinjaFacts } from '../schemas/cat-fact.ts'
import { defineUpstream, operation } from '../upstream/declare.ts'

/** catfact.ninja: a single fact, a page of facts, or a page of breeds. */
export const catfactNinja = defineUpstream(
  'catfact-ninja',
  { origin: 'https://catfact.ninja', publicOnly: true },
  {
    fact: operation({
      path: '/fact',
      query: z.object({ max_length: z.number().int().min(1).optional() }),
      output: NinjaFact,
      batch: true,
    }),
    facts: operation({
      path: '/facts',
      query: z.object({
        limit: z.number().int().min(1).max(100).optional(),
        max_length: z.number().int().min(1).optional(),
      }),
      output: NinjaFacts,
      batch: true,
    }),
    breeds: operation({
      path: '/breeds',
      query: z.object({ limit: z.number().int().min(1).max(100).optional() }),
      output: NinjaBreeds,
      coalesce: true,
    }),
  },
)
