import fc from 'fast-check'
import { platform } from 'node:os'
import { test } from 'tap'
import { descriptorLimits } from '../../src/definitions/descriptor-limits.ts'
import { readFileDescriptors, allocateDescriptors } from '../../src/http/guard/file-descriptors.ts'

test('callers and upstreams together get at most the free descriptors, and upstreams at most half of them', async t => {
  t.same(allocateDescriptors({ limit: 128, open: 22 }, { connections: 240, threads: 1 }), {
    inbound: 42,
    upstream: 42 / 240,
  })
  t.same(allocateDescriptors({ limit: 1024, open: 22 }, { connections: 240, threads: 1 }), {
    inbound: 740,
    upstream: 1,
  })
  t.same(allocateDescriptors({ limit: 1024, open: 24 }, { connections: 0, threads: 0 }), { inbound: 984, upstream: 1 })
  fc.assert(
    fc.property(fc.nat(2000), fc.nat(100), fc.nat(2000), fc.nat(16), (limit, open, connections, threads) => {
      const { inbound, upstream } = allocateDescriptors({ limit, open }, { connections, threads })
      const left = Math.max(2, limit - open - threads * 6)
      return inbound >= 1 && upstream > 0 && upstream <= 1 && inbound + upstream * connections <= left + 1e-6
    }),
  )
})

test(
  'the descriptors of this process are read',
  { skip: platform() === 'linux' ? false : 'the system does not say' },
  async t => {
    const { limit, open } = readFileDescriptors() ?? (t.fail('not read') as never)
    t.ok(open > 3 && open < limit, `${open} of ${limit}`)
  },
)

test(
  'descriptors of the admin listener are subtracted from those of callers and upstreams',
  { skip: platform() === 'linux' ? false : 'the system does not say' },
  async t => {
    const limitsOf = (reserved: number) =>
      descriptorLimits({ specs: [], overrides: {} }, { hasDemoUpstreams: false, threads: 1, reserved }).limits
    const { maxConnections = Number.NaN } = limitsOf(0)
    t.equal(limitsOf(32).maxConnections, Math.max(2, maxConnections - 32))
  },
)
