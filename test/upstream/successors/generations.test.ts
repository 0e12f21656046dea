import { test } from 'tap'
import type { BreakerChange } from '../../../src/upstream/runtime.ts'
import { failure } from '../../helpers/failure.ts'
import { generations, type Generation } from '../../helpers/generations.ts'
import { json } from '../../helpers/raw-upstream.ts'
import { until } from '../../helpers/until.ts'

test('50 generations leave one connection and no timers, and the last one closes the rest', async t => {
  const { raw, first, next } = await generations(t, json('well'), {
    breaker: { minimumCalls: 2 },
    connections: 3,
    concurrency: 3,
  })
  const resources = () => process.getActiveResourcesInfo().sort().join()
  await first.ask()
  let current = first
  let before = ''
  for (let generation = 1; generation <= 50; generation++) {
    // Every fifth generation changes the upstream.
    const following: Generation = next(current, { maxQueue: 100 + Math.floor(generation / 5) })
    await Promise.all([following.ask(), following.ask(following.cats.kept()), following.ask(following.cats.put())])
    await current.runtime.close()
    current = following
    await until(() => raw.open === raw.used && raw.open <= 3)
    if (generation === 10) before = resources()
  }
  await until(() => resources() === before || resources().length < before.length, { seen: resources })
  await current.runtime.close()
  await raw.deserted()
  t.equal(raw.open, 0)
})

test('the events of a client are sent to the latest runtime that uses it', async t => {
  const heard: string[] = []
  const listening = (name: string) => ({
    onBreakerChange: ({ to }: BreakerChange) => {
      heard.push(`${name} ${to}`)
    },
  })
  const breaker = { minimumCalls: 2, openDuration: 1 }
  const { first, next } = await generations(t, json('bad', 500), { breaker }, listening('first'))
  await failure(first.ask())
  const second = next(first, {}, listening('second'))
  await failure(second.ask())
  t.same(heard, ['second open'])
  await second.runtime.close()
  await until(async () => {
    await failure(first.ask())
    return heard.length > 1
  })
  t.equal(heard[1], 'first half-open')
})
