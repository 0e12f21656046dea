import { test } from 'tap'
import { ClaimedChunks } from '../../src/bulk/claimed-chunks.ts'
import { Journal } from '../../src/bulk/journal.ts'
import { until } from '../helpers/until.ts'
import { MemoryStore } from './helpers/memory-store.ts'
import { createRun, executorOf, gatedDouble, id, numbers, ownClaims, owner, resultsOf } from './helpers/runs.ts'

test('a run that is created again with the id of a removed run is run', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const first = await createRun(journal, numbers(3))
  const { executor, reported } = executorOf(store)
  await executor.drain()
  await journal.remove(first)
  await createRun(journal, numbers(150))
  executor.wake(id)
  await executor.drain()
  t.same(reported.completed, [id, id])
  t.equal((await resultsOf(store)).items.length, 150)
})

test('a process without a wake finds a run that was created again', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const first = await createRun(journal, numbers(3))
  const { executor, reported } = executorOf(store, { recheckMs: 0 })
  await executor.drain()
  await journal.remove(first)
  await createRun(journal, numbers(5))
  await executor.drain()
  t.same(reported.completed, [id, id])
})

test('late results of a removed run are not in a run that is created again with its id', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const first = await createRun(journal, numbers(3))
  const { waiting, release, started } = gatedDouble()
  // This process does not look at the state of the run while the chunk is in progress.
  const slow = executorOf(store, { aggregates: [waiting], pollMs: 60_000 })
  slow.executor.start()
  await until(() => started() === 3)
  await journal.end(first, 'cancelled')
  await journal.remove(first)
  await createRun(journal, '{"body":{"n":40}}\n{"body":{"n":50}}\n')
  release()
  await until(() => slow.reported.items.length > 0)
  await slow.executor.stop()
  const next = executorOf(store, { chunks: new ClaimedChunks(ownClaims()) })
  await next.executor.drain()
  const { items } = await resultsOf(store)
  t.same(
    items.map(({ value }) => value),
    [{ doubled: 80 }, { doubled: 100 }],
  )
  const run = await journal.find(owner, id)
  t.match(run, { state: 'completed' })
})

test('late results of a removed run are removed by the sweep', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const run = await createRun(journal, numbers(3))
  await journal.end(run, 'cancelled')
  await journal.remove(run)
  await store.create(`runs/${owner}/${id}/${run.upload}/results/000001`, Buffer.alloc(64))
  t.same(await journal.sweep(), [])
  t.same([...store.objects.keys()], [])
})
