import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from 'headwaters'
import { runAggregate, scriptedUpstream } from 'headwaters/testing'
import { forecasts } from '../aggregates/forecasts.ts'
import { startUpstreams } from '../demo/upstreams.ts'
import { geo } from '../upstreams/geo.ts'
import { weather } from '../upstreams/weather.ts'

const oslo = { name: 'Oslo', lat: 59.9, lon: 10.7 }
const bergen = { name: 'Bergen', lat: 60.4, lon: 5.3 }
const clear = { degrees: 12, sky: 'clear' }
const rain = { degrees: 9, sky: 'rain' }

test('each city has its forecast, in the order of the request', async () => {
  await using upstream = await scriptedUpstream()
  upstream
    .answer(geo.find({ name: 'Oslo' }), oslo, { delay: 20 })
    .answer(geo.find({ name: 'Bergen' }), bergen)
    .answer(weather.forecast(oslo), clear)
    .answer(weather.forecast(bergen), rain)

  const input = { query: { city: ['Oslo', 'Bergen'] } }
  const { data, complete } = await runAggregate(forecasts, input, { upstreams: { geo: upstream, weather: upstream } })

  assert.deepEqual(data, [
    { city: 'Oslo', ...clear },
    { city: 'Bergen', ...rain },
  ])
  assert.equal(complete, true)
})

test('an unknown city is null, and the others have their forecasts', async () => {
  await using upstream = await scriptedUpstream()
  upstream
    .answer(geo.find({ name: 'Oslo' }), oslo)
    .status(geo.find({ name: 'Atlantis' }), 404)
    .answer(weather.forecast(oslo), clear)

  const input = { query: { city: ['Atlantis', 'Oslo'] } }
  const { data, sources } = await runAggregate(forecasts, input, { upstreams: { geo: upstream, weather: upstream } })

  assert.deepEqual(data, [null, { city: 'Oslo', ...clear }])
  assert.equal(sources.forecasts.state, 'partial')
  assert.deepEqual(sources.forecasts.failed, [{ index: 0, code: 'UPSTREAM_STATUS', status: 404 }])
})

test('a request without a known city fails', async () => {
  await using upstream = await scriptedUpstream()
  upstream.status(geo.find, 404)

  const input = { query: { city: ['Atlantis'] } }
  await assert.rejects(
    runAggregate(forecasts, input, { upstreams: { geo: upstream, weather: upstream } }),
    error => error instanceof Problem && error.code === 'UPSTREAM_STATUS' && error.statusCode === 502,
  )
})

test('the imitated APIs have no forecast for Akureyri', async () => {
  const { geo, weather } = await startUpstreams()

  const input = { query: { city: ['Reykjavik', 'Akureyri'] } }
  const { data, complete } = await runAggregate(forecasts, input, {
    upstreams: { geo: { origin: geo }, weather: { origin: weather } },
  })

  assert.deepEqual(data, [{ city: 'Reykjavik', degrees: 6, sky: 'clear' }, null])
  assert.equal(complete, false)
})
