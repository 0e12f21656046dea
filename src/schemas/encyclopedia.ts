import { z } from 'zod'

/** A summary from Wikipedia. Fields that are not in this schema are dropped. */
export const Summary = z.object({
  title: z.string(),
  extract: z.string().max(20_000),
  description: z.string().optional(),
  content_urls: z.object({ desktop: z.object({ page: z.url({ protocol: /^https?$/ }) }) }),
})
export type Summary = z.output<typeof Summary>
