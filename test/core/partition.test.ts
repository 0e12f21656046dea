import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { partitionSpec, partitionedBounds, scaledSpec } from '../../src/upstream/spec/partition-spec.ts'
import { defineUpstream, operation, specOf, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { checkPartition, partition } from '../../src/core/partition.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

const partitionsOf = (count: number) => Array.from({ length: count }, (_, index) => ({ index, count }))
const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0)
const specWith = (options: Partial<UpstreamOptions> = {}, cache = false) =>
  specOf(
    defineUpstream(
      'prices',
      { origin: 'http://127.0.0.1:9', ...options },
      { price: operation({ path: '/', output: z.unknown(), cache }) },
    ),
  )

test('the partitions of a total differ by one at most, and their sum is the total', async t => {
  t.same(
    partitionsOf(4).map(part => partition(65, part)),
    [17, 16, 16, 16],
  )
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), fc.integer({ min: 1, max: 1024 }), (total, count) => {
      const shares = partitionsOf(count).map(part => partition(total, part))
      return sum(shares) === total && Math.max(...shares) - Math.min(...shares) <= 1 && shares.every(Number.isInteger)
    }),
  )
})

test('every limit of an upstream is partitioned, and the sum of the partitions is the limit', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 64 }),
      fc.nat(300),
      fc.nat(300),
      fc.nat(1000),
      fc.double({ min: 0, max: 1000, noNaN: true }),
      fc.nat(10_000),
      (count, moreConcurrency, moreConnections, queue, perSecond, moreBytes) => {
        const spec = specWith(
          {
            concurrency: count + moreConcurrency,
            connections: count + moreConcurrency + moreConnections,
            maxQueue: queue,
            retryBudget: { minPerSecond: perSecond, ratio: 0.1 },
            maxCacheBytes: count + moreBytes,
          },
          true,
        )
        const parts = partitionsOf(count).map(part => partitionSpec(spec, part))
        for (const key of ['concurrency', 'connections', 'maxQueue', 'maxCacheBytes'] as const)
          if (sum(parts.map(each => each[key] as number)) !== spec[key]) return false
        const floors = parts.map(each => each.retryBudget.minPerSecond)
        return (
          Math.abs(sum(floors) - perSecond) < 1e-6 &&
          parts.every(
            each =>
              (each.concurrency as number) >= 1 &&
              each.connections >= (each.concurrency as number) &&
              each.retryBudget.ratio === 0.1,
          )
        )
      },
    ),
  )
})

test('a retry budget is partitioned by whole attempts', async t => {
  const floors = (perSecond: number, count: number) =>
    partitionsOf(count).map(
      part => partitionSpec(specWith({ retryBudget: { minPerSecond: perSecond } }), part).retryBudget.minPerSecond * 10,
    )
  t.same(floors(10, 3), [34, 33, 33])
  t.same(floors(0.1, 4), [1, 0, 0, 0])
  t.same(floors(0, 2), [0, 0])
})

test('an adaptive concurrency starts with a partition of its start, and reaches a partition of the connections', async t => {
  const parts = partitionsOf(3).map(part => partitionSpec(specWith({ concurrency: 'adaptive', connections: 50 }), part))
  t.same(
    parts.map(({ concurrency, initialConcurrency, connections }) => [concurrency, initialConcurrency, connections]),
    [
      ['adaptive', 7, 17],
      ['adaptive', 7, 17],
      ['adaptive', 6, 16],
    ],
  )
  t.equal(
    partitionSpec(specWith({ concurrency: 'adaptive' }), { index: 29, count: 30 }).initialConcurrency,
    1,
    'and never with none',
  )
})

test('a limit below the number of partitions is refused by upstream and option', async t => {
  t.same(partitionedBounds(specWith()), [{ owner: "upstream 'prices'", option: 'concurrency', total: 64 }])
  t.throws(
    () => partitionSpec(specWith({ concurrency: 3 }), { index: 0, count: 4 }),
    new TypeError(
      "upstream 'prices': concurrency is 3, which is too few for 4 partitions: raise it, or use fewer partitions",
    ),
  )
  t.throws(
    () => partitionSpec(specWith({ concurrency: 'adaptive', connections: 3 }), { index: 0, count: 4 }),
    /'prices': connections is 3/,
  )
  t.throws(
    () => partitionSpec(specWith({ maxCacheBytes: 3 }, true), { index: 0, count: 4 }),
    /'prices': maxCacheBytes is 3/,
  )
  t.same(
    partitionSpec(specWith({ maxQueue: 3, maxCacheBytes: 3 }), { index: 3, count: 4 }).maxQueue,
    0,
    'a queue may be 0, and a cache that no operation uses is not a limit',
  )
})

test('a runtime takes its partition of the declared concurrency and of an override', async t => {
  const { origin } = await rawUpstream(t, json('dear'))
  for (const [concurrency, override, part, expected] of [
    [10, undefined, { index: 0, count: 3 }, 4],
    [10, undefined, { index: 2, count: 3 }, 3],
    [10, undefined, undefined, 10],
    [10, 7, { index: 1, count: 2 }, 3],
    ['adaptive', undefined, { index: 1, count: 3 }, 7],
    ['adaptive', undefined, undefined, 20],
  ] as const) {
    const upstream = defineUpstream(
      'prices',
      { origin, concurrency },
      { price: operation({ path: '/', output: z.unknown() }) },
    )
    const price = aggregate('price', { url: '/' })
      .required('it', () => upstream.price())
      .reply(z.unknown(), ({ it }) => it)
    const runtime = createRuntime({ partition: part, overrides: { prices: { concurrency: override } } })
    await fanOut(price, {}, { runtime })
    t.equal(runtime.stats()['prices']?.concurrency, expected)
    await runtime.close()
  }
  for (const part of [
    { index: 2, count: 2 },
    { index: -1, count: 2 },
    { index: 0, count: 0 },
    { index: 0.5, count: 2 },
  ]) {
    t.throws(() => createRuntime({ partition: part }), /^runtime: partition\.(?:index|count) must be .*, got /)
  }
  t.same(checkPartition('runtime', { index: 1, count: 2 }), { index: 1, count: 2 })
})

test('concurrency and connections are scaled down together, and each stays at least 1', async t => {
  const spec = specWith({ concurrency: 64, connections: 80 })
  t.equal(scaledSpec(spec, 1), spec)
  t.match(scaledSpec(spec, 0.15), { concurrency: 9, connections: 12, maxQueue: spec.maxQueue })
  t.match(scaledSpec(specWith({ concurrency: 'adaptive', connections: 80 }), 0.15), {
    concurrency: 'adaptive',
    connections: 12,
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.nat(1000),
      fc.double({ min: 1e-6, max: 1, noNaN: true }),
      (concurrency, more, scale) => {
        const scaled = scaledSpec(specWith({ concurrency, connections: concurrency + more }), scale)
        return (
          Number(scaled.concurrency) >= 1 &&
          Number(scaled.concurrency) <= scaled.connections &&
          scaled.connections <= Math.max(1, (concurrency + more) * scale)
        )
      },
    ),
  )
})

test('a runtime whose scale is small opens as many connections as are left, and other scales than shares are refused', async t => {
  const owed: (() => void)[] = []
  const upstream = await rawUpstream(t, socket => {
    owed.push(() => socket.write(json(1)))
  })
  const prices = defineUpstream(
    'prices',
    { origin: upstream.origin, concurrency: 8, connections: 8, attemptTimeout: 60_000 },
    { price: operation({ path: '/', output: z.number() }) },
  )
  const all = aggregate('all', { url: '/all', deadline: 60_000 })
    .required('a', () => prices.price())
    .required('b', () => prices.price())
    .required('c', () => prices.price())
    .reply(z.unknown(), answers => answers)
  const runtime = createRuntime({ scale: 0.25 })
  t.teardown(() => runtime.close())
  const run = fanOut(all, {}, { runtime })
  await upstream.asked(2)
  t.equal(owed.length, 2)
  for (let paid = 0; paid < 3; paid++) {
    await upstream.asked(paid + 1)
    owed[paid]?.()
  }
  t.match((await run).data, { a: 1, b: 1, c: 1 })
  for (const scale of [0, -1, 1.1, Number.NaN])
    t.throws(
      () => createRuntime({ scale }),
      new TypeError(`runtime: scale must be above 0 and at most 1, got ${scale}`),
    )
})
