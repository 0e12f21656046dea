import { z } from 'zod'

/** A page of breeds from catfact.ninja; its page links are left out. */
export const NinjaBreeds = z.object({
  data: z
    .array(
      z.object({ breed: z.string(), country: z.string(), origin: z.string(), coat: z.string(), pattern: z.string() }),
    )
    .max(1000),
  total: z.int().min(0),
})
export type NinjaBreeds = z.output<typeof NinjaBreeds>

/** A breed as TheCatAPI sends it; fields not named here are dropped. */
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

/** The response of a breed search of TheCatAPI: all breeds that match, possibly none. */
export const CatApiBreeds = z.array(CatApiBreed).max(200)
export type CatApiBreeds = z.output<typeof CatApiBreeds>
