import { test } from 'tap'
import { createCounter, createSharedStore, type RateCount } from '../../src/http/guard/shared-rate-store.ts'
import { misbehaving, ways, type Way } from '../embedding/functions/ways.ts'

type Told = readonly [error: Error | null, counted?: RateCount | undefined]

function ask(count: () => unknown) {
  const failures: Error[] = []
  const Store = createSharedStore(
    createCounter(count as () => Promise<RateCount>, error => {
      failures.push(error)
    }),
  )
  const told = new Promise<Told>(resolve =>
    new Store().child().incr('ada', (...result) => {
      resolve(result)
    }),
  )
  return { told, failures }
}

test('a count is passed on', async t => {
  const { told, failures } = ask(async () => ({ current: 3, ttl: 500 }))
  t.same(await told, [null, { current: 3, ttl: 500 }])
  t.same(failures, [])
})

test('every failure to count is reported once', async t => {
  await Promise.all(
    (Object.keys(ways) as Way[]).map(async way => {
      const { told, failures } = ask(misbehaving(way))
      const [error] = await told
      t.ok(error instanceof Error, way)
      t.same(failures, [error])
    }),
  )
})

test('a count after its timeout is ignored', async t => {
  const { promise, resolve } = Promise.withResolvers<RateCount>()
  const { told, failures } = ask(() => promise)
  t.match(await told, [{ message: 'countRequest did not settle within 1000 ms' }])
  resolve({ current: 1, ttl: 1 })
  await new Promise(setImmediate)
  t.equal(failures.length, 1)
})
