import { z } from 'zod'

/** What a caller sends to `/v1/postcards`. */
export const PostcardOrder = z.object({
  greeting: z.string().trim().min(1).max(200).meta({ examples: ['Greetings from the window sill'] }),
  breeds: z.array(z.string().regex(/^[a-z]{4}$/, 'must be the id of a breed, four small letters')).min(1).max(5)
    .describe('Ids of breeds; the picture is of the first that has one.').meta({ examples: [['siam', 'beng']] }),
}).meta({ id: 'PostcardOrder' })
export type PostcardOrder = z.output<typeof PostcardOrder>

/** What `/v1/postcards` answers. */
export const Postcard = z.object({
  greeting: z.string(),
  fact: z.string().describe('From whichever source answered first.'),
  picture: z.object({ url: z.url(), width: z.int(), height: z.int() }),
}).meta({ id: 'Postcard' })
export type Postcard = z.output<typeof Postcard>
