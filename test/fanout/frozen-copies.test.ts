import fc from 'fast-check'
import { test } from 'tap'
import { FrozenCopies } from '../../src/fanout/frozen-copies.ts'

/** True if a value and all plain objects and lists in it are frozen. */
function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen)
}

test('the copy of any JSON equals its value and is frozen on all levels', async t => {
  const isHeld = (value: unknown) => {
    const before = JSON.stringify(value)
    const copy = new FrozenCopies().of(value)
    const isOwn = copy !== value || typeof value !== 'object' || value === null
    return JSON.stringify(copy) === before && isDeepFrozen(copy) && isOwn
  }
  t.doesNotThrow(() => fc.assert(fc.property(fc.jsonValue(), isHeld)))
})

test('a value that is frozen on all levels is its own copy, and one that is frozen on the first level is not', async t => {
  const copies = new FrozenCopies()
  const whole = Object.freeze({ list: Object.freeze([1, Object.freeze({ a: 1 })]) })
  t.equal(copies.of(whole), whole)
  const shallow = Object.freeze({ list: [1] })
  t.not(copies.of(shallow), shallow)
  t.same(copies.of(shallow), shallow)
  t.ok(isDeepFrozen(copies.of(shallow)))
})

test('a field with the name __proto__ stays a field of the copy', async t => {
  const value: unknown = JSON.parse('{"__proto__":{"isAdmin":true},"a":1}')
  const copy = new FrozenCopies().of(value) as object
  t.equal(JSON.stringify(copy), JSON.stringify(value))
  t.equal(Object.getPrototypeOf(copy), Object.prototype)
  t.notOk('isAdmin' in copy)
})

test('maps, sets, dates and objects without a prototype are copied', async t => {
  const value = {
    map: new Map([[{ key: 1 }, { item: 1 }]]),
    set: new Set([{ item: 2 }]),
    date: new Date(5),
    bare: Object.assign(Object.create(null) as object, { item: { a: 3 } }),
  }
  const copy = new FrozenCopies().of(value) as typeof value
  t.same(copy, value)
  copy.map.clear()
  copy.set.clear()
  copy.date.setTime(0)
  t.same([value.map.size, value.set.size, value.date.getTime()], [1, 1, 5])
  t.equal(Object.getPrototypeOf(copy.bare), null)
  t.ok(isDeepFrozen(copy.bare))
})

test('bytes, instances of classes and functions are passed on', async t => {
  class Price {
    cents = 5
  }
  const value = { bytes: new Uint8Array([1]), price: new Price(), read: () => 1 }
  const copy = new FrozenCopies().of(value) as typeof value
  t.equal(copy.bytes, value.bytes)
  t.equal(copy.price, value.price)
  t.equal(copy.read, value.read)
})

test('a view that records its reads is passed on without a read', async t => {
  const reads: unknown[] = []
  const view = new Proxy({ a: 1 }, { get: (_, name) => reads.push(name), ownKeys: () => [String(reads.push('keys'))] })
  t.equal(new FrozenCopies().of(view), view)
  t.same(reads, [])
})

test('a value is copied once, alone and as an item of lists', async t => {
  const copies = new FrozenCopies()
  const [first, second] = [{ a: 1 }, { a: 2 }]
  const list = copies.ofItems([first, undefined])
  t.equal(copies.ofItems([first, second])[0], list[0])
  t.equal(copies.of(first), list[0])
  t.ok(Object.isFrozen(list))
  t.equal(copies.isFull, false)
})

test('a value with a map, a set or a date is copied each time, and its copy is not frozen', async t => {
  const copies = new FrozenCopies()
  const value = { seen: new Set([1]), at: { from: new Date(5) } }
  const first = copies.of(value) as typeof value
  first.seen.clear()
  t.same(copies.of(value), value)
  const dated = copies.of(value.at) as typeof value.at
  dated.from.setTime(0)
  t.same(copies.of(value.at), value.at)
})

test('values with more than 100,000 parts, and a value that contains itself, are not copied', async t => {
  for (const large of [
    Array.from({ length: 50_000 }, () => []),
    Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [at, at])),
  ]) {
    const copies = new FrozenCopies()
    t.throws(() => copies.of(large), {
      name: 'RangeError',
      message: 'the run has more than 100000 values, so they are not copied for snapshots',
    })
    t.equal(copies.isFull, true)
  }
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  t.throws(() => new FrozenCopies().of(circular), { name: 'RangeError' })
})
