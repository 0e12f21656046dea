import { defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

/** The API that forecasts. `demo/start.ts` sends its calls to an imitation. */
export const weather = defineUpstream(
  'weather',
  { origin: 'https://weather.example', attemptTimeout: 500 },
  {
    forecast: operation({
      path: '/forecast',
      query: z.object({ lat: z.number(), lon: z.number() }),
      output: z.object({ degrees: z.number(), sky: z.enum(['clear', 'cloudy', 'rain']) }),
    }),
  },
)
