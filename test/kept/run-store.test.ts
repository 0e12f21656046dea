import fc from 'fast-check'
import { test } from 'tap'
import { runClasses, RunStore } from '../../src/kept/run-store.ts'
import { storedRun } from '../helpers/stored-run.ts'

const failedRun = (aggregate = 'broken') => storedRun({ class: 'failed', state: 'failed', aggregate })

test('a failed run outlives ten thousand complete ones', t => {
  const store = new RunStore(100)
  const failed = failedRun()
  store.add(failed)
  for (let count = 0; count < 10_000; count++) store.add(storedRun())
  t.equal(store.find(failed.id), failed)
  t.equal(store.size, 100)
  t.equal(store.count('complete'), 99, 'free room is borrowed')
  t.end()
})

test('the complete runs give their room back to failed runs, the oldest first', t => {
  const store = new RunStore(100)
  const complete = Array.from({ length: 100 }, () => storedRun())
  for (const run of complete) store.add(run)
  for (let count = 0; count < 1000; count++) store.add(failedRun())
  t.equal(store.count('failed'), 80, 'four times the share of complete runs')
  t.equal(store.count('complete'), 20)
  t.same(
    complete.map(({ id }) => store.find(id) !== undefined),
    complete.map((_, index) => index >= 80),
  )
  t.end()
})

test('an aggregate that fails does not push out the failed runs of others', t => {
  const store = new RunStore(100)
  const others = Array.from({ length: 20 }, () => failedRun('other'))
  for (const run of others) store.add(run)
  for (let count = 0; count < 10_000; count++) store.add(failedRun())
  for (const { id } of others) t.ok(store.find(id) !== undefined)
  t.equal(store.count('failed'), 100)
  t.equal(store.oldest('failed'), others[0])
  t.end()
})

test('an aggregate with less than half of a class loses runs when they are the oldest', t => {
  const store = new RunStore(6)
  const first = failedRun('a')
  store.add(first)
  for (const aggregate of ['b', 'c', 'b', 'c', 'b', 'c']) store.add(failedRun(aggregate))
  t.equal(store.find(first.id), undefined)
  t.equal(store.size, 6)
  t.end()
})

test('a run of the size of many takes the room of many, and one that is larger than the room is not kept', t => {
  const store = new RunStore(10)
  for (let count = 0; count < 10; count++) store.add(storedRun())
  const large = storedRun({ bytes: 75 * 1024 })
  store.add(large)
  t.equal(store.find(large.id), large)
  t.ok(store.size < 10)
  t.ok(store.bytes <= 80 * 1024)
  store.add(storedRun({ bytes: 90 * 1024 }))
  t.ok(store.bytes <= 80 * 1024)
  t.end()
})

const added = fc.record({
  class: fc.constantFrom(...runClasses),
  aggregate: fc.constantFrom('a', 'b', 'c', 'd'),
  bytes: fc.integer({ min: 500, max: 60_000 }),
})

test('the room is never exceeded, and the store has the runs that it counts', t => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(added, { maxLength: 120 }), (limit, all) => {
      const store = new RunStore(limit)
      for (const fields of all) {
        store.add(storedRun(fields))
        const runs = [...store.runs()]
        const bytes = runs.reduce((sum, run) => sum + run.bytes, 0)
        if (runs.length > limit || bytes > limit * 8192) throw new Error(`${runs.length} runs, ${bytes} bytes`)
        if (bytes !== store.bytes || runs.length !== store.size) throw new Error('the counts are wrong')
        for (const name of runClasses)
          if (store.count(name) !== runs.filter(run => run.class === name).length) throw new Error(name)
        if (runs.some(run => store.find(run.id) !== run)) throw new Error('a run has no id')
      }
    }),
  )
  t.end()
})
