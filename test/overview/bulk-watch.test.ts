import { test } from 'tap'
import type { BulkRuns } from '../../src/dashboard/protocol.ts'
import { BulkWatch } from '../../src/overview/bulk-watch.ts'
import { LiveOverview, type LiveEvent } from '../../src/overview/live-overview.ts'
import { bulkRow } from '../helpers/invented-bulk.ts'
import { until } from '../helpers/until.ts'
import { upstreamRow, watched } from './helpers/samples.ts'

/** A source whose looks the test answers. */
function arrange() {
  const looks: { readonly offered: readonly string[]; readonly at: number }[] = []
  const answer = { rows: [bulkRow(1, { done: 100 })], fails: false, held: undefined as Promise<void> | undefined }
  const source = {
    async read(offered: ReadonlySet<string>) {
      looks.push({ offered: [...offered], at: performance.now() })
      await answer.held
      if (answer.fails) throw new Error('EIO')
      return { rows: answer.rows, all: answer.rows.length }
    },
  }
  const events: BulkRuns[] = []
  const watch = new BulkWatch(source, event => events.push(event))
  return { looks, answer, source, events, watch }
}

test('there are looks only while a dashboard is open and an aggregate is offered', async t => {
  const { looks, events, watch } = arrange()
  t.equal(watch.last, null)
  watch.watch(true)
  t.equal(looks.length, 0)
  watch.watch(false)
  watch.offer(['double'])
  t.match(watch.last, { status: 'unread', rows: [] })
  t.equal(looks.length, 0)
  watch.watch(true)
  t.match(looks, [{ offered: ['double'] }])
  await until(() => events.length === 1)
  t.match(watch.last, { status: 'read', rows: [{ done: 100 }], all: 1 })
  watch.offer([])
  t.equal(watch.last, null)
  watch.offer(['double'])
  t.equal(looks.length, 2)
  watch.watch(false)
  t.match(watch.last, { status: 'unread', rows: [] }, 'rows without a reader would be old')
})

test('looks are a second apart, and one that has the same rows is not sent', async t => {
  const { looks, answer, events, watch } = arrange()
  watch.offer(['double'])
  watch.watch(true)
  t.teardown(() => watch.watch(false))
  await until(() => looks.length === 3)
  t.equal(events.length, 1)
  for (const [index, { at }] of looks.slice(1).entries())
    t.ok(at - (looks[index]?.at ?? 0) > 990, `${at - (looks[index]?.at ?? 0)} ms`)
  answer.rows = [bulkRow(1, { done: 200 })]
  await until(() => events.length === 2)
  t.match(events[1], { rows: [{ done: 200 }] })
})

test('a slow look is followed by a pause of nine times its duration', async t => {
  const { looks, answer, events, watch } = arrange()
  const held = Promise.withResolvers<void>()
  answer.held = held.promise
  watch.offer(['double'])
  watch.watch(true)
  t.teardown(() => watch.watch(false))
  const start = performance.now()
  await until(() => performance.now() - start > 200)
  held.resolve()
  await until(() => events.length === 1)
  answer.held = undefined
  await until(() => looks.length === 2)
  t.ok((looks[1]?.at ?? 0) - start > 10 * 195, `${Math.round((looks[1]?.at ?? 0) - start)} ms`)
})

test('a look that fails keeps the rows of the look before, and a later one replaces them', async t => {
  const { answer, events, watch } = arrange()
  watch.offer(['double'])
  watch.watch(true)
  t.teardown(() => watch.watch(false))
  await until(() => events.length === 1)
  answer.fails = true
  await until(() => events.length === 2)
  t.match(events[1], { status: 'unreadable', rows: [{ done: 100 }], at: events[0]?.at })
  answer.fails = false
  await until(() => events.length === 3)
  t.match(events[2], { status: 'read' })
})

test('the answer of a look that was open when the last dashboard closed is dropped', async t => {
  const { looks, answer, events, watch } = arrange()
  const held = Promise.withResolvers<void>()
  answer.held = held.promise
  watch.offer(['double'])
  watch.watch(true)
  watch.watch(false)
  watch.watch(true)
  t.teardown(() => watch.watch(false))
  t.equal(looks.length, 2)
  held.resolve()
  await until(() => events.length === 1)
  t.equal(looks.length, 2)
})

test('the overview offers the aggregates with bulk: true, also after a reload, and shows a refused reload', async t => {
  const { looks, source } = arrange()
  const isBulk = { ...watched, aggregates: [{ name: 'double', method: 'POST', url: '/double', isBulk: true }] }
  const live = new LiveOverview({ watched, onWatched() {}, bulk: source })
  const events: LiveEvent[] = []
  const stop = live.listen(event => events.push(event))
  t.teardown(stop)
  t.equal((await live.hello()).bulk, null)
  live.define(isBulk)
  await until(() => events.some(({ type }) => type === 'bulk'))
  t.match(looks, [{ offered: ['double'] }])
  t.match((await live.hello()).bulk, { status: 'read', all: 1 })
  live.define(watched)
  t.equal((await live.hello()).bulk, null)

  const sample = { upstreams: [upstreamRow('cats', { ok: 1 })], aggregates: [] }
  t.equal((await live.hello()).now.refused, undefined)
  live.refusedReload = () => ({ at: 5, faults: 2 })
  live.tick(Date.now(), sample)
  t.match(events.at(-1), { type: 'sample', refused: { at: 5, faults: 2 } })
  t.match((await live.hello()).now, { refused: { at: 5, faults: 2 } })
})
