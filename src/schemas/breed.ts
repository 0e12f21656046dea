import { z } from 'zod'

/** Which breed a caller asks for. */
export const BreedParams = z.object({
  breed: z.string().trim().min(1).max(60).describe('Name of a breed, or a part of it.').meta({ examples: ['siamese'] }),
})
export type BreedParams = z.output<typeof BreedParams>

/** What a caller may ask of `/v1/breeds/{breed}`. */
export const BreedQuery = z.object({
  facts: z.coerce.number().int().min(0).max(20).default(3).describe('How many facts to add; 0 asks for none.'),
})
export type BreedQuery = z.output<typeof BreedQuery>

/** What `/v1/breeds/{breed}` answers. */
export const Breed = z.object({
  id: z.string(),
  name: z.string(),
  origin: z.string().nullable(),
  temperament: z.array(z.string()),
  description: z.string().nullable(),
  summary: z.object({ text: z.string(), url: z.url() }).nullable().describe('What the encyclopedia says; null when it says nothing or could not be asked.'),
  pictures: z.array(z.object({ breed: z.string(), url: z.url(), width: z.int(), height: z.int() }))
    .describe('One of each breed that the name fits, the best fit first.'),
  facts: z.array(z.string()),
  alsoCalled: z.array(z.object({ id: z.string(), name: z.string() })).describe('Other breeds that the name fits.'),
}).meta({ id: 'Breed' })
export type Breed = z.output<typeof Breed>
