import fc from 'fast-check'
import { test } from 'tap'
import type { BulkExecutor } from '../../src/bulk/executor.ts'
import { Journal } from '../../src/bulk/journal.ts'
import { MemoryStore, MortalStore } from './helpers/memory-store.ts'
import { createRun, executorOf, id, numbers, owner, resultsOf } from './helpers/runs.ts'

const deaths = fc.array(fc.record({ operations: fc.nat(60), isAfter: fc.boolean() }), { maxLength: 6 })

/** Works on all runs until the process is killed. */
async function workUntilKilled(store: MemoryStore, death: { operations: number; isAfter: boolean }): Promise<void> {
  const working: { executor?: BulkExecutor } = {}
  const killed = Promise.withResolvers<void>()
  const mortal = new MortalStore(store, death.operations, death.isAfter, () => {
    void working.executor?.stop()
    killed.resolve()
  })
  const { executor } = executorOf(mortal)
  working.executor = executor
  await Promise.race([executor.drain().catch(() => {}), killed.promise])
  await executor.stop()
}

test('every item is exactly once in the results after kills between any two operations of the store', async t => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 450 }), deaths, async (items, kills) => {
      const store = new MemoryStore()
      await createRun(new Journal(store), numbers(items))
      for (const kill of kills) await workUntilKilled(store, kill)
      const { executor } = executorOf(store)
      await executor.drain()
      const { items: lines, results } = await resultsOf(store)
      t.same(
        lines.map(({ index }) => index),
        Array.from({ length: items }, (_, index) => index),
      )
      const { succeeded, partial, failed } = results.counts
      t.same([succeeded + failed, partial], [items, 0])
      t.equal((await new Journal(store).find(owner, id))?.state, 'completed')
    }),
    { numRuns: 40 },
  )
})

test('every item is exactly once in the results of processes that share the runs and are killed', async t => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 450 }), deaths, async (items, kills) => {
      const store = new MemoryStore()
      await createRun(new Journal(store), numbers(items))
      const { executor } = executorOf(store)
      await Promise.all([executor.drain(), ...kills.map(kill => workUntilKilled(store, kill))])
      await executorOf(store).executor.drain()
      const { items: lines } = await resultsOf(store)
      t.same(
        lines.map(({ index }) => index),
        Array.from({ length: items }, (_, index) => index),
      )
    }),
    { numRuns: 30 },
  )
})
