import { z } from 'zod'

/** A picture in a reply. */
export const Picture = z
  .object({ url: z.url(), width: z.int(), height: z.int() })
  .describe('The URL of a picture and its size in pixels.')
  .meta({ id: 'Picture' })
export type Picture = z.output<typeof Picture>
