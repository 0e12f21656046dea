import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import { z } from 'zod'
import { droppedIn, hasUnknownOutput } from '../../../src/core/schema/dropped.ts'

interface Node {
  readonly next?: Node | undefined
}
const node: z.ZodType<Node> = z.lazy(() => z.object({ next: node.optional() }))

test('a schema has an output that is not known where a function makes it or anything may be in it', async t => {
  for (const [name, schema] of Object.entries({
    any: z.any(),
    unknown: z.unknown(),
    custom: z.instanceof(URL),
    transform: z.string().transform(text => new Set(text)),
    'loose object': z.looseObject({}),
    'a field': z.object({ a: z.object({ b: z.unknown().optional() }) }),
    list: z.array(z.any()),
    record: z.record(z.string(), z.any()),
    union: z.union([z.string(), z.any()]),
    lazy: z.lazy(() => z.any()),
    'a lazy one that is not there yet': z.lazy(() => {
      throw new ReferenceError('not there yet')
    }),
  }))
    t.equal(hasUnknownOutput(schema), true, name)
  for (const [name, schema] of Object.entries({
    string: z.string(),
    object: z.object({ a: z.number().optional(), b: z.array(z.date()) }),
    'strict object': z.strictObject({ a: z.string().default('a') }),
    recursive: node,
    'any JSON': z.json(),
  }))
    t.equal(hasUnknownOutput(schema), false, name)
})

test('each value that JSON drops is found, with its place', async t => {
  for (const [value, kind] of [
    [new Map([['a', 1]]), 'a Map'],
    [new Set([1]), 'a Set'],
    [runInNewContext('new Map()'), 'a Map'],
    [runInNewContext('new Set()'), 'a Set'],
    [Symbol('a'), 'a symbol'],
    [() => 1, 'a function'],
    [class {}, 'a function'],
    [Promise.resolve(), 'a promise'],
    [new Blob(['a']), 'a file'],
    [new File(['a'], 'a'), 'a file'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
  ] as const) {
    t.match(droppedIn(value), { pointer: '', kind })
    t.match(droppedIn({ a: 1, tags: ['x', value] }), { pointer: '/tags/1', kind })
    t.match(droppedIn(Object.assign(Object.create(null), { a: { b: value } })), { pointer: '/a/b', kind })
  }
})

test('a value of JSON, and one with a toJSON, is not dropped', async t => {
  class Pairs extends Map {
    toJSON = () => [...this]
  }
  for (const value of [
    null,
    undefined,
    'a',
    0,
    1n,
    true,
    new Date(0),
    new URL('http://a.test'),
    new Pairs(),
    Object.assign(() => 1, { toJSON: () => 'a' }),
    { a: undefined, b: [null, new Date(0)], c: new Pairs() },
  ])
    t.equal(droppedIn(value), undefined)
})
