import fc from 'fast-check'
import { test } from 'tap'
import { deepFreeze } from '../../src/core/freeze.ts'

/** Every object and array of a value, found in another way than by the code under test. */
function parts(value: unknown, found = new Set<object>()): ReadonlySet<object> {
  if (typeof value === 'object' && value !== null && !found.has(value)) {
    found.add(value)
    for (const key of Reflect.ownKeys(value)) parts((value as Record<PropertyKey, unknown>)[key], found)
  }
  return found
}

test('every object and array of any value is frozen, and the value stays what it is', t => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), value => {
      const before = structuredClone(value)
      const given = deepFreeze(value)
      return (
        Object.is(given, value) &&
        JSON.stringify(given) === JSON.stringify(before) &&
        [...parts(given)].every(part => Object.isFrozen(part))
      )
    }),
  )
  t.end()
})

test('a frozen object with mutable parts is frozen deeply', t => {
  const inner = { list: [1] }
  const value = Object.freeze({ inner, again: [inner] })
  deepFreeze(value)
  t.ok([...parts(value)].every(part => Object.isFrozen(part)))
  t.end()
})

test('a value that holds itself is frozen once', t => {
  const self: { list: unknown[]; self?: unknown } = { list: [] }
  self.self = self
  self.list.push(self, self.list)
  deepFreeze(self)
  t.ok(Object.isFrozen(self) && Object.isFrozen(self.list))
  t.equal(deepFreeze(self), self, 'and may be frozen again')
  t.end()
})

test('the members of maps and sets are frozen, and what JavaScript cannot freeze stays open', t => {
  const value = {
    map: new Map([[{ key: 1 }, { item: 1 }]]),
    set: new Set([{ item: 2 }]),
    when: new Date(0),
    bytes: Buffer.from('ab'),
    none: null,
    make: () => 1,
  }
  deepFreeze(value)
  const [[key, item] = []] = [...value.map]
  const [member] = [...value.set]
  t.ok([value, value.map, value.set, value.when, key, item, member].every(part => Object.isFrozen(part)))
  value.bytes[0] = 0x7a
  t.equal(value.bytes.toString(), 'zb', 'bytes cannot be frozen')
  value.map.clear()
  t.equal(value.map.size, 0, 'nor what a map holds')
  t.equal(deepFreeze(value.bytes), value.bytes)
  t.end()
})

test('a very deep value is frozen to its end', t => {
  let value: unknown[] = []
  const innermost = value
  for (let depth = 0; depth < 100_000; depth++) value = [value]
  deepFreeze(value)
  t.ok(Object.isFrozen(innermost))
  t.end()
})

test('a prototype is not frozen, at any place of a value', t => {
  class Cat {
    name = 'Tom'
  }
  const table = {} as Readonly<Record<string, object>>
  const prototypes = [table['__proto__'], Array.prototype, Map.prototype, Cat.prototype] as const
  for (const prototype of prototypes) {
    deepFreeze(prototype)
    deepFreeze({ list: [prototype], map: new Map([[prototype, prototype]]) })
    t.equal(Object.isFrozen(prototype), false)
  }
  const own = { constructor: { prototype: 1 } }
  t.ok(Object.isFrozen(deepFreeze(own)) && Object.isFrozen(own.constructor), 'a field of this name is data')
  t.end()
})
