import { test, type Test } from 'tap'
import { Pool } from 'undici'
import { z } from 'zod'
import { aggregate, chain, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { clockMs, delayingUpstream } from '../helpers/delaying-upstream.ts'
import { isExact } from '../helpers/timing.ts'

const cities = 100
const answerMs = 20
/** The time of a list of chains of two calls: at most 1.3 times that of its calls. */
const boundMs = 1.3 * (answerMs + answerMs)

/** An aggregate that finds each of 100 cities and then gets its forecast, over connections that are open already. */
async function arrange(t: Test) {
  const { origin, receipts } = await delayingUpstream(t)
  const params = z.object({ ms: z.number(), city: z.number() })
  const declare = (name: string) =>
    defineUpstream(
      name,
      { origin, concurrency: 100 },
      { get: operation({ path: `/{ms}/${name}/{city}`, params, output: z.object({}) }) },
    )
  const [geo, weather] = [declare('geo'), declare('weather')]
  const described = aggregate('forecasts', { url: '/forecasts', query: z.object({ slow: z.coerce.number() }) })
    .each('forecasts', ({ query }) =>
      times(cities, city =>
        chain(
          geo.get({ ms: city === 0 ? query.slow : answerMs, city }),
          () => weather.get({ ms: answerMs, city }),
          (spot, forecast) => ({ spot, forecast }),
        ),
      ),
    )
    .reply(z.unknown(), ({ forecasts }) => forecasts.length)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const run = async (slow = answerMs) => {
    const startedAt = clockMs()
    const { complete } = await fanOut(described, { query: { slow: String(slow) } }, { runtime })
    return { complete, startedAt, tookMs: clockMs() - startedAt }
  }
  for (let warmUp = 0; warmUp < 20; warmUp++) t.equal((await run()).complete, true)
  await receipts()
  return { origin, run, receipts }
}

/** Sends the same calls with undici alone. Returns the time of one list of chains, in ms. */
function byHand(t: Test, origin: string): () => Promise<number> {
  const pool = new Pool(origin, { connections: cities })
  t.teardown(() => pool.destroy())
  const get = async (path: string) => {
    const { body } = await pool.request({ path, method: 'GET' })
    return body.json()
  }
  return async () => {
    const startedAt = clockMs()
    await Promise.all(
      times(cities, async city => {
        await get(`/${answerMs}/geo/${city}`)
        return get(`/${answerMs}/weather/${city}`)
      }),
    )
    return clockMs() - startedAt
  }
}

const medianOf = (durations: readonly number[]) => {
  const sorted = durations.toSorted((a, b) => a - b)
  return ((sorted[9] as number) + (sorted[10] as number)) / 2
}

test('100 chains of two calls take at most 1.3 times one chain, or 1.1 times those by hand', async t => {
  const { origin, run } = await arrange(t)
  const runByHand = byHand(t, origin)
  for (let warmUp = 0; warmUp < 20; warmUp++) await runByHand()
  const took: number[] = []
  const tookByHand: number[] = []
  for (let index = 0; index < 20; index++) {
    const { complete, tookMs } = await run()
    t.equal(complete, true)
    took.push(tookMs)
    tookByHand.push(await runByHand())
  }
  const [median, floor] = [medianOf(took), medianOf(tookByHand)]
  t.comment(`median ${median.toFixed(1)} ms, by hand ${floor.toFixed(1)} ms`)
  // A slow machine needs more than the bound for the same calls by hand.
  if (isExact) t.ok(median <= Math.max(boundMs, 1.1 * floor), `the median of 20 runs is ${median} ms, by hand ${floor}`)
})

test('one slow first call delays the second call of its own chain only', async t => {
  const { run, receipts } = await arrange(t)
  const { complete, startedAt, tookMs } = await run(200)
  t.equal(complete, true)
  const forecasts = (await receipts()).filter(({ path }) => path.includes('/weather/'))
  t.equal(forecasts.length, cities)
  const slow = forecasts.findIndex(({ path }) => path === `/${answerMs}/weather/0`)
  t.equal(slow, cities - 1, 'the forecast of the slow city is the last one')
  const early = forecasts.filter(({ at }) => at - startedAt < 100).length
  t.comment(`${early} forecasts were received within 100 ms; the run took ${tookMs.toFixed(1)} ms`)
  if (isExact) t.equal(early, cities - 1, 'all other forecasts are received within 100 ms')
})
