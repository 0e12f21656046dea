import { test, type Test } from 'tap'
import { Availability, type AvailabilityChange } from '../../../src/redis/commands/availability.ts'
import { StoreLate, StoreNotPrimary } from '../../../src/redis/commands/store-errors.ts'
import { until } from '../../helpers/until.ts'

/** Uses a store whose checks have these results in turn. Returns its end, and the number of checks until then. */
async function check(t: Test, results: readonly (string | Error)[]) {
  const ends: { readonly change: AvailabilityChange; readonly checks: number }[] = []
  let checks = 0
  const availability = new Availability({
    connection: {
      isReady: true,
      isCluster: false,
      checkDatabase: async () => {},
      watch: () => {},
      send: async () => t.fail('no command is sent'),
      subscribe: () => () => {},
      detach: () => {},
    },
    readEpoch: async () => {
      const result = results[checks++]
      if (typeof result === 'string') return result
      throw result ?? new Error('a check after the last one')
    },
    ageOfEpoch: async () => 0,
    testWrite: async () => {},
    recover: async () => {},
    settleMs: 0,
    onReachable: () => {},
    onUnreachable: () => {},
    onChange: change => {
      if (!change.isAvailable) ends.push({ change, checks })
    },
  })
  t.teardown(() => availability.close())
  await until(() => ends.length > 0)
  return ends[0]
}

const late = new StoreLate(250)

test('only the third late check in a row makes a store unreachable', async t => {
  t.same(await check(t, ['a', late, late, 'a', late, late, late]), {
    change: { isAvailable: false, reason: 'the shared store sent no reply within 250 ms' },
    checks: 7,
  })
})

test('a check that finds a replica makes a store unreachable at once', async t => {
  t.same(await check(t, ['a', new StoreNotPrimary()]), {
    change: { isAvailable: false, reason: 'the server is a replica' },
    checks: 2,
  })
})

test('a check that finds another epoch makes a store unreachable at once, also after late ones', async t => {
  t.match(await check(t, ['a', late, late, 'b']), {
    change: { isAvailable: false, reason: 'the server has another replication id' },
    checks: 4,
  })
})
