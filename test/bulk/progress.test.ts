import { test } from 'tap'
import { Journal } from '../../src/bulk/journal.ts'
import type { BulkRun } from '../../src/bulk/bulk-run.ts'
import { namesOf, numbered } from '../../src/bulk/names.ts'
import { mostRuns, ProgressReader } from '../../src/bulk/progress.ts'
import { encodeChunk, type ResultCounts } from '../../src/bulk/result-chunk.ts'
import { Upload } from '../../src/bulk/upload.ts'
import { MemoryStore } from './helpers/memory-store.ts'
import { createRun, id, numbers, owner } from './helpers/runs.ts'

const other = 'b'.repeat(32)
const idOf = (number: number) => String(number).padStart(32, '0')

/** A store that counts the summaries and the objects that are read. */
class CountingStore extends MemoryStore {
  summaries = 0
  reads = 0

  override read(name: string, range?: { readonly start: number; readonly end: number }) {
    this.reads++
    if (range !== undefined) this.summaries++
    return super.read(name, range)
  }
}

function arrange() {
  const store = new CountingStore()
  const clock = { now: 1_000_000 }
  const journal = new Journal(store, () => clock.now)
  const reader = new ProgressReader(journal, () => clock.now)
  const addChunk = async (number: number, counts: ResultCounts, of = { owner, id }) => {
    const run = (await journal.find(of.owner, of.id)) as BulkRun
    return store.create(`${namesOf(run).results}/${numbered(number)}`, encodeChunk(['{}\n'], counts))
  }
  return { store, clock, journal, reader, addChunk }
}

const hundred: ResultCounts = { succeeded: 90, partial: 7, failed: 3 }

test('a look has the progress of the runs of all owners, and reads a summary once', async t => {
  const { store, clock, journal, reader, addChunk } = arrange()
  t.same(await reader.look(), { runs: [], all: 0 })
  await createRun(journal, numbers(250))
  clock.now += 1000
  await createRun(journal, numbers(3), { owner: other, id: idOf(2), aggregate: 'facts' })
  await addChunk(1, hundred)
  t.match(await reader.look(), {
    all: 2,
    runs: [
      {
        run: { id: idOf(2), owner: other, state: 'running' },
        done: 0,
        counts: { succeeded: 0, partial: 0, failed: 0 },
      },
      { run: { id, items: 250 }, done: 100, counts: hundred },
    ],
  })
  t.equal(store.summaries, 1)
  // The last chunk has the rest of the items.
  await addChunk(3, { succeeded: 50, partial: 0, failed: 0 })
  const { runs } = await reader.look()
  t.match(runs[1], { done: 150, counts: { succeeded: 140, partial: 7, failed: 3 } })
  await reader.look()
  t.equal(store.summaries, 2, 'only the new summary was read')
})

test('runs that have not ended are first, and the newest of each are first', async t => {
  const { clock, journal, reader } = arrange()
  const created: BulkRun[] = []
  for (const number of [1, 2, 3, 4]) {
    clock.now += 1000
    const run = await createRun(journal, numbers(1), { id: idOf(number) })
    created.push(run)
    if (number > 2) await journal.end(run, 'cancelled')
    if (number === 1) await journal.setPaused(run, true)
  }
  const order = async () => (await reader.look()).runs.map(({ run }) => [Number(run.id), run.state])
  t.same(await order(), [
    [2, 'running'],
    [1, 'paused'],
    [4, 'cancelled'],
    [3, 'cancelled'],
  ])
  await journal.setPaused(created[0] as BulkRun, false)
  await journal.end(created[1] as BulkRun, 'completed')
  t.same(await order(), [
    [1, 'running'],
    [4, 'cancelled'],
    [3, 'cancelled'],
    [2, 'completed'],
  ])
})

test('a run that has ended is not counted again after 10 s, and the results of its last chunks are', async t => {
  const { store, clock, journal, reader, addChunk } = arrange()
  const run = await createRun(journal, numbers(300))
  await addChunk(1, hundred)
  await journal.end(run, 'cancelled')
  t.match((await reader.look()).runs, [{ run: { state: 'cancelled' }, done: 100 }])
  await addChunk(2, hundred)
  clock.now += 9999
  t.match((await reader.look()).runs, [{ done: 200 }])
  clock.now += 10_000
  await reader.look()
  const { summaries } = store
  await addChunk(3, hundred)
  t.match((await reader.look()).runs, [{ done: 200, counts: { succeeded: 180 } }])
  t.equal(store.summaries, summaries)
})

test('a run that was removed disappears, and one that is created again with its id begins again', async t => {
  const { journal, reader, addChunk } = arrange()
  const run = await createRun(journal, numbers(100))
  await addChunk(1, hundred)
  await journal.end(run, 'completed')
  t.match((await reader.look()).runs, [{ done: 100, run: { state: 'completed' } }])
  await journal.remove(run)
  await createRun(journal, numbers(200))
  t.match(await reader.look(), { all: 1, runs: [{ run: { items: 200, state: 'running' }, done: 0 }] })
  await journal.remove(run)
  t.same(await reader.look(), { runs: [], all: 0 })
})

test('a run that is removed while it is read is left out, and its summaries do not fail the look', async t => {
  const { store, journal, reader, addChunk } = arrange()
  const run = await createRun(journal, numbers(100))
  await addChunk(1, hundred)
  const read = store.read.bind(store)
  let isRemoved = false
  store.read = async (name, range) => {
    if (range !== undefined && !isRemoved) {
      isRemoved = true
      await journal.remove(run)
    }
    return read(name, range)
  }
  t.match((await reader.look()).runs, [{ done: 100, counts: undefined }])
  t.same(await reader.look(), { runs: [], all: 0 })
  store.read = async (name, range) => (name.endsWith('manifest') ? undefined : read(name, range))
  await createRun(journal, numbers(100))
  t.same(await reader.look(), { runs: [], all: 0 })
})

test('a look shows 100 runs and reads 2,000 summaries at most; the next looks read the others', async t => {
  const { store, clock, journal, reader, addChunk } = arrange()
  const upload = new Upload(store, journal.newUpload(), { maxItems: 10, maxBytes: 1000 })
  await upload.add(Buffer.from('{}\n'))
  await upload.finish()
  const big = {
    owner,
    id: idOf(500),
    aggregate: 'double',
    items: 450_000,
    upload: upload.name,
    digest: '',
    retention: 1,
  }
  await journal.create(big)
  for (let chunk = 1; chunk <= 4500; chunk++) await addChunk(chunk, hundred, big)
  for (let number = 1; number <= 120; number++) {
    clock.now++
    await journal.end(await createRun(journal, numbers(1), { id: idOf(number) }), 'completed')
  }
  const look = async () => {
    const before = store.summaries
    const { runs, all } = await reader.look()
    return { read: store.summaries - before, all, shown: runs.length, first: runs[0], last: runs.at(-1)?.run.id }
  }
  const unread = { all: 121, shown: mostRuns, last: idOf(22), first: { done: 450_000, counts: undefined } }
  t.match(await look(), { read: 2000, ...unread })
  t.match(await look(), { read: 2000, ...unread })
  t.match(await look(), { read: 500, first: { counts: { succeeded: 405_000, partial: 31_500, failed: 13_500 } } })
  const { reads } = store
  await look()
  t.ok(store.reads - reads <= 2 * mostRuns, `${store.reads - reads} objects were read`)
})
