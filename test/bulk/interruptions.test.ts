import { test } from 'tap'
import { z } from 'zod'
import { ClaimedChunks } from '../../src/bulk/claimed-chunks.ts'
import { Journal } from '../../src/bulk/journal.ts'
import { Pacer } from '../../src/bulk/pacer.ts'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { until } from '../helpers/until.ts'
import { MemoryStore } from './helpers/memory-store.ts'
import { createRun, executorOf, id, numbers, owner, resultsOf } from './helpers/runs.ts'

const other = '0'.repeat(31) + '2'

test('an executor of one run leaves the others', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  await createRun(journal, numbers(3))
  await createRun(journal, numbers(3), { id: other })
  const { executor, reported } = executorOf(store, { run: other })
  await executor.drain()
  t.same(reported.completed, [other])
  t.equal((await journal.find(owner, id))?.state, 'running')
})

test('a run whose chunks other processes hold is left to them', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  await createRun(journal, numbers(250))
  const { executor, reported } = executorOf(store, { chunks: new ClaimedChunks({ claim: async () => undefined }) })
  await executor.drain()
  t.same([reported.items, reported.completed], [[], []])
  t.equal((await journal.find(owner, id))?.state, 'running')
})

test('a run that is removed between two reads is left out, by the work and by the sweep', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  await createRun(journal, numbers(3))
  journal.find = async () => undefined
  const { executor, reported } = executorOf(store, { journal })
  await executor.drain()
  t.same(reported.read, { running: 0, paused: 0 })
  t.same(await journal.sweep(), [])
})

test('a chunk whose inputs were removed has no results', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const { upload } = await createRun(journal, numbers(3))
  await store.remove(`uploads/${upload}`)
  const { executor, reported } = executorOf(store)
  await executor.drain()
  t.same([reported.items, reported.completed], [[], []])
  t.equal((await resultsOf(store)).items.length, 0)
})

test('a failure that is not one of an item is reported, and the chunk runs again', async t => {
  const store = new MemoryStore()
  await createRun(new Journal(store), numbers(3))
  let isBroken = true
  const load = { now: () => performance.now(), busyMs: () => 0, liveRuns: () => 0 }
  const pacer = new Pacer({
    ...load,
    isPressed() {
      if (isBroken) throw new Error('the gauge is broken')
      return false
    },
  })
  const services = { runtime: createRuntime(), level: 'full', concurrency: 1, pacer } as const
  const { executor, reported } = executorOf(store, { services })
  executor.start()
  await until(() => reported.faults.length === 1)
  t.match(reported.faults, [{ message: 'the gauge is broken' }])
  isBroken = false
  executor.wake()
  await until(() => reported.completed.length === 1)
  await executor.stop()
  t.equal((await resultsOf(store)).items.length, 3)
})

test('a store that fails while the work is stopped is not reported', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const listed = Promise.withResolvers<never>()
  const { executor, reported } = executorOf(store, { journal })
  let looks = 0
  journal.all = () => {
    looks++
    return listed.promise
  }
  executor.start()
  await until(() => looks === 1)
  const stopped = executor.stop()
  listed.reject(new Error('EIO'))
  await stopped
  t.same([reported.faults, looks], [[], 1])
})

test('an item without capacity runs again after half a second', async t => {
  const times: number[] = []
  const busy = aggregate('busy', { url: '/v1/busy', bulk: true })
    .required('answer', async () => {
      times.push(performance.now())
      if (times.length === 1) throw new UpstreamError('BREAKER_OPEN', 'shop')
      return 1
    })
    .reply(z.number(), ({ answer }) => answer)
  const store = new MemoryStore()
  await createRun(new Journal(store), '{}', { aggregate: 'busy' })
  await executorOf(store, { aggregates: [busy] }).executor.drain()
  t.equal((await resultsOf(store)).items[0]?.status, 200)
  t.ok((times[1] as number) - (times[0] as number) > 490, times.join(' '))
})

test('a reply without data has the value null', async t => {
  const empty = aggregate('empty', { url: '/v1/empty', bulk: true })
    .required('answer', () => 1)
    .reply(z.unknown(), () => undefined)
  const store = new MemoryStore()
  await createRun(new Journal(store), '{}', { aggregate: 'empty' })
  await executorOf(store, { aggregates: [empty] }).executor.drain()
  t.match((await resultsOf(store)).items, [{ status: 200, complete: true, value: null }])
})
