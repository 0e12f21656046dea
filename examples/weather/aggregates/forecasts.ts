import { aggregate, chain } from 'headwaters'
import { z } from 'zod'
import { geo } from '../upstreams/geo.ts'
import { weather } from '../upstreams/weather.ts'

const Forecast = z.object({ city: z.string(), degrees: z.number(), sky: z.string() })

/**
 * The forecasts of up to 100 cities, in the order of the request. Each city continues to its forecast as soon as it is
 * found. A city that is unknown, or has no forecast, is `null`; the run fails only if all of them fail.
 */
export const forecasts = aggregate('forecasts', {
  url: '/v1/forecasts',
  query: z.object({ city: z.array(z.string().min(1)).min(1).max(100) }),
  deadline: 2000,
})
  .each(
    'forecasts',
    ({ query }) =>
      query.city.map(name =>
        chain(
          geo.find({ name }),
          city => weather.forecast(city),
          (city, forecast) => ({ city: city.name, ...forecast }),
        ),
      ),
    { minSuccess: 1, fallback: null },
  )
  .reply(z.array(Forecast.nullable()), ({ forecasts }) => forecasts)
