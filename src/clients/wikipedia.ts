import { z } from 'zod'
import { Summary } from '../schemas/encyclopedia.ts'
import { defineUpstream, operation } from '../upstream/declare.ts'

/** Wikipedia: the summary of an article, or `null` if no article has the title. */
export const wikipedia = defineUpstream(
  'wikipedia',
  { origin: 'https://en.wikipedia.org', publicOnly: true },
  {
    summary: operation({
      path: '/api/rest_v1/page/summary/{title}',
      params: z.object({ title: z.string().min(1).max(255) }),
      output: Summary,
      nullOn: [404],
      coalesce: true,
      batch: true,
    }),
  },
)
