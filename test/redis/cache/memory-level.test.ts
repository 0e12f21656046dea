import { test } from 'tap'
import { MemoryLevel } from '../../../src/redis/cache/memory-level.ts'
import { handClock, type HandClock } from '../../helpers/hand-clock.ts'
import { entryFor, nameOf } from '../../helpers/redis-store.ts'
import type { Entry } from '../../../src/upstream/policies/cache/entry.ts'

const limits = { maxBytes: 100_000, ttl: 1000, contactMs: 25 }

interface Added {
  readonly uri?: string
  readonly sentAt?: number
  readonly rest?: Partial<Entry>
  readonly body?: string
}

/** A level with a live subscription, to which entries are added as if the server had just sent them. */
function memory(options: Partial<typeof limits> = {}) {
  const clock = handClock()
  const level = new MemoryLevel({ ...limits, ...options, clock })
  level.setSubscribed(true)
  clock.pass(1)
  return { clock, level, ...namedAccess(level, clock) }
}

function namedAccess(level: MemoryLevel, clock: HandClock) {
  return {
    add: (key: string, { uri = key, sentAt = clock.steady(), rest = {}, body = '1' }: Added = {}) => {
      level.answered(sentAt)
      const entry = entryFor(key, 'first', body, { receivedAt: clock.steady(), ...rest })
      level.add({ key: nameOf(key), uri: nameOf(uri), entry, generation: 'first', sentAt })
    },
    has: (key: string, uri = key) => level.find(nameOf(key), nameOf(uri)) !== undefined,
    invalidate: (uri: string) => level.invalidate(nameOf(uri)),
  }
}

test('an entry in memory is the same object each time', async t => {
  const { level, add } = memory()
  add('a')
  const found = level.find(nameOf('a'), nameOf('a'))
  t.equal(found?.entry?.key, nameOf('a'))
  t.equal(level.find(nameOf('a'), nameOf('a')), found)
  t.equal(level.hits, 2)
  t.equal(level.find(nameOf('b'), nameOf('a')), undefined)
  t.equal(level.hits, 2)
})

test('an entry in memory is used up to ttl after its lookup was sent, and while it is fresh', async t => {
  const { clock, level, add, has } = memory()
  add('a', { sentAt: clock.steady() - 0.5 })
  add('fresh for 300 ms', { rest: { initialAge: 500, lifetime: 800 } })
  for (const key of ['stale', 'without freshness'])
    add(key, { rest: { lifetime: key === 'stale' ? 800 : 0, initialAge: key === 'stale' ? 800 : 0 } })
  t.equal(level.entries, 2)
  clock.pass(299)
  level.answered(clock.steady())
  t.ok(has('a') && has('fresh for 300 ms'))
  clock.pass(1)
  t.notOk(has('fresh for 300 ms'))
  clock.pass(699)
  level.answered(clock.steady())
  t.ok(has('a'))
  clock.pass(0.5)
  t.notOk(has('a'))
})

test('an entry in memory is used only while the server answers', async t => {
  const { clock, level, add, has } = memory()
  add('a')
  clock.pass(24)
  t.ok(has('a'))
  clock.pass(1)
  t.notOk(has('a'), 'a stopped server sends no messages of invalidations')
  level.answered(clock.steady() - 1)
  t.ok(has('a'))
  level.answered(clock.steady() - 20)
  t.ok(has('a'), 'replies in another order than they were sent')
})

test('an invalidation removes the entries of its URI, and lookups that are under way', async t => {
  const { clock, level, add, has, invalidate } = memory()
  for (const key of ['a', 'b']) add(key, { uri: 'cats' })
  add('c')
  const sentAt = clock.steady()
  clock.pass(1)
  invalidate('cats')
  t.same([has('a', 'cats'), has('b', 'cats'), has('c')], [false, false, true])
  clock.pass(1)
  add('a', { uri: 'cats', sentAt })
  t.notOk(has('a', 'cats'))
  add('a', { uri: 'cats' })
  t.ok(has('a', 'cats'), 'a lookup that was sent after it is added')
  t.equal(level.entries, 2)
})

test('the memory level is empty and takes nothing without its subscription', async t => {
  const { clock, level, add, has } = memory()
  add('a')
  const sentAt = clock.steady()
  level.setSubscribed(false)
  t.notOk(has('a'))
  clock.pass(1)
  add('a')
  t.notOk(has('a'))
  level.setSubscribed(true)
  clock.pass(1)
  add('a', { sentAt })
  t.notOk(has('a'), 'a message may have been missed since this lookup was sent')
  add('a')
  t.ok(has('a'))
  level.clear()
  t.same([level.entries, level.bytes, has('a')], [0, 0, false])
})

test('the memory of all entries has a limit, and the oldest are removed first', async t => {
  const { level, add, has } = memory({ maxBytes: 10_000 })
  for (const key of ['a', 'b', 'c', 'd']) add(key, { body: JSON.stringify('x'.repeat(1000)) })
  t.ok(level.bytes <= 10_000)
  t.same([has('a'), has('b'), has('c'), has('d')], [false, true, true, true])
  add('b', { body: JSON.stringify('x'.repeat(1000)) })
  t.equal(level.entries, 3, 'an entry replaces the one of its key')
  add('large', { body: JSON.stringify('x'.repeat(10_000)) })
  t.same([level.entries, level.bytes], [0, 0])
})

test('entries whose time is over leave the memory when others arrive', async t => {
  const { clock, level, add } = memory()
  for (const key of ['a', 'b', 'c']) add(key)
  clock.pass(1000)
  add('d')
  t.equal(level.entries, 1)
})

test('a value that is not an entry of its key and generation is not added', async t => {
  const { clock, level } = memory()
  const entry = entryFor('a', 'first', '1', { receivedAt: clock.steady() })
  for (const wrong of [
    null,
    'text',
    {},
    { ...entry, key: nameOf('b') },
    { ...entry, generation: 'second' },
    { ...entry, body: undefined },
    { ...entry, head: null },
    { ...entry, lifetime: '60000' },
    { ...entry, receivedAt: null },
    { ...entry, initialAge: Number.NaN },
  ])
    level.add({ key: nameOf('a'), uri: nameOf('a'), entry: wrong, generation: 'first', sentAt: clock.steady() })
  t.equal(level.entries, 0)
  level.add({ key: nameOf('a'), uri: nameOf('a'), entry, generation: 'first', sentAt: clock.steady() })
  t.equal(level.entries, 1)
})
