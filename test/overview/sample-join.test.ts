import fc from 'fast-check'
import { test } from 'tap'
import type { IndexedCounts, NamedCounts, ProcessSample } from '../../src/overview/process-sample.ts'
import { SampleJoin } from '../../src/overview/sample-join.ts'
import { aggregateRow, HandOverview, upstreamRow } from './helpers/samples.ts'

const gaugesOf = ({ upstreams }: ProcessSample) => upstreams.map(({ name, gauges }) => [name, ...gauges])

const events = fc.record({ ok: fc.nat(20), failed: fc.nat(5), ms: fc.integer({ min: 1, max: 500 }) })
const sample = fc
  .record({ cats: fc.option(events, { nil: undefined }), dogs: fc.option(events, { nil: undefined }), runs: fc.nat(9) })
  .map(({ cats, dogs, runs }): ProcessSample => ({
    upstreams: [...(cats ? [upstreamRow('cats', cats)] : []), ...(dogs ? [upstreamRow('dogs', dogs)] : [])],
    aggregates: [
      aggregateRow('pets', { counts: { complete: runs, failed: 1 }, codes: [['INTERNAL', 1]], statuses: [['500', 1]] }),
    ],
  }))

test('sums of two workers are those of one process that has counted all', t => {
  fc.assert(
    fc.property(fc.array(fc.tuple(sample, sample), { minLength: 1, maxLength: 30 }), pairs => {
      const joined = new HandOverview()
      const one = new HandOverview()
      const join = new SampleJoin<number>()
      const all = new SampleJoin<string>()
      for (const [first, second] of pairs) {
        join.add(1, first)
        join.add(2, second)
        all.add('one', {
          upstreams: [...first.upstreams, ...second.upstreams],
          aggregates: [...first.aggregates, ...second.aggregates],
        })
        joined.tick(join.take())
        one.tick(all.take())
      }
      // The permits of two processes are twice those of one, so the gauges are not compared.
      const shown = ({ overview }: HandOverview) => {
        const { upstreams, ...rest } = overview.hello().now
        return { ...rest, upstreams: upstreams.map(row => ({ ...row, permitLimit: null })) }
      }
      t.same(shown(joined), shown(one))
    }),
    { numRuns: 50 },
  )
  t.end()
})

test('permits are added up, and the worst breaker is shown', async t => {
  const join = new SampleJoin<number>()
  join.add(1, { upstreams: [upstreamRow('cats', { ok: 1, permits: 3, queued: 1, breaker: 'closed' })], aggregates: [] })
  join.add(2, { upstreams: [upstreamRow('cats', { ok: 1, permits: 4, queued: 0, breaker: 'open' })], aggregates: [] })
  t.same(gaugesOf(join.take()), [['cats', 7, 32, 1, 3, 0, 0]])
  join.add(1, { upstreams: [upstreamRow('cats', { ok: 1, permits: 1 })], aggregates: [] })
  t.same(gaugesOf(join.take()), [['cats', 5, 32, 0, 3, 0, 0]], 'the values of the other worker are the last ones')
})

test('the number of origins is the largest of the workers, and so is the number of those that are out', async t => {
  const join = new SampleJoin<number>()
  join.add(1, { upstreams: [upstreamRow('cats', { ok: 1, origins: 10, originsOut: 1 })], aggregates: [] })
  join.add(2, { upstreams: [upstreamRow('cats', { ok: 1, origins: 9, originsOut: 3 })], aggregates: [] })
  t.same(
    gaugesOf(join.take()).map(gauges => gauges.slice(-2)),
    [[10, 3]],
  )
})

test('the present values of a worker that exits are gone, and its counts stay', async t => {
  const join = new SampleJoin<number>()
  join.add(1, { upstreams: [upstreamRow('cats', { ok: 5, permits: 3 })], aggregates: [] })
  join.add(2, { upstreams: [upstreamRow('cats', { ok: 2, permits: 4 })], aggregates: [] })
  join.delete(1)
  const both = join.take()
  t.equal(both.upstreams[0]?.counts[0], 7)
  t.same(gaugesOf(both), [['cats', 4, 16, 0, 1, 0, 0]])
  join.delete(2)
  t.same(gaugesOf(join.take()), [['cats', 0, 0, 0, 0, 0, 0]], 'there is a row for the change')
  join.delete(3)
  t.same(join.take(), { upstreams: [], aggregates: [] })
})

test('counts by bucket, failure, code and status are added up', async t => {
  const join = new SampleJoin<number>()
  const runs = (codes: NamedCounts, statuses: NamedCounts) =>
    aggregateRow('pets', { counts: { failed: 1 }, codes, statuses })
  const attempts = (latency: IndexedCounts, failures: NamedCounts) => ({
    ...upstreamRow('cats', { ok: 1 }),
    latency,
    failures,
  })
  join.add(1, {
    upstreams: [attempts([3, 1, 4, 2], [['503', 1]])],
    aggregates: [runs([['INTERNAL', 1]], [['500', 1]])],
  })
  join.add(2, {
    upstreams: [
      attempts(
        [4, 5],
        [
          ['503', 2],
          ['504', 1],
        ],
      ),
    ],
    aggregates: [runs([['INTERNAL', 1]], [['502', 1]])],
  })
  t.match(join.take(), {
    upstreams: [
      {
        latency: [3, 1, 4, 7],
        failures: [
          ['503', 3],
          ['504', 1],
        ],
      },
    ],
    aggregates: [
      {
        counts: [0, 0, 2, 0, 0],
        codes: [['INTERNAL', 2]],
        statuses: [
          ['500', 1],
          ['502', 1],
        ],
      },
    ],
  })
})
