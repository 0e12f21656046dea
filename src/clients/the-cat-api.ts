import { z } from 'zod'
import { CatApiBreeds } from '../schemas/cat-breed.ts'
import { CatPictures, OneCatPicture } from '../schemas/cat-picture.ts'
import { defineUpstream, operation } from '../upstream/declare.ts'

/** TheCatAPI: pictures, and breeds with their temperament. */
export const theCatApi = defineUpstream(
  'the-cat-api',
  { origin: 'https://api.thecatapi.com', publicOnly: true },
  {
    randomImage: operation({ path: '/v1/images/search', output: OneCatPicture }),
    searchBreeds: operation({
      path: '/v1/breeds/search',
      query: z.object({ q: z.string().min(1) }),
      output: CatApiBreeds,
      coalesce: true,
      batch: true,
    }),
    breedImages: operation({
      path: '/v1/images/search',
      query: z.object({ breed_ids: z.string().min(1), limit: z.number().int().min(1).max(10).optional() }),
      output: CatPictures,
      batch: true,
    }),
  },
)
