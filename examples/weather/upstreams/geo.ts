import { defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const City = z.object({ name: z.string(), lat: z.number(), lon: z.number() })
const Code = z.object({ country: z.string() })

/** The API that knows the places. `demo/start.ts` sends its calls to an imitation. */
export const geo = defineUpstream(
  'geo',
  { origin: 'https://geo.example', attemptTimeout: 500 },
  {
    find: operation({ path: '/cities', query: z.object({ name: z.string() }), output: City }),
    country: operation({
      path: '/countries/{country}',
      params: Code,
      output: z.object({ name: z.string() }),
      nullOn: [404],
    }),
    // A page has the cities from `offset` on. The API decides how many.
    cities: operation({
      path: '/countries/{country}/cities',
      params: Code,
      query: z.object({ offset: z.int() }),
      output: z.object({ total: z.int(), cities: z.array(City) }),
    }),
  },
)
