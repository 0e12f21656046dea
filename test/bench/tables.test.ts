import { test } from 'tap'
import { markdownOf, ratioTableOf } from '../../bench/compare/report/markdown.ts'
import type { MeasuredRow } from '../../bench/compare/measure/measure.ts'
import { bracketsText, growthTableOf, tableOf } from '../../bench/compare/report/tables.ts'
import { measurementOf, windowOf } from '../helpers/measurement.ts'

const costs = { service: 30, 'floor-request': 25, go: 40 }

test('tables for a page have a row per fan-out, size of bodies and number of callers, and a column per target', async t => {
  const lines = markdownOf(measurementOf(costs, '5,20,20+10kb,5+512callers', 6)).split('\n')
  t.same(lines.slice(0, 6), [
    '| fan-out | to `Pool.request` | to Go net/http | windows dropped |',
    '| --- | --- | --- | --- |',
    '| 5 | 1.20 (1.20–1.20) | 0.75 (0.75–0.75) | 0 of 18 |',
    '| 20 | 1.20 (1.20–1.20) | 0.75 (0.75–0.75) | 0 of 18 |',
    '| 20, 10 KB | 1.20 (1.20–1.20) | 0.75 (0.75–0.75) | 0 of 18 |',
    '| 5, 512 callers | 1.20 (1.20–1.20) | 0.75 (0.75–0.75) | 0 of 18 |',
  ])
  // The middle of six rounds of one hundredth more each.
  t.ok(lines.includes('| 5 | 30.8 | 25.6 | 41.0 |'))
  t.ok(lines.includes('| p99 | to `Pool.request` | to Go net/http |'))
  t.ok(lines.includes('| 5 | 1.00 (1.00–1.00) | 1.00 (1.00–1.00) |'), 'ratios of the p99')
  t.ok(lines.includes('| 5 | 1.0, 2.0 | 1.0, 2.0 | 1.0, 2.0 |'), 'latencies')
  t.ok(lines.includes('| 5 | 100 (60) | 100 (60) | 100 (60) |'), 'memory')
  t.ok(lines.includes('| 5 | 15 | 15 | – |'), 'stalls, of which Go has none to tell')
})

test('rows that differ by their callers have a table of the growth of each target, and its ratio to the first', async t => {
  const measurement = measurementOf(costs, '5+8callers,5+512callers,20', 6)
  const rows = measurement.rows.map(({ row, windows, ...rest }) => ({
    row,
    ...rest,
    windows: windows.map(window => ({
      ...window,
      cpuMicrosPerCall: window.cpuMicrosPerCall * (row.callers === 512 ? (window.target === 'service' ? 1.2 : 1.6) : 1),
    })),
  }))
  const lines = markdownOf({ ...measurement, rows }).split('\n')
  t.ok(lines.includes('| growth of µs a call | Headwaters | `Pool.request` | Go net/http |'))
  t.ok(lines.includes('| 5, 512 callers / 8 | 1.20 | 1.60 | 1.60 |'))
  t.ok(lines.includes('| Headwaters / it | – | 0.75 (0.75–0.75) | 0.75 (0.75–0.75) |'))
  const terminal = growthTableOf({ ...measurement, rows })
  t.match(terminal, /^fan-out 5, 512 callers \/ 8 +growth$/m)
  t.match(terminal, /^go +1\.60$/m)
  t.match(terminal, /^ {2}service \/ go +0\.75 \(0\.75–0\.75\)$/m)
  t.equal(growthTableOf(measurementOf(costs, '5,20', 6)), '')
  t.notMatch(markdownOf(measurementOf(costs, '5,20', 6)), 'growth')
})

test('stalls have no table where no target tells of any', async t => {
  t.notMatch(markdownOf(measurementOf({ go: 40 }, '5', 6)), 'stall')
})

test('a table for the README has the cost of a call and its ratio to each of the others', async t => {
  const measurement = measurementOf({ ...costs, 'fetch-zod': 120 }, '5,20,20+10kb', 6)
  t.equal(
    ratioTableOf(measurement, [20, 100]),
    [
      '|  | fan-out of 20 |',
      '| --- | --- |',
      '| µs a call with Headwaters | 30.8 |',
      '| ratio to `Pool.request` | 1.20 |',
      '| ratio to Go net/http | 0.75 |',
      '| ratio to Fastify + `fetch` + zod | 0.25 |',
      '',
    ].join('\n'),
  )
  t.match(ratioTableOf(measurement, [5, 20]), '| ratio to Go net/http | 0.75 | 0.75 |', 'a column per fan-out')
  t.equal(
    ratioTableOf(measurementOf({ service: 30, go: 40 }, '5', 6), [5]),
    '|  | fan-out of 5 |\n| --- | --- |\n| µs a call with Headwaters | 30.8 |\n| ratio to Go net/http | 0.75 |\n',
  )
  t.equal(ratioTableOf(measurementOf({ service: 30 }, '5', 6), [5]), '', 'nothing to compare with')
})

test('a target without a window in a row has no number in the table for the README', async t => {
  const measurement = measurementOf({ service: 30, go: 40 }, '5,20', 6)
  const rows = measurement.rows.map((row, index) =>
    index === 0 ? row : { ...row, windows: row.windows.filter(({ target }) => target !== 'go') },
  )
  t.match(ratioTableOf({ ...measurement, rows }, [5, 20]), '| ratio to Go net/http | 0.75 | – |')
})

test('a table for a terminal says how many windows were dropped and why', async t => {
  const measurement = measurementOf(costs, '5', 6)
  const [measured] = measurement.rows as [MeasuredRow]
  t.match(tableOf(measured, measurement), 'windows dropped: none')
  const reason = 'other processes had 40 % of the core of the target'
  const disturbed = {
    ...measured,
    windows: measured.windows.filter(({ target }) => target !== 'go'),
    dropped: [{ reason, window: windowOf('go', 5, 3, 1) }],
  }
  const table = tableOf(disturbed, measurement)
  t.match(table, `windows dropped: 1, and measured once more; the first: go, round 3: ${reason}`)
  t.match(table, /^go +no window left$/m)
  t.match(table, /^ {2}service \/ floor-request +1\.20 \(1\.20–1\.20\) +best 1\.20 +p99 1\.00 \(1\.00–1\.00\)$/m)
  t.notMatch(table, 'service / go')
})

test('brackets are the range until there are rounds enough', async t => {
  t.match(bracketsText(5), 'the range')
  t.match(bracketsText(6), '95 % interval')
})
