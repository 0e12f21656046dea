import fc from 'fast-check'
import { test } from 'tap'
import { appendPairs, writeQuery } from '../../../src/upstream/call/query.ts'

const write = (query: Record<string, unknown>) => writeQuery(query, 'cats.ask')

test('a query is written in its own order, encoded, with its question mark', t => {
  t.equal(write({ b: 'x y', a: 'ü&=?#+' }), '?b=x%20y&a=%C3%BC%26%3D%3F%23%2B')
  t.equal(write({ 'a b&': 1 }), '?a%20b%26=1')
  t.equal(
    write({ n: 1.5, t: true, f: false, big: 12345678901234567890n, zero: 0, empty: '' }),
    '?n=1.5&t=true&f=false&big=12345678901234567890&zero=0&empty=',
  )
  t.equal(write({ at: new Date(0) }), '?at=1970-01-01T00%3A00%3A00.000Z')
  t.end()
})

test('null, undefined and empty lists are omitted, and a query without values is empty', t => {
  t.equal(write({ a: undefined, b: null, c: 'x' }), '?c=x')
  t.equal(write({ a: undefined, b: null, c: [] }), '')
  t.equal(write({}), '')
  t.end()
})

test('a list repeats its name', t => {
  t.equal(write({ id: ['a', 2, true], x: 1 }), '?id=a&id=2&id=true&x=1')
  t.end()
})

test('a list is appended to a query, and a list with a value that has no text is not', t => {
  t.equal(appendPairs('?a=1', 'id', ['x', 2]), '?a=1&id=x&id=2')
  t.equal(appendPairs('', 'id', [null, 2]), '?id=2')
  t.equal(appendPairs('?a=1', 'id', ['x', {}, 2]), undefined)
  t.end()
})

test('half of a surrogate pair is written as the replacement character', t => {
  const mark = encodeURIComponent('\ufffd')
  t.equal(write({ a: 'x\ud800', 'b\udc00': 'y' }), `?a=x${mark}&b${mark}=y`)
  t.end()
})

test('a value that a query cannot represent throws an error that names the operation and the field', t => {
  for (const value of [{}, Number.NaN, Infinity, new Date(Number.NaN), [[1]], [{ a: 1 }], () => {}, Symbol.iterator]) {
    t.throws(() => write({ filter: value }), {
      name: 'TypeError',
      message:
        /cats\.ask: .*'filter' must be a string, a number, a boolean or a date: transform it in the operation's query schema/,
    })
  }
  t.end()
})

test('a reserved name is refused where something is written for it', t => {
  const isReserved = (name: string) => name === 'key'
  t.throws(() => writeQuery({ q: 'x', key: 'theirs' }, 'cats.ask', isReserved), {
    name: 'UpstreamError',
    code: 'CALL_INPUT_INVALID',
    statusCode: 400,
    message: /its query has a field that belongs to the upstream's auth/,
  })
  t.throws(() => writeQuery({ key: '' }, 'cats.ask', isReserved), { code: 'CALL_INPUT_INVALID' })
  t.throws(() => writeQuery({ key: [null, 'a'] }, 'cats.ask', isReserved), { code: 'CALL_INPUT_INVALID' })
  t.equal(writeQuery({ q: 'x', key: undefined }, 'cats.ask', isReserved), '?q=x')
  t.equal(writeQuery({ q: 'x', key: [] }, 'cats.ask', isReserved), '?q=x')
  t.end()
})

test('a query that was written is read back equal, for any names and values', t => {
  const values = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string(), { minLength: 1 }))
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), values), query => {
      const read = [...new URL(`http://cats.example/${write(query)}`).searchParams]
      const given = Object.entries(query).flatMap(([name, value]) =>
        [value].flat().map(each => [name.toWellFormed(), each.toWellFormed()]),
      )
      return JSON.stringify(read) === JSON.stringify(given)
    }),
    { numRuns: 100 },
  )
  t.end()
})
