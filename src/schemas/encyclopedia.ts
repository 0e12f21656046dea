import { z } from 'zod'

/** A summary as the encyclopedia sends it; fields not named here are dropped. */
export const Summary = z.object({
  title: z.string(),
  extract: z.string().max(20_000),
  description: z.string().optional(),
  content_urls: z.object({ desktop: z.object({ page: z.url({ protocol: /^https?$/ }) }) }),
})
export type Summary = z.output<typeof Summary>
