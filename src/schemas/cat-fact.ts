import { z } from 'zod'
import { Picture } from './picture.ts'

/** A fact from catfact.ninja, with its length. */
export const NinjaFact = z.object({
  fact: z.string().max(2000),
  length: z.int().min(0),
})
export type NinjaFact = z.output<typeof NinjaFact>

/** A page of facts from catfact.ninja, without its page links. */
export const NinjaFacts = z.object({ data: z.array(NinjaFact).max(1000), total: z.int().min(0) })
export type NinjaFacts = z.output<typeof NinjaFacts>

/** The response of meowfacts. */
export const MeowFacts = z.object({ data: z.array(z.string().max(2000)).max(100) })
export interface MeowFacts {
  readonly data: readonly string[]
}

/** The query of `/v1/cat-facts`. */
export const CatFactsQuery = z.object({
  count: z.coerce
    .number()
    .int()
    .min(1)
    .max(50)
    .default(3)
    .describe('The number of facts to request from each source.')
    .meta({ examples: [1] }),
  max_length: z.coerce
    .number()
    .int()
    .min(20)
    .max(500)
    .optional()
    .describe('The maximum length of a fact, in characters; longer facts are omitted.')
    .meta({ examples: [140] }),
})
export type CatFactsQuery = z.output<typeof CatFactsQuery>

/** A fact and its source. */
export const CatFact = z
  .object({
    text: z.string(),
    length: z.int().min(0),
    source: z.enum(['catfact-ninja', 'meowfacts']),
  })
  .meta({ id: 'CatFact' })
export type CatFact = z.output<typeof CatFact>

/** The reply of `/v1/cat-facts`. */
export const CatFacts = z
  .object({
    facts: z
      .array(CatFact)
      .describe('The facts without duplicates: first those of catfact.ninja, then those of meowfacts.'),
    picture: Picture.nullable().describe('A picture of a cat; null if none is available.'),
  })
  .meta({
    id: 'CatFacts',
    examples: [
      {
        facts: [
          {
            text: 'Cats are most active at dawn and at dusk, which is called being crepuscular.',
            length: 76,
            source: 'catfact-ninja',
          },
          {
            text: 'Cats know their own names from other words, as a study from Japan showed in 2019.',
            length: 81,
            source: 'meowfacts',
          },
        ],
        picture: { url: 'https://cdn2.thecatapi.com/images/qrTV1MSiC.jpg', width: 1149, height: 684 },
      },
    ],
  })
export type CatFacts = z.output<typeof CatFacts>
