import { test } from 'tap'
import { z } from 'zod'
import { equalOptions } from '../../../src/upstream/spec/equal-options.ts'
import { Secret } from '../../../src/upstream/spec/secret.ts'

const schema = z.string()
const compute = () => 1

const equal: readonly (readonly [what: string, one: unknown, other: unknown])[] = [
  ['primitive values', 1, 1],
  ['NaN', Number.NaN, Number.NaN],
  ['objects and lists', { a: [1, { b: null }] }, { a: [1, { b: null }] }],
  [
    'objects without a prototype',
    Object.assign(Object.create(null), { a: 1 }),
    Object.assign(Object.create(null), { a: 1 }),
  ],
  ['references to one variable', new Secret('KEY'), new Secret('KEY')],
  ['the same schema and the same function', { schema, compute }, { schema, compute }],
]

const unequal: readonly (readonly [what: string, one: unknown, other: unknown])[] = [
  ['a number and its text', 1, '1'],
  ['an object and null', {}, null],
  ['null and an object', null, {}],
  ['an object and a function', {}, compute],
  ['a function and an object', compute, {}],
  ['a list and an object', [], {}],
  ['another value', { a: 1 }, { a: 2 }],
  ['one more field', { a: 1 }, { a: 1, b: undefined }],
  ['another field', { a: undefined }, { b: undefined }],
  ['references to two variables', new Secret('KEY'), new Secret('OTHER')],
  ['two schemas that accept the same', z.string(), z.string()],
  ['two instances', new Date(0), new Date(0)],
]

test('options are compared by their content, and functions, schemas and instances by identity', async t => {
  for (const [what, one, other] of equal) t.equal(equalOptions(one, other), true, what)
  for (const [what, one, other] of unequal) t.equal(equalOptions(one, other), false, what)
})
