import fc from 'fast-check'
import { test } from 'tap'
import type { Entry } from '../../../../src/upstream/policies/cache/entry.ts'
import { createMemoryStore } from '../../../../src/upstream/policies/cache/memory-store.ts'

const entry = (bytes: number): Entry => ({
  status: 200,
  head: {},
  bytes,
  requestedAt: 0,
  receivedAt: 0,
  initialAge: 0,
  lifetime: 0,
  staleWhileRevalidate: 0,
  staleIfError: 0,
})
/** Bytes of a place in the store with a key of one letter. */
const place = 72

test('what is kept is found, replaced and forgotten', async t => {
  const store = createMemoryStore()
  const [one, two] = [entry(10), entry(20)]
  store.set('a', one, 0)
  t.equal(store.get('a'), one)
  t.equal(store.get('b'), undefined)
  store.set('a', two, 0)
  t.equal(store.get('a'), two)
  t.match(store.size, { entries: 1, bytes: 20 + place })
  store.delete('a')
  store.delete('a')
  t.equal(store.get('a'), undefined)
  t.same(store.size, { entries: 0, bytes: 0 })
})

test('what was used for longest goes first when there is no more room', async t => {
  const store = createMemoryStore({ maxBytes: 3 * 1000, maxEntryBytes: 1000 })
  for (const key of ['a', 'b', 'c']) store.set(key, entry(1000 - place), 0)
  t.match(store.size, { entries: 3, bytes: 3000 })
  store.get('a')
  store.set('d', entry(1000 - place), 0)
  t.same(
    ['a', 'b', 'c', 'd'].map(key => store.get(key) !== undefined),
    [true, false, true, true],
  )
})

test('one that is too large is not kept, and the one before it is gone', async t => {
  const store = createMemoryStore({ maxBytes: 8000 })
  store.set('a', entry(1000 - place), 0)
  store.set('a', entry(1001 - place), 0)
  t.equal(store.get('a'), undefined)
  t.same(store.size, { entries: 0, bytes: 0 })
})

test('a size that is none is refused', async t => {
  t.throws(() => createMemoryStore({ maxBytes: 0 }), /createMemoryStore: maxBytes/)
  t.throws(() => createMemoryStore({ maxEntryBytes: 1.5 }), /createMemoryStore: maxEntryBytes/)
})

test('it never holds more than it may, and its size is that of what it holds', t => {
  const steps = fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      bytes: fc.nat(2000),
      act: fc.constantFrom('set', 'set', 'get', 'delete'),
    }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(steps, all => {
      const store = createMemoryStore({ maxBytes: 5000, maxEntryBytes: 2000 })
      for (const { key, bytes, act } of all) {
        if (act === 'set') store.set(key, entry(bytes), 0)
        else store[act](key)
        const held = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap(each => (store.get(each) as Entry | undefined) ?? [])
        const { bytes: total = -1, entries } = store.size ?? {}
        if (total > 5000 || entries !== held.length || total !== held.reduce((sum, one) => sum + one.bytes + place, 0))
          return false
      }
      return true
    }),
  )
  t.end()
})
