import { mkdtempSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { ClaimedChunks } from '../../src/bulk/claimed-chunks.ts'
import { DiskClaims } from '../../src/bulk/disk/disk-claims.ts'
import { DiskStore } from '../../src/bulk/disk/disk-store.ts'
import { FailedRuns } from '../../src/bulk/failed-runs.ts'
import { Journal } from '../../src/bulk/journal.ts'
import { until } from '../helpers/until.ts'
import { MemoryStore } from './helpers/memory-store.ts'
import { createRun, executorOf, id, numbers, resultsOf } from './helpers/runs.ts'

const other = '0'.repeat(31) + '2'
const gone = () => Promise.reject(new Error('the store is gone'))

/** A store that fails once at the first matching operation. */
class FailingOnce extends MemoryStore {
  fails: ((operation: string, name: string) => boolean) | undefined

  async #check(operation: string, name: string): Promise<void> {
    if (this.fails?.(operation, name) !== true) return
    this.fails = undefined
    await gone()
  }

  override async has(name: string) {
    await this.#check('has', name)
    return super.has(name)
  }

  override async read(...args: Parameters<MemoryStore['read']>) {
    await this.#check('read', args[0])
    return super.read(...args)
  }

  override async remove(folder: string) {
    await this.#check('remove', folder)
    return super.remove(folder)
  }

  override async create(name: string, body: Uint8Array) {
    const isNew = await super.create(name, body)
    await this.#check('created', name)
    return isNew
  }
}

for (const [operation, part] of [
  ['has', '/results/'],
  ['read', 'uploads/'],
  ['created', 'claims/'],
  ['created', '/results/'],
  ['remove', 'claims/'],
] as const)
  test(`a chunk is run after the store has failed once to ${operation} ${part}`, async t => {
    const store = new FailingOnce()
    await createRun(new Journal(store), numbers(150))
    const { executor, reported } = executorOf(store, { chunks: new ClaimedChunks(new DiskClaims(store)) })
    store.fails = (...failing) => failing[0] === operation && failing[1].includes(part)
    executor.start()
    await until(() => reported.completed.length === 1)
    await executor.stop()
    t.ok(reported.faults.length > 0)
    t.equal((await resultsOf(store)).items.length, 150)
  })

test('a claim whose end has failed does not hold the chunk', async t => {
  const store = new FailingOnce()
  const claims = new DiskClaims(store)
  const release = await claims.claim(id, '000001')
  store.fails = operation => operation === 'remove'
  await t.rejects(async () => release?.(), { message: 'the store is gone' })
  t.equal(await new DiskClaims(store).claim(id, '000001'), undefined, 'another holder in this process waits')
  t.type(await claims.claim(id, '000001'), 'function')
  t.equal(await claims.claim(id, '000001'), undefined)
})

test('a run whose inputs are missing is reported with pauses, and other runs go on', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const { upload } = await createRun(journal, numbers(3))
  await createRun(journal, numbers(250), { id: other })
  await store.remove(`uploads/${upload}`)
  const { executor, reported } = executorOf(store)
  await executor.drain()
  t.same(reported.completed, [other])
  t.equal(reported.faults.length, 1)
  t.match(reported.faults[0], { message: /inputs of chunk 1 of the run 0+1 are missing/ })
})

test('a run whose description cannot be read does not stop other runs, and not their removal', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const { owner } = await createRun(journal, numbers(3))
  await createRun(journal, numbers(3), { id: other, retention: 0 })
  store.objects.set(`runs/${owner}/${id}/manifest`, Buffer.from('{'))
  const { executor, reported } = executorOf(store)
  await executor.drain()
  t.same(reported.completed, [other])
  await t.rejects(journal.sweep(), SyntaxError)
  t.equal(store.objects.has(`runs/${owner}/${other}/manifest`), false)
})

test('a run exists if the store has created its description and failed', async t => {
  const store = new FailingOnce()
  store.fails = (operation, name) => operation === 'created' && name.endsWith('/manifest')
  t.match(await createRun(new Journal(store), numbers(3)), { id, state: 'running' })
})

test('a run does not exist if the store has not created its description', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const create = store.create.bind(store)
  store.create = (name, body) => (name.endsWith('/manifest') ? gone() : create(name, body))
  await t.rejects(createRun(journal, numbers(3)), { message: 'the store is gone' })
  t.same(await journal.all(), [])
})

test('a run that another process removes at the start of a chunk leaves no results and no fault', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const run = await createRun(journal, numbers(3))
  const read = store.read.bind(store)
  store.read = async (name, range) => {
    if (name.startsWith('uploads/')) await journal.remove(run)
    return read(name, range)
  }
  const { executor, reported } = executorOf(store)
  await executor.drain()
  t.same(reported.faults, [])
  t.same(reported.completed, [])
  t.equal([...store.objects.keys()].filter(name => name.includes('/results/')).length, 0)
})

test('a run that was removed cannot be paused', async t => {
  const journal = new Journal(new MemoryStore())
  const run = await createRun(journal, numbers(3))
  await journal.remove(run)
  t.equal(await journal.setPaused(run, true), undefined)
})

test('the pause of a run doubles with each failure in a row', async t => {
  const failed = new FailedRuns()
  t.same([failed.add(id), failed.add(id), failed.add(other), failed.add(id)], [500, 1000, 500, 2000])
  t.equal(failed.isPausing(id), true)
  failed.delete(id)
  t.equal(failed.isPausing(id), false)
  t.equal(failed.add(id), 500)
})

test('a run is created while an earlier run with its id is removed', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const earlier = await createRun(journal, numbers(3))
  const create = store.create.bind(store)
  store.create = async (name, body) => {
    const isNew = await create(name, body)
    if (!isNew) await journal.remove(earlier)
    return isNew
  }
  t.match(await createRun(journal, numbers(4)), { id, items: 4 })
})

test('an object is created while other processes remove its folder', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'headwaters-store-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const store = await DiskStore.open(dir)
  let isDone = false
  const removing = Promise.all(
    [1, 2].map(async () => {
      while (!isDone) await store.remove('claims/one')
    }),
  )
  const created: boolean[] = []
  for (let number = 0; number < 200; number++)
    created.push(await store.create(`claims/one/000001/${number}`, Buffer.from('x')))
  isDone = true
  await removing
  t.same(new Set(created), new Set([true]))
})

test('files of other programs in the folder have no effect', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'headwaters-store-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const store = await DiskStore.open(dir)
  await createRun(new Journal(store), numbers(3))
  await writeFile(join(dir, 'objects/runs/.nfs0000001'), '')
  await writeFile(join(dir, 'objects/uploads/lost+found'), '')
  const { executor, reported } = executorOf(store)
  await executor.drain()
  t.same(reported.completed, [id])
  t.same(await new Journal(store).sweep(), [])
})
