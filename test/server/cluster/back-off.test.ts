import fc from 'fast-check'
import { test } from 'tap'
import { backOff } from '../../../src/server/cluster/back-off.ts'

test('each pause may be twice as long as the one before, up to half a minute, and is at least half of that', async t => {
  t.same(
    [0, 1, 2, 7, 8, 1000].map(times => backOff(times, () => 1)),
    [200, 400, 800, 25_600, 30_000, 30_000],
  )
  t.same(
    [0, 1, 1000].map(times => backOff(times, () => 0)),
    [100, 200, 15_000],
  )
  fc.assert(fc.property(fc.nat(2000), times => backOff(times) > 0 && backOff(times) <= 30_000))
})
