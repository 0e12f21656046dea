import { test } from 'tap'
import { collected } from '../../../helpers/collected.ts'
import { createChanges } from '../../../../src/upstream/policies/cache/changes.ts'

test('a change affects the answers to earlier requests and not to later ones', async t => {
  const changes = createChanges()
  t.notOk(changes.since('/a', 10))
  changes.note('/a', 10)
  t.ok(changes.since('/a', 9))
  t.ok(changes.since('/a', 10))
  t.notOk(changes.since('/a', 11))
  t.notOk(changes.since('/b', 9))
})

test('changes that are forgotten count for everything from before them', async t => {
  const changes = createChanges(2)
  changes.note('/a', 1)
  changes.note('/b', 2)
  changes.note('/a', 3)
  changes.note('/c', 4)
  t.ok(changes.since('/d', 2), 'as old as the forgotten one, /b')
  t.notOk(changes.since('/d', 3))
  t.ok(changes.since('/a', 3))
})

test('a change that is removed is as if it had not been, unless there was another since', async t => {
  const changes = createChanges(2)
  changes.note('/a', 1)
  changes.remove('/a', 1)
  t.notOk(changes.since('/a', 1))
  changes.note('/a', 2)
  changes.note('/a', 3)
  changes.remove('/a', 2)
  t.ok(changes.since('/a', 3))
  changes.note('/b', 4)
  changes.note('/c', 5)
  changes.remove('/b', 4)
  changes.remove('/c', 5)
  t.ok(changes.since('/d', 3), 'what is forgotten is not removed')
})

test('a change affects an answer whose request time is not a number', async t => {
  const changes = createChanges()
  t.ok(changes.since('/a', NaN))
  changes.note('/a', 1)
  t.ok(changes.since('/a', NaN))
  t.ok(changes.since('/b', NaN))
})

test('a long path is remembered as itself, and takes no more memory than a short one', async t => {
  const changes = createChanges(2000)
  const path = (id: number) => `/${'a'.repeat(16_000)}${id}`
  await collected()
  const before = process.memoryUsage().heapUsed
  for (let id = 0; id < 2000; id++) changes.note(path(id), 10)
  await collected()
  t.ok(process.memoryUsage().heapUsed - before < 4e6)
  t.ok(changes.since(path(7), 9))
  t.notOk(changes.since(path(2001), 9))
})
