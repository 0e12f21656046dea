import { defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

/**
 * The library's API. `npm start` sends its calls to the demo upstream of this project. For the real API, set
 * HEADWATERS_UPSTREAM_LIBRARY_ORIGIN, or change the origin here.
 */
export const library = defineUpstream(
  'library',
  { origin: 'https://library.example', attemptTimeout: 500 },
  {
    book: operation({
      path: '/books/{id}',
      params: z.object({ id: z.string() }),
      output: z.object({ title: z.string(), author: z.string() }),
      nullOn: [404],
    }),
    reviews: operation({
      path: '/books/{id}/reviews',
      params: z.object({ id: z.string() }),
      query: z.object({ limit: z.number() }),
      output: z.array(z.object({ stars: z.number(), text: z.string() })),
    }),
  },
)
