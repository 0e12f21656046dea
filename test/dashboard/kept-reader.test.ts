import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import { noFilters, type RunFilters } from '../../src/dashboard/model/filters.ts'
import { KeptReader } from '../../src/dashboard/model/kept-reader.ts'
import type { RunList, RunRow } from '../../src/waterfall/kept-run.ts'
import { runRow } from '../helpers/kept-run.ts'

const byText: RunFilters = { ...noFilters, text: 'no-such-run' }
const noRuns = { failed: 0, partial: 0, slow: 0, cancelled: 0, complete: 0 }
const noMoments = { failed: null, partial: null, slow: null, cancelled: null, complete: null }

function list(runs: readonly RunRow[], fields: Partial<RunList> = {}): RunList {
  return { runs, next: null, kept: noRuns, oldest: noMoments, incomplete: [], ...fields }
}

/** A reader whose requests get these lists, one after the other; the last one answers all further requests. */
function reading(...lists: readonly (RunList | number)[]) {
  const paths: string[] = []
  const reader = new KeptReader(
    async path => {
      const answer = lists[Math.min(paths.push(path), lists.length) - 1] ?? 500
      return typeof answer === 'number' ? new Response('', { status: answer }) : Response.json(answer)
    },
    () => {},
  )
  const settled = async () => {
    for (let left = 100; left > 0; left--) await turn()
  }
  return { reader, paths, settled }
}

const page = (fields: Partial<RunList> = {}) =>
  list(
    Array.from({ length: 200 }, () => runRow()),
    fields,
  )

test('a search for older runs that reads its ten lists says so, and the next one goes on there', async t => {
  const { reader, paths, settled } = reading(page({ next: '17_x' }))
  reader.findOlder(byText, [], () => false)
  await settled()
  t.equal(paths.length, 10)
  t.equal(reader.note.replaceAll('\u202f', ' '), 'The 2 000 older runs that were read do not pass.')
  reader.findOlder(byText, [runRow({ id: 'shown' })], () => false)
  await settled()
  t.equal(paths[10], '/requests?before=17_x&limit=200')
  reader.drop()
  reader.findOlder(byText, [runRow({ id: 'shown' })], () => true)
  await settled()
  t.match(paths[20], '_shown&', 'other filters begin a new search')
  t.equal(reader.note, '')
})

test('a search for older runs begins where the list of the filters ended', async t => {
  const { reader, paths, settled } = reading(page({ next: '17_x' }), list([]), list([]), page())
  reader.find(byText, () => {})
  await settled()
  t.equal(reader.hasMore, true)
  reader.findOlder(byText, [runRow({ id: 'an-old-run-with-this-id' })], () => true)
  await settled()
  t.equal(paths[3], '/requests?before=17_x&limit=200')
})

test('a full list has dropped runs, so a search for older runs begins at its last run', async t => {
  const { reader, paths, settled } = reading(page({ next: '17_x' }), list([]), list([]), page())
  reader.find(byText, () => {})
  await settled()
  reader.findOlder(byText, [...page().runs.slice(1), runRow({ id: 'last' })], () => true)
  await settled()
  t.match(paths[3], '_last&')
})

test('a search that has read all kept runs says so', async t => {
  const plain = reading(list([]))
  plain.reader.findOlder(noFilters, [runRow()], () => false)
  await plain.settled()
  t.equal(plain.reader.note, 'No older run is kept.')
  const filtered = reading(page({ next: '17_x' }), list([]))
  filtered.reader.findOlder(byText, [], () => false)
  await filtered.settled()
  t.equal(filtered.paths.length, 2)
  t.equal(filtered.reader.note, 'No older run passes the filters.')
})

test('workers that did not answer are named beside the other sentence', async t => {
  const { reader, settled } = reading(page({ next: '17_x', incomplete: [2] }), list([], { incomplete: [3, 2] }))
  reader.findOlder(byText, [], () => false)
  await settled()
  t.equal(reader.note, 'No older run passes the filters. Workers 2, 3 did not answer.')
  const one = reading(list([], { incomplete: [4] }))
  one.reader.find(noFilters, () => {})
  await one.settled()
  t.equal(one.reader.note, 'Worker 4 did not answer.')
  t.equal(one.reader.hasMore, true, 'the runs of the worker were not read')
})

test('a request that was dropped writes no note', async t => {
  const { reader, settled } = reading(list([], { incomplete: [2] }))
  reader.find(byText, () => t.fail('its runs are not wanted'))
  reader.drop()
  await settled()
  t.equal(reader.note, '')
})

test('a list that cannot be read has the reason in words', async t => {
  const { reader, settled } = reading(503)
  reader.find(noFilters, () => {})
  await settled()
  t.equal(reader.note, 'The kept runs cannot be read: the service answered 503.')
})
