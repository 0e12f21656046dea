import { test } from 'tap'
import { noFilters } from '../../src/dashboard/model/filters.ts'
import { mostShown, ShownRuns } from '../../src/dashboard/model/shown-runs.ts'
import type { RunRow } from '../../src/waterfall/kept-run.ts'
import { runRow } from '../helpers/kept-run.ts'

const moment = (second: number) => new Date(Date.UTC(2026, 10, 30) + second * 1000).toISOString()
const rowAt = (second: number, fields: Partial<RunRow> = {}) =>
  runRow({ id: `run-${second}`, at: moment(second), ...fields })
/** Rows of the seconds from `from` to `to`, newest first. */
const rowsOf = (from: number, to: number, fields: Partial<RunRow> = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) => rowAt(to - index, fields))
const ids = ({ rows }: ShownRuns) => rows.map(({ id }) => id)

test('the list shows the newest runs first, at most 200, and takes each run once', async t => {
  const shown = new ShownRuns()
  let rows = rowsOf(1, 3)
  shown.take(rows)
  t.same(ids(shown), ['run-3', 'run-2', 'run-1'])
  const { revision } = shown
  shown.take(rows)
  t.equal(shown.revision, revision, 'no change without new rows')
  rows = [...rowsOf(4, 300), ...rows]
  shown.take(rows)
  t.equal(shown.rows.length, mostShown)
  t.equal(shown.rows[0]?.id, 'run-300')
  shown.take(rowsOf(301, 302))
  t.same(ids(shown).slice(0, 3), ['run-302', 'run-301', 'run-300'], 'also if the last row has left the page')
  shown.fill([rowAt(301), rowAt(300)])
  t.equal(new Set(ids(shown)).size, mostShown)
})

test('a filtered list keeps its runs while other runs pass by', async t => {
  const shown = new ShownRuns()
  const failed = rowsOf(1, 5, { state: 'failed' })
  shown.filter({ ...noFilters, states: ['failed'] }, failed)
  shown.take(rowsOf(6, 400))
  t.same(ids(shown), ['run-5', 'run-4', 'run-3', 'run-2', 'run-1'])
  shown.fill([rowAt(0, { state: 'failed' }), rowAt(9)])
  t.equal(ids(shown).at(-1), 'run-0', 'a kept run that the service sends is added at its time')
  t.equal(shown.rows.length, 6)
})

test('a pause stops the list, and the runs that come are there afterwards', async t => {
  const shown = new ShownRuns()
  const first = rowsOf(1, 2)
  shown.take(first)
  shown.pause()
  t.equal(shown.mode, 'paused')
  shown.take([...rowsOf(3, 7), ...first])
  t.same([ids(shown), shown.missed], [['run-2', 'run-1'], 5])
  shown.resume()
  t.equal(shown.mode, 'live')
  t.same([ids(shown).length, shown.missed], [7, 0])
})

test('older runs replace the live ones until the list is resumed or filtered', async t => {
  const shown = new ShownRuns()
  shown.filter({ ...noFilters, text: 'cat' }, rowsOf(10, 12))
  t.notOk(shown.showOlder([rowAt(0, { aggregate: 'breed' })]), 'no run passes')
  t.equal(shown.mode, 'live')
  t.ok(shown.showOlder([...rowsOf(1, 3), rowAt(0, { aggregate: 'breed' })]))
  t.same([shown.mode, ids(shown)], ['older', ['run-3', 'run-2', 'run-1']], 'the text is a filter of the page')
  shown.take([rowAt(13), ...rowsOf(10, 12)])
  t.equal(shown.missed, 1)
  shown.filter(noFilters, rowsOf(10, 13))
  t.same([shown.mode, ids(shown)], ['live', ['run-13', 'run-12', 'run-11', 'run-10']])
})

test('the runs of a service that has ended are removed', async t => {
  const shown = new ShownRuns()
  shown.take(rowsOf(1, 3))
  shown.clear()
  shown.take([])
  t.same(ids(shown), [])
  shown.take(rowsOf(4, 4))
  t.same(ids(shown), ['run-4'])
})

test('a paused list of a service that has ended is removed', async t => {
  const shown = new ShownRuns()
  shown.take(rowsOf(1, 3))
  shown.pause()
  shown.take(rowsOf(1, 5))
  shown.clear()
  t.same([shown.mode, ids(shown), shown.missed], ['live', [], 0])
})
