import fc from 'fast-check'
import { test } from 'tap'
import { Entry } from '../../src/kept/tape.ts'
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

test('a run of the size of several takes the room of several', t => {
  const store = new RunStore(10)
  for (let count = 0; count < 10; count++) store.add(storedRun({ class: 'failed', bytes: 8 * 1024 }))
  const large = failedRun()
  t.equal(store.add({ ...large, bytes: 16 * 1024 }), true)
  t.equal(store.size, 9)
  t.equal(store.bytes, 80 * 1024)
  t.end()
})

test('a run that is larger than half of the share of its class is kept without its calls, and pushes no run out', t => {
  for (const runClass of runClasses) {
    const store = new RunStore(100)
    const small = Array.from({ length: 30 }, () => storedRun({ class: runClass }))
    for (const run of small) store.add(run)
    const large = storedRun({
      class: runClass,
      bytes: 700 * 1024,
      numbers: Float64Array.of(Entry.sent, 0, 1, 0, Entry.callEnded, 0, 2, 0),
      paths: ['/a?q=1'],
      upstreams: ['cats'],
    })
    t.equal(store.add(large), true, runClass)
    for (const { id } of small) t.ok(store.find(id) !== undefined)
    const kept = store.find(large.id)
    t.match(kept, { omittedCalls: 1, operations: [{ upstream: 'cats' }], state: 'complete' })
    t.same([kept?.numbers.length, kept?.paths], [0, []])
    t.ok((kept?.bytes ?? Infinity) < 8192)
  }
  t.end()
})

test('a run that is larger than its room without its calls is not kept', t => {
  const store = new RunStore(10)
  const small = storedRun()
  store.add(small)
  const steps = Array.from({ length: 1000 }, (_, index) => ({ name: `s${index}`, kind: 'call', needs: [] }))
  const large = storedRun({ described: { name: 'batch', url: '/v1/batch', steps }, bytes: 400 * 1024 })
  t.equal(store.add(large), false)
  t.equal(store.find(large.id), undefined)
  t.equal(store.find(small.id), small)
  t.end()
})

test('a run that gives way at once is not kept', t => {
  const store = new RunStore(1)
  const failed = failedRun()
  t.equal(store.add(failed), true)
  t.equal(store.add(storedRun()), false, 'a complete run')
  t.equal(store.find(failed.id), failed)
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
        const run = storedRun(fields)
        if (store.add(run) !== (store.find(run.id) !== undefined)) throw new Error('the answer is wrong')
        const runs = [...store.runs()]
        const bytes = runs.reduce((sum, each) => sum + each.bytes, 0)
        if (runs.length > limit || bytes > limit * 8192) throw new Error(`${runs.length} runs, ${bytes} bytes`)
        if (bytes !== store.bytes || runs.length !== store.size) throw new Error('the counts are wrong')
        for (const name of runClasses)
          if (store.count(name) !== runs.filter(each => each.class === name).length) throw new Error(name)
        if (runs.some(each => store.find(each.id) !== each)) throw new Error('a run has no id')
      }
    }),
  )
  t.end()
})
