import { z } from 'zod'

const Detail = z.object({
  id: z.number(),
  name: z.string(),
  breed: z.string(),
  weightKg: z.number(),
  indoor: z.boolean(),
  traits: z.array(z.string()),
})

/** The upstream's reply; a large body has details. */
export const Fact = z.object({ fact: z.string(), length: z.number(), details: z.array(Detail).optional() })
/** The inbound query. */
export const Query = z.object({ n: z.coerce.number().int().min(1).max(100) })
/** The reply of the aggregate. */
export const Facts = z.object({ facts: z.array(Fact) })
