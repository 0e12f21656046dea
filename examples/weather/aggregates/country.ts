import { aggregate, byOffset, refuse } from 'headwaters'
import { z } from 'zod'
import { geo } from '../upstreams/geo.ts'
import { weather } from '../upstreams/weather.ts'

const Forecast = z.object({ degrees: z.number(), sky: z.string() })
const Country = z.object({
  name: z.string(),
  cities: z.array(z.object({ name: z.string(), forecast: Forecast.nullable() })),
})
const Unknown = z.object({ code: z.literal('COUNTRY_UNKNOWN') }).describe('There is no such country.')

/** A country with the forecasts of its cities. If a page of the cities fails, the reply has the cities before it. */
export const country = aggregate('country', {
  url: '/v1/countries/{country}',
  params: z.object({ country: z.string().min(1) }),
  problems: { 404: Unknown },
  deadline: 3000,
})
  .required('found', async ({ params, ask }) => {
    const found = await ask(geo.country(params))
    return found ?? refuse(404, 'There is no such country.', { code: 'COUNTRY_UNKNOWN' })
  })
  .pages('pages', ({ params }) => geo.cities({ ...params, offset: 0 }), {
    next: byOffset({ total: page => page.total, count: page => page.cities.length }, (offset, _, { params }) =>
      geo.cities({ ...params, offset }),
    ),
    maxPages: 20,
    overflow: 'truncate',
    onLoss: 'keep',
  })
  .each('forecasts', ({ pages }) => pages.flatMap(({ cities }) => cities.map(city => weather.forecast(city))), {
    needs: ['pages'],
    concurrency: 20,
    maxItems: 1000,
    minSuccess: 0,
    fallback: null,
  })
  .reply(Country, ({ found, pages, forecasts }) => ({
    name: found.name,
    cities: pages
      .flatMap(({ cities }) => cities)
      .map(({ name }, index) => ({ name, forecast: forecasts[index] ?? null })),
  }))
