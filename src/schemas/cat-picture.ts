import { z } from 'zod'

/** A picture from TheCatAPI. */
export const CatPicture = z.object({
  id: z.string(),
  url: z.url({ protocol: /^https?$/ }),
  width: z.int().min(1),
  height: z.int().min(1),
})
export type CatPicture = z.output<typeof CatPicture>

/** The response of a picture search. */
export const CatPictures = z.array(CatPicture).max(100)
export type CatPictures = z.output<typeof CatPictures>

/** The response of a picture search for one picture. The parsed value is the first picture. */
export const OneCatPicture = CatPictures.min(1).transform(pictures => pictures[0] as CatPicture)
