import { test } from 'tap'
import { PartMetrics } from '../../../bench/scenarios/chaos/part-metrics.ts'

test('an answer counts by its status, its ids and whether it is complete', async t => {
  const tally = new PartMetrics()
  const whole = { complete: true, data: { ids: ['a', 'b'] } }
  for (const ms of [10, 30, 20]) tally.answered(200, whole, ['a', 'b'], ms)
  tally.answered(200, { ...whole, complete: false }, ['a', 'b'], 5)
  tally.answered(200, whole, ['b', 'a'], 5)
  tally.answered(200, whole, ['a'], 5)
  tally.answered(200, { complete: true }, [], 40)
  tally.answered(503, { code: 'OVERLOADED' }, [], 1)
  tally.answered(503, { code: 'BULKHEAD_FULL' }, [], 1)
  tally.answered(503, { code: 'SHED' }, [], 1)
  tally.answered(500, {}, [], 1)
  tally.broke('ECONNRESET')
  tally.broke('ECONNRESET')
  t.same(tally.result(), {
    asked: 13,
    admitted: 11,
    whole: 4,
    partial: 1,
    shed: 2,
    failed: { SHED: 1, 500: 1, ECONNRESET: 2 },
    mixedUp: 2,
    p99Ms: 40,
  })
})
