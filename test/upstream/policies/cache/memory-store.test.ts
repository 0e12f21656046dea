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
/** Bytes of a place in the store with a key of one letter and this URI. */
const place = 2 * 48 + 56 + (16 + 8) + (16 + 24)

test('a memory store refuses an unknown option', async t => {
  const options = { maxByte: 1024 } as Parameters<typeof createMemoryStore>[0]
  t.throws(() => createMemoryStore(options), {
    name: 'TypeError',
    message: "createMemoryStore: unknown option 'maxByte': use maxBytes, maxEntryBytes",
  })
})

test('an entry can be found, replaced and removed', async t => {
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

test('a full store removes the least recently used entry first', async t => {
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

test('an invalid size is refused', async t => {
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
  t.match(store.size, { entries: 1 }, 'they are gone before they are looked up')
  for (const key of ['a', 'b']) t.equal(found(store, key), undefined, key)
  t.not(found(store, 'c', other), undefined)
  t.match(store.size, { entries: 1 }, 'they hold no memory')
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

test('an answer that is invalid when it is stored leaves the valid entry of its key in place', async t => {
  const store = createMemoryStore()
  store.invalidate(uri)
  const valid = { ...entry(10), generation: generationOf(store) }
  store.set('a', uri, valid, 0)
  for (const generation of ['0', '2', 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6', '1e9', '', 'NaN']) {
    store.set('a', uri, { ...entry(20), generation }, 0)
    t.equal(found(store, 'a'), valid, generation)
  }
})

test('an entry of a generation that the store has not given is not kept', async t => {
  const store = createMemoryStore()
  for (const generation of ['1', 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6', 'Infinity', 'x'])
    store.set('a', uri, { ...entry(10), generation }, 0)
  t.same(store.size, { entries: 0, bytes: 0 })
})

test('invalidations of other URIs leave an entry in place, however many there are', async t => {
  const store = createMemoryStore()
  store.set('a', uri, entry(10), 0)
  for (let index = 0; index <= 10_000; index++) store.invalidate(`${uri}${index}`)
  t.not(found(store, 'a'), undefined)
  store.invalidate(uri)
  t.equal(found(store, 'a'), undefined)
})

test('an answer that was in flight during more invalidations than the store remembers is not kept', async t => {
  const store = createMemoryStore()
  for (let index = 0; index <= 10_000; index++) store.invalidate(`${uri}${index}`)
  store.set('a', uri, entry(10), 0)
  t.equal(found(store, 'a'), undefined)
  store.set('a', uri, { ...entry(10), generation: generationOf(store) }, 0)
  t.not(found(store, 'a'), undefined)
})

test('a long URI is invalidated as itself', async t => {
  const store = createMemoryStore()
  const long = (end: string) => `${uri}${'a'.repeat(16_000)}${end}`
  store.set('a', long('1'), entry(10), 0)
  store.set('b', long('2'), entry(10), 0)
  store.invalidate(long('1'))
  t.equal(found(store, 'a'), undefined)
  t.not(found(store, 'b'), undefined)
})

test('whatever is set, dropped and invalidated, an invalidated URI has no entry and the others keep theirs', t => {
  const keys = ['a', 'b', 'c', 'd', 'e', 'f']
  const uriOf = (key: string) => `${uri}${keys.indexOf(key) % 2}`
  const steps = fc.array(
    fc.record({ key: fc.constantFrom(...keys), act: fc.constantFrom('set', 'set', 'delete', 'invalidate') }),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(steps, all => {
      const store = createMemoryStore()
      const expected = new Set<string>()
      for (const { key, act } of all) {
        if (act === 'set') store.set(key, uriOf(key), { ...entry(10), generation: generationOf(store) }, 0)
        else if (act === 'delete') store.delete(key, uriOf(key))
        else store.invalidate(uriOf(key))
        if (act === 'set') expected.add(key)
        else if (act === 'delete') expected.delete(key)
        else for (const one of keys) if (uriOf(one) === uriOf(key)) expected.delete(one)
        if (keys.some(one => (found(store, one, uriOf(one)) !== undefined) !== expected.has(one))) return false
      }
      return store.size?.bytes === expected.size * (10 + place)
    }),
  )
  t.end()
})
