import { test, type Test } from 'tap'
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
  return { run, receipts }
}

test('100 chains of two calls take as long as one chain', async t => {
  const { run } = await arrange(t)
  const took: number[] = []
  for (let index = 0; index < 20; index++) {
    const { complete, tookMs } = await run()
    t.equal(complete, true)
    took.push(tookMs)
  }
  took.sort((a, b) => a - b)
  const median = ((took[9] as number) + (took[10] as number)) / 2
  t.comment(`median ${median.toFixed(1)} ms, from ${took[0]?.toFixed(1)} to ${took.at(-1)?.toFixed(1)} ms`)
  if (isExact) t.ok(median <= boundMs, `the median of 20 runs is ${median} ms`)
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
