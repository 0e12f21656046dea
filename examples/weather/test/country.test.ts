import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from 'headwaters'
import { runAggregate, scriptedUpstream } from 'headwaters/testing'
import { country } from '../aggregates/country.ts'
import { startUpstreams } from '../demo/upstreams.ts'
import { geo } from '../upstreams/geo.ts'
import { weather } from '../upstreams/weather.ts'

const cities = ['A', 'B', 'C', 'D', 'E'].map((name, index) => ({ name, lat: index, lon: 0 }))
const forecast = { degrees: 12, sky: 'clear' }
const withForecast = ({ name }: { readonly name: string }) => ({ name, forecast })

/** The call of a page, and its answer: two cities, of five. */
const pageCall = (offset: number) => geo.cities({ country: 'x', offset })
const page = (offset: number) => ({ total: 5, cities: cities.slice(offset, offset + 2) })

test('a country has the cities of all pages, in order', async () => {
  await using upstream = await scriptedUpstream()
  upstream
    .answer(geo.country({ country: 'x' }), { name: 'X' })
    .answer(pageCall(0), page(0))
    .answer(pageCall(2), page(2), { delay: 20 })
    .answer(pageCall(4), page(4))
    .always(weather.forecast, forecast)

  const { data, complete } = await run(upstream)

  assert.deepEqual(data, { name: 'X', cities: cities.map(withForecast) })
  assert.equal(complete, true)
})

test('a page that fails ends the list before it', async () => {
  await using upstream = await scriptedUpstream()
  // The failed call is sent again, so two failures are queued.
  upstream
    .answer(geo.country, { name: 'X' })
    .answer(pageCall(0), page(0))
    .status(pageCall(2), 500)
    .status(pageCall(2), 500)
    .answer(pageCall(4), page(4))
    .always(weather.forecast, forecast)

  const { data, sources } = await run(upstream)

  assert.deepEqual(data.cities, cities.slice(0, 2).map(withForecast))
  assert.equal(sources.pages.state, 'partial')
  assert.deepEqual(sources.pages.failed, [{ index: 1, code: 'UPSTREAM_STATUS', status: 500 }])
})

test('a city without its forecast stays in the list', async () => {
  await using upstream = await scriptedUpstream()
  upstream
    .answer(geo.country, { name: 'X' })
    .answer(pageCall(0), { ...page(0), total: 2 })
    .malformed('/forecast?lat=0')
    .always(weather.forecast, forecast)

  const { data, complete } = await run(upstream)

  assert.deepEqual(data.cities, [
    { name: 'A', forecast: null },
    { name: 'B', forecast },
  ])
  assert.equal(complete, false)
})

test('an unknown country is a 404 with a code of its own', async () => {
  await using upstream = await scriptedUpstream()
  upstream.status(geo.country, 404).status(geo.cities, 404)

  await assert.rejects(
    run(upstream),
    error => error instanceof Problem && error.statusCode === 404 && error.authorCode === 'COUNTRY_UNKNOWN',
  )
})

test('the imitated APIs lose the last page of Norway', async () => {
  const { geo, weather } = await startUpstreams()

  const { data, complete } = await run({ origin: geo }, { origin: weather }, 'no')

  assert.deepEqual(
    data.cities.map(({ name }) => name),
    ['Oslo', 'Bergen', 'Trondheim', 'Stavanger'],
  )
  assert.equal(complete, false)
})

type Upstream = { readonly origin: string }

function run(geo: Upstream, weather = geo, code = 'x') {
  return runAggregate(country, { params: { country: code } }, { upstreams: { geo, weather } })
}
