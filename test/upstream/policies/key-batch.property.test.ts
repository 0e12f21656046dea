import fc from 'fast-check'
import { test } from 'tap'
import { Abort } from '../../../src/core/abort.ts'
import { UpstreamError } from '../../../src/errors.ts'
import type { Answer, Service } from '../../../src/upstream/call/layer.ts'
import type { LiveCall } from '../../../src/upstream/call/live-call.ts'
import { keyBatch } from '../../../src/upstream/policies/key-batch/key-batch.ts'
import { keyOf } from '../../../src/upstream/transport/dispatch.ts'
import { testRun } from '../../helpers/call.ts'
import { Listener } from '../../helpers/listener.ts'
import { idsOf, pricedUpstream } from '../../helpers/priced-upstream.ts'
import { turn } from '../../helpers/turn.ts'

/** One call: its key, its run, the turn in which it starts, and the turn in which its caller leaves. */
interface Asked {
  readonly id: string
  readonly run: number
  readonly tenant: string
  readonly startsIn: number
  readonly leavesIn: number | undefined
}

const asked: fc.Arbitrary<Asked> = fc.record({
  id: fc.constantFrom('a', 'bb', 'ccc', 'dddd', 'missing', 'none'),
  run: fc.nat(1),
  tenant: fc.constantFrom('blue', 'red', 'down'),
  startsIn: fc.nat(2),
  leavesIn: fc.option(fc.nat(9), { nil: undefined }),
})

/** The turns after which the service answers, and the turns that a whole schedule takes. */
const answersAfter = 3
const turns = 12

/** Answers each request after some turns. The price of an id depends on the tenant, and a tenant that is down fails. */
function priceService(requests: string[][]): Service {
  return <T>({ path, headers, abort }: LiveCall<unknown>) => {
    const ids = idsOf(path)
    const tenant = headers?.['x-tenant'] ?? ''
    requests.push(ids)
    return new Promise<Answer<T>>((resolve, reject) => {
      const listener = new Listener(reject)
      abort.add(listener)
      void (async () => {
        for (let left = answersAfter; left > 0; left--) await turn()
        abort.delete(listener)
        if (tenant === 'down') reject(new UpstreamError('UPSTREAM_BUSY', 'shop'))
        const known = ids.filter(id => id !== 'missing' && id !== 'none')
        const value = known.map(id => ({ id, cents: id.length * (tenant === 'red' ? 100 : 1) }))
        resolve({ value: value.reverse() as T, status: 200 })
      })()
    })
  }
}

/** Plays a schedule and returns the result of each call, with the ids of each request. */
async function play(maxKeys: number, schedule: readonly Asked[]) {
  const requests: string[][] = []
  const service = keyBatch({ keyOf })(priceService(requests))
  const { price } = pricedUpstream(maxKeys)
  const runs = [testRun(), testRun()] as const
  const aborts = schedule.map(() => new Abort())
  const results: Promise<string>[] = schedule.map(() => Promise.resolve('not started'))
  for (let now = 0; now < turns; now++) {
    for (const [index, { id, run, tenant, startsIn, leavesIn }] of schedule.entries()) {
      const abort = aborts[index] as Abort
      if (leavesIn === now) abort.abort(`left in turn ${now}`)
      if (startsIn !== now) continue
      const call = runs[run === 0 ? 0 : 1].ask(price(id), { abort }).withHeaders({ 'x-tenant': tenant })
      results[index] = service(call).then(
        ({ value, status }) => JSON.stringify([value, status]),
        (error: unknown) => String(error),
      )
    }
    await turn()
  }
  return { results: await Promise.all(results), requests }
}

test('batching of keys never changes an answer, and needs no more requests', async t => {
  let batched = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(asked, { minLength: 4, maxLength: 20 }),
      fc.integer({ min: 2, max: 5 }),
      async (schedule, maxKeys) => {
        const alone = await play(1, schedule)
        const together = await play(maxKeys, schedule)
        t.strictSame(together.results, alone.results)
        t.ok(together.requests.length <= alone.requests.length)
        for (const ids of together.requests) {
          t.ok(ids.length <= maxKeys)
          t.equal(new Set(ids).size, ids.length, 'a request has each key once')
          if (ids.length > 1) batched++
        }
      },
    ),
    { numRuns: 150 },
  )
  t.ok(batched > 50, `${batched} requests had several keys`)
})
