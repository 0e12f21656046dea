import { test } from 'tap'
import type { Family } from '../../src/metrics/family.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { SeriesTable } from '../../src/metrics/series-table.ts'
import { Slots } from '../../src/metrics/slots.ts'

const counter: Family = { name: 'a_total', help: 'A.', type: 'counter', labels: ['x', 'y'] }
const gauge: Family = { name: 'b', help: 'B.', type: 'gauge', labels: [], isRead: true }
const histogram: Family = { name: 'c_seconds', help: 'C.', type: 'histogram', labels: ['x'], buckets: [1, 2] }

test('equal values of the labels share a slot, and a text is escaped', async t => {
  const table = new SeriesTable(counter)
  const slot = table.slot('1', 'a"b\\c\nd')
  t.equal(table.slot('1', 'a"b\\c\nd'), slot)
  t.not(table.slot('1', 'a'), slot)
  t.equal(table.labels[slot], String.raw`x="1",y="a\"b\\c\nd"`)
})

test('a table keeps its values when it grows', async t => {
  const table = new SeriesTable(histogram)
  for (let index = 0; index < 100; index++) table.observe(table.slot(String(index)), index)
  for (let index = 0; index < 100; index++)
    t.equal(table.values[(index + 1) * table.width - 1], index, `the sum of series ${index}`)
})

test('an observation counts in the first bucket that is not below it', async t => {
  const table = new SeriesTable(histogram)
  const slot = table.slot('a')
  for (const value of [0, 1, 1.5, 2, 3]) table.observe(slot, value)
  t.same([...table.values.subarray(0, 4)], [2, 2, 1, 7.5])
})

test('an observation with a trace is the example of its bucket', async t => {
  const table = new SeriesTable(histogram)
  const slot = table.slot('a')
  table.observe(slot, 0.5)
  t.equal(table.exemplars, undefined)
  const before = Date.now() / 1000
  table.observe(slot, 1.5, 'abc')
  t.match(table.exemplars?.[1], { traceId: 'abc', value: 1.5 })
  t.ok(Math.abs((table.exemplars?.[1]?.time ?? 0) - before) < 60)
  t.equal(table.exemplars?.[0], undefined)
})

test('a gauge is rendered always, and a counter after its first count or when it is marked', async t => {
  const metrics = new Metrics()
  const [counts, level] = [metrics.table(counter), metrics.table(gauge)]
  t.equal(level.isUsed(level.slot()), true)
  t.equal(counts.isUsed(counts.slot('a', '')), false)
  counts.add(counts.slot('a', ''), 1)
  t.equal(counts.isUsed(counts.slot('a', '')), true)
  counts.show(counts.slot('b', ''))
  t.equal(counts.isUsed(counts.slot('b', '')), true)
  t.equal(counts.values[counts.slot('b', '')], 0)
})

test('values that are counted elsewhere are read at each collection, and not added up', async t => {
  const metrics = new Metrics()
  const table = metrics.table(gauge)
  let level = 3
  const end = metrics.onCollect(() => table.addRead(table.slot(), level))
  metrics.onCollect(() => table.addRead(table.slot(), 1))
  metrics.collect()
  level = 5
  t.same(metrics.collect(), [table])
  t.equal(table.values[0], 6)
  end()
  metrics.collect()
  t.equal(table.values[0], 1)
})

test('a series of a fixed list of values gets its slot at its first count', async t => {
  const table = new SeriesTable(counter)
  const slots = new Slots(table, ['a', 'b'], value => ['1', value])
  t.equal(table.labels.length, 0)
  t.equal(slots.at(1), slots.at(1))
  t.same(table.labels, ['x="1",y="b"'])
})
