import { z } from 'zod'
import { Picture } from './picture.ts'

/** The path parameters of `/v1/breeds/{breed}`. */
export const BreedParams = z.object({
  breed: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .describe('The name of a breed, or a part of the name.')
    .meta({ examples: ['siamese'] }),
})
export type BreedParams = z.output<typeof BreedParams>

/** The query of `/v1/breeds/{breed}`. */
export const BreedQuery = z.object({
  facts: z.coerce
    .number()
    .int()
    .min(0)
    .max(20)
    .default(3)
    .describe('The number of facts to add; 0 adds none.')
    .meta({ examples: [1] }),
})
export type BreedQuery = z.output<typeof BreedQuery>

/** The reply of `/v1/breeds/{breed}`. */
export const Breed = z
  .object({
    id: z.string(),
    name: z.string(),
    origin: z.string().nullable(),
    temperament: z.array(z.string()),
    description: z.string().nullable(),
    summary: z
      .object({ text: z.string(), url: z.url() })
      .nullable()
      .describe('The summary from the encyclopedia; null if it has none or did not answer.'),
    pictures: z
      .array(z.object({ breed: z.string().describe('The id of the breed in the picture.'), ...Picture.shape }))
      .describe('One picture of each breed that matches the name, the best match first.'),
    facts: z.array(z.string()),
    alsoCalled: z
      .array(z.object({ id: z.string(), name: z.string() }))
      .describe('The other breeds that match the name.'),
  })
  .meta({
    id: 'Breed',
    examples: [
      {
        id: 'siam',
        name: 'Siamese',
        origin: 'Thailand',
        temperament: ['Active', 'Affectionate', 'Sociable', 'Talkative'],
        description: 'A long, elegant cat with blue eyes and an opinion, which it will tell you at length.',
        summary: {
          text:
            'The Siamese is one of the first Asian breeds of cat to be recognised in the West. It comes ' +
            'from Thailand, formerly Siam, and has blue eyes and dark points.',
          url: 'https://en.wikipedia.org/wiki/Siamese_cat',
        },
        pictures: [{ breed: 'siam', url: 'https://cdn2.thecatapi.com/images/oiR5RgvRT.jpg', width: 535, height: 1334 }],
        facts: ['Cats are most active at dawn and at dusk, which is called being crepuscular.'],
        alsoCalled: [],
      },
    ],
  })
export type Breed = z.output<typeof Breed>
