import { test } from 'tap'
import { isIndex, readPointer, valueAt, writePointer } from '../../src/batch/json-pointer.ts'
import { findReferences, type BrokenReference, type Reference } from '../../src/batch/reference.ts'

test('a pointer is read as the fragment of a URI, and its tokens are unescaped once', async t => {
  for (const [text, tokens] of [
    ['', []],
    ['/', ['']],
    ['/data/0/id', ['data', '0', 'id']],
    ['/a~1b/~0/~01', ['a/b', '~', '~1']],
    ['/%7E1/%C3%A9/a%20b', ['/', 'é', 'a b']],
    ['/a//b', ['a', '', 'b']],
  ] as const) {
    t.same(readPointer(text), tokens, text)
    t.same(readPointer(encodeURI(writePointer(tokens))), tokens, `${text} is written`)
  }
  for (const text of ['data', '/~', '/~2', '/~~', '/%7E', '/%', '/%zz', '/%ff'])
    t.type(readPointer(text), 'string', `${text} is refused with a reason`)
  t.equal(readPointer('/0'.repeat(65)).length, 65)
  t.equal(readPointer('/0'.repeat(66)), 'has a pointer of 66 tokens, and it has at most 65')
})

test('a pointer reaches what the JSON of a value has, and nothing else', async t => {
  class Cat {
    readonly name = 'Tom'
    get mood() {
      return 'bad'
    }
  }
  const value = {
    list: ['a', { b: 1n }, [2]],
    when: new Date(0),
    cat: new Cat(),
    nothing: null,
    left: undefined,
    made: () => 1,
    endless: Infinity,
    '': 'empty',
    custom: { toJSON: (key: string) => ({ key }) },
    long: 'x'.repeat(100),
  }
  for (const [tokens, expected] of [
    [['list', '0'], 'a'],
    [['list', '1', 'b'], 1n],
    [['list'], ['a', { b: 1 }, [2]]],
    [['when'], '1970-01-01T00:00:00.000Z'],
    [['cat', 'name'], 'Tom'],
    [['nothing'], null],
    [['endless'], null],
    [[''], 'empty'],
    [['custom', 'key'], 'custom'],
    [['custom'], { key: 'custom' }],
  ] as const)
    t.same(valueAt(value, tokens), { value: expected, size: valueAt(value, tokens)?.size }, tokens.join('/'))
  for (const tokens of [
    ['list', '3'],
    ['list', '-'],
    ['list', '01'],
    ['list', '1e0'],
    ['list', ' 0'],
    ['list', 'length'],
    ['list', '0', '0'],
    ['left'],
    ['made'],
    ['cat', 'mood'],
    ['cat', 'constructor'],
    ['__proto__'],
    ['constructor', 'prototype'],
    ['toString'],
    ['when', 'getTime'],
    ['nothing', 'x'],
    ['absent'],
  ])
    t.equal(valueAt(value, tokens), undefined, tokens.join('/'))
  const throwing = { toJSON: () => JSON.parse('{') as unknown }
  t.equal(valueAt({ throwing }, ['throwing', 'x']), undefined)
  t.equal(valueAt({ deep: { throwing } }, ['deep']), undefined)
  t.equal(valueAt(value, ['long'])?.size, 100)
  t.equal(valueAt(value, ['list'])?.size, '["a",{"b":1},[2]]'.length)
})

test('the value of a pointer shares nothing with the value that it was taken from', async t => {
  const value = Object.freeze({ list: Object.freeze([1]) })
  const taken = valueAt(value, ['list'])?.value as number[]
  taken.push(2)
  t.same(value.list, [1])
})

test('an index is a whole number without zeros in front', async t => {
  t.ok(isIndex('0', 1))
  for (const token of ['1', '00', '-1', '+0', '0.0', '', 'x']) t.notOk(isIndex(token, 1), token)
})

test('references are found in objects and lists, and other objects with $ref are reported', async t => {
  const found: Reference[] = []
  const broken: BrokenReference[] = []
  const input = {
    a: { $ref: 'x#/data' },
    b: [{ c: { $ref: 'y-1#/data/0/~1' } }, 'text', null, { $ref: 'x#/data', d: 1 }],
    e: { $ref: 7 },
    f: { $ref: 'x' },
    g: { $ref: 'x#/problem' },
    h: { $ref: '#/data' },
    ref: { ref: 'x#/data' },
  }
  findReferences(input, found, broken)
  t.same(
    found.map(({ path, id, tokens }) => [path, id, tokens]),
    [
      [['a'], 'x', []],
      [['b', '0', 'c'], 'y-1', ['0', '/']],
      [['h'], '', []],
    ],
  )
  t.equal(found[0]?.object, input.a)
  t.same(
    broken.map(({ path }) => path.join('/')),
    ['b/3', 'e', 'f', 'g'],
  )
})

test('a reference can be a whole input', async t => {
  const found: Reference[] = []
  findReferences({ $ref: 'x#/data' }, found, [])
  t.same(found[0]?.path, [])
  findReferences('x#/data', found, [])
  t.equal(found.length, 1)
})
