import { z } from 'zod'

/** A page of breeds from catfact.ninja, without its page links. */
export const NinjaBreeds = z.object({
  data: z
    .array(
      z.object({ breed: z.string(), country: z.string(), origin: z.string(), coat: z.string(), pattern: z.string() }),
    )
    .max(1000),
  total: z.int().min(0),
})
export type NinjaBreeds = z.output<typeof NinjaBreeds>

/** A breed from TheCatAPI. Fields that are not in this schema are dropped. */
export const CatApiBreed = z.object({
  id: z.string(),
  name: z.string(),
  temperament: z.string().optional(),
  origin: z.string().optional(),
  country_code: z.string().optional(),
  description: z.string().optional(),
  life_span: z.string().optional(),
  wikipedia_url: z.string().optional(),
})
export type CatApiBreed = z.output<typeof CatApiBreed>

/** The response of TheCatAPI to a breed search. It is empty if no breed matches. */
export const CatApiBreeds = z.array(CatApiBreed).max(200)
export type CatApiBreeds = z.output<typeof CatApiBreeds>
