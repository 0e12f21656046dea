import { test } from 'tap'
import { BulkRunsState } from '../../src/dashboard/model/bulk-state.ts'
import { ProgressRate } from '../../src/dashboard/model/progress-rate.ts'
import { bulkRow, bulkRuns } from '../helpers/invented-bulk.ts'

/** Adds the progress of looks that are a second apart. */
function looks(done: readonly number[]): ProgressRate {
  const rate = new ProgressRate()
  done.forEach((each, index) => rate.add(1000 * index, each))
  return rate
}

test('the rate is measured between changes, and is not known before two of them', async t => {
  t.ok(Number.isNaN(looks([]).perSecond(0)))
  t.ok(Number.isNaN(looks([500]).perSecond(0)))
  t.ok(Number.isNaN(looks([500, 500, 600]).perSecond(2000)), 'the first value is not a change')
  t.equal(looks([500, 600, 700, 800]).perSecond(3000), 100)
  // A chunk of 100 items in 4 s is 25 items/s, at any time between two chunks.
  const slow = looks([0, 100, 100, 100, 100, 200, 200, 200])
  for (const now of [5000, 6000, 8900]) t.equal(slow.perSecond(now), 25)
})

test('the rate is a mean of 30 s, and falls when a change is late', async t => {
  const rate = looks(
    Array.from({ length: 120 }, (_, second) => (second < 60 ? 10 * second : 600 + 200 * (second - 60))),
  )
  t.equal(Math.round(rate.perSecond(119_000)), 200)
  t.ok(rate.perSecond(129_000) < 160)
  t.ok(rate.perSecond(419_000) < 20)
})

test('the rate begins again when the progress falls or the run stops', async t => {
  const rate = looks([0, 100, 200, 300, 100])
  t.ok(Number.isNaN(rate.perSecond(4000)))
  const stopped = looks([0, 100, 200])
  stopped.clear()
  stopped.add(60_000, 200)
  stopped.add(61_000, 300)
  t.ok(Number.isNaN(stopped.perSecond(61_000)), 'the time of the pause does not count')
})

test('the runs keep their rate from event to event, with the time that remains', async t => {
  const state = new BulkRunsState()
  t.equal(state.isOffered, false)
  for (const second of [0, 1, 2, 3])
    state.apply(
      bulkRuns(1000 * second, [
        bulkRow(1, { done: 100 * second }),
        bulkRow(2, { state: 'paused', done: 100 * second }),
      ]),
    )
  t.equal(state.isOffered, true)
  const [running, paused] = state.runs
  t.equal(running?.perSecond(3000), 100)
  t.equal(running?.remaining(3000), 7000)
  t.ok(Number.isNaN(paused?.remaining(3000)))
  t.same(
    [...state.counts()],
    [
      ['running', 1],
      ['paused', 1],
    ],
  )
  state.apply(bulkRuns(4000, [bulkRow(2, { done: 400 })], { all: 5 }))
  t.equal(state.runs[0], paused)
  t.equal(state.all, 5)
})

test('rows stay while a new connection has not read them, and go when the service has no such aggregate', async t => {
  const state = new BulkRunsState()
  state.apply(bulkRuns(0, [], { status: 'unread' }))
  t.match(state, { status: 'unread', isOffered: true })
  state.apply(bulkRuns(1000, [bulkRow(1)]))
  state.apply(bulkRuns(2000, [], { status: 'unread' }))
  t.match(state, { status: 'read', at: 1000, isOffered: true })
  t.equal(state.runs.length, 1)
  state.apply(null)
  t.equal(state.isOffered, false)
})
