import fc from 'fast-check'
import { test } from 'tap'
import type { Entry } from '../../../../src/upstream/policies/cache/entry.ts'
import type { CacheStore, CacheStoreLookup } from '../../../../src/upstream/policies/cache/store.ts'
import { createMemoryStore } from '../../../../src/upstream/policies/cache/memory-store.ts'

const entry = (bytes: number): Entry => ({
  status: 200,
  head: {},
  bytes,
  generation: '0',
  requestedAt: 0,
  receivedAt: 0,
  initialAge: 0,
  lifetime: 0,
  staleWhileRevalidate: 0,
  staleIfError: 0,
})
const uri = 'http://127.0.0.1:9/'
const found = (store: CacheStore, key: string, of = uri) => (store.get(key, of) as CacheStoreLookup).entry
/** Bytes of a place in the store with a key of one letter. */
const place = 72

test('what is kept is found, replaced and forgotten', async t => {
  const store = createMemoryStore()
  const [one, two] = [entry(10), entry(20)]
  store.set('a', uri, one, 0)
  t.equal(found(store, 'a'), one)
  t.equal(found(store, 'b'), undefined)
  store.set('a', uri, two, 0)
  t.equal(found(store, 'a'), two)
  t.match(store.size, { entries: 1, bytes: 20 + place })
  store.delete('a', uri)
  store.delete('a', uri)
  t.equal(found(store, 'a'), undefined)
  t.same(store.size, { entries: 0, bytes: 0 })
})

test('what was used for longest goes first when there is no more room', async t => {
  const store = createMemoryStore({ maxBytes: 3 * 1000, maxEntryBytes: 1000 })
  for (const key of ['a', 'b', 'c']) store.set(key, uri, entry(1000 - place), 0)
  t.match(store.size, { entries: 3, bytes: 3000 })
  found(store, 'a')
  store.set('d', uri, entry(1000 - place), 0)
  t.same(
    ['a', 'b', 'c', 'd'].map(key => found(store, key) !== undefined),
    [true, false, true, true],
  )
})

test('an entry that is too large is not kept, and the entry before it is gone', async t => {
  const store = createMemoryStore({ maxBytes: 8000 })
  store.set('a', uri, entry(1000 - place), 0)
  store.set('a', uri, entry(1001 - place), 0)
  t.equal(found(store, 'a'), undefined)
  t.same(store.size, { entries: 0, bytes: 0 })
})

test('a size that is none is refused', async t => {
  t.throws(() => createMemoryStore({ maxBytes: 0 }), /createMemoryStore: maxBytes/)
  t.throws(() => createMemoryStore({ maxEntryBytes: 1.5 }), /createMemoryStore: maxEntryBytes/)
})

test('a store never holds more than its limit, and its size is that of its entries', t => {
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
        if (act === 'set') store.set(key, uri, entry(bytes), 0)
        else store[act](key, uri)
        const held = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap(each => found(store, each) ?? [])
        const { bytes: total = -1, entries } = store.size ?? {}
        if (total > 5000 || entries !== held.length || total !== held.reduce((sum, one) => sum + one.bytes + place, 0))
          return false
      }
      return true
    }),
  )
  t.end()
})

const generationOf = (store: CacheStore, of = uri) => String((store.get('none', of) as CacheStoreLookup).generation)

test('an invalidated URI has no valid entry, whatever its keys are, and other URIs keep theirs', async t => {
  const store = createMemoryStore()
  const other = `${uri}other`
  for (const key of ['a', 'b']) store.set(key, uri, entry(10), 0)
  store.set('c', other, entry(10), 0)
  store.invalidate(uri)
  for (const key of ['a', 'b']) t.equal(found(store, key), undefined, key)
  t.not(found(store, 'c', other), undefined)
  t.match(store.size, { entries: 1 }, 'they are dropped as they are looked up')
  store.set('a', uri, { ...entry(10), generation: generationOf(store) }, 0)
  t.not(found(store, 'a'), undefined)
})

test('an entry that was requested before the invalidation of its URI is not valid when it is stored after it', async t => {
  const store = createMemoryStore()
  const generation = generationOf(store)
  store.invalidate(uri)
  t.not(generationOf(store), generation)
  store.set('a', uri, { ...entry(10), generation }, 0)
  t.equal(found(store, 'a'), undefined)
})

test('what was requested before invalidations that are forgotten is not valid, and later entries are', async t => {
  const store = createMemoryStore()
  store.set('a', uri, entry(10), 0)
  for (let index = 0; index <= 10_000; index++) store.invalidate(`${uri}${index}`)
  t.equal(found(store, 'a'), undefined)
  store.set('a', uri, { ...entry(10), generation: generationOf(store) }, 0)
  t.not(found(store, 'a'), undefined)
})
