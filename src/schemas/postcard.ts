import { z } from 'zod'
import { Picture } from './picture.ts'

/** The body of a request to `/v1/postcards`. */
export const PostcardOrder = z
  .object({
    greeting: z.string().trim().min(1).max(200),
    breeds: z
      .array(z.string().regex(/^[a-z]{4}$/, 'must be the id of a breed: four lower-case letters'))
      .min(1)
      .max(5)
      .describe('The ids of breeds; the picture shows the first breed that has one.'),
  })
  .meta({ id: 'PostcardOrder', examples: [{ greeting: 'Greetings from the window sill', breeds: ['siam'] }] })
export type PostcardOrder = z.output<typeof PostcardOrder>

/** The reply of `/v1/postcards`. */
export const Postcard = z
  .object({
    greeting: z.string(),
    fact: z.string().describe('A fact from the source that answers first.'),
    picture: Picture,
  })
  .meta({
    id: 'Postcard',
    examples: [
      {
        greeting: 'Greetings from the window sill',
        fact: 'A male cat is called a tom.',
        picture: { url: 'https://cdn2.thecatapi.com/images/Fhxt6Nh22.jpg', width: 457, height: 846 },
      },
    ],
  })
export type Postcard = z.output<typeof Postcard>
