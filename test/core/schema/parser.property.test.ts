import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { compileParser, INVALID, compileWireParser } from '../../../src/core/schema/parser.ts'

const names = ['a', 'b', 'c', 'toString']

/** Schemas of many kinds, those that are zod's to read among them. */
const schemas: fc.Arbitrary<z.ZodType> = fc.letrec<{ schema: z.ZodType }>(tie => ({
  schema: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<z.ZodType>(
      z.string(),
      z.string().min(2),
      z.string().trim(),
      z.email(),
      z.number(),
      z.int(),
      z.number().int(),
      z.number().min(1),
      z.number().gt(0).lte(1.5),
      z.number().gte(-1).lt(7).max(1),
      z.int().min(0).max(5),
      z.number().min(1, { when: () => false } as never),
      z.number().multipleOf(2),
      z.string().min(1).max(2),
      z.string().length(2),
      z.string().max(1, { when: () => false } as never),
      z.string().regex(/^a/g).min(2),
      z.coerce.number(),
      z.boolean(),
      z.null(),
      z.undefined(),
      z.any(),
      z.unknown(),
      z.literal(['a', 1, null]),
      z.enum(['a', 'b']),
      z.string().default('d'),
      z.number().catch(7),
      z.string().transform(text => text.length),
      z.record(z.string(), z.number()),
      z.record(z.enum(['a', 'b']), z.number()),
      z.json(),
      z.tuple([z.string(), z.number()]),
      z.never(),
      z.date(),
    ),
    tie('schema').map(inner => inner.optional()),
    tie('schema').map(inner => inner.nullable()),
    tie('schema').map(inner => inner.readonly()),
    tie('schema').map(inner => z.array(inner)),
    tie('schema').map(inner => z.record(z.string(), inner)),
    tie('schema').map(inner => z.array(inner).max(2)),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map(options => z.union(options as [z.ZodType])),
    fc
      .record({
        shape: fc.dictionary(fc.constantFrom(...names), tie('schema'), { noNullPrototype: true }),
        rest: fc.nat(4),
      })
      .map(
        ({ shape, rest }) =>
          [
            z.object(shape),
            z.strictObject(shape),
            z.looseObject(shape),
            z.object(shape).refine(() => true),
            z.object(shape).catchall(z.number()),
          ][rest] as z.ZodType,
      ),
  ),
})).schema

class Odd {
  a = 1
  get b() {
    return 'b'
  }
}

const values: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<unknown>(
      '',
      'a',
      ' b ',
      'ab',
      '7',
      'a@b.cd',
      '\u{1f431}',
      '\u{1f431}\u{1f431}',
      0,
      1,
      1.5,
      -0,
      Number.NaN,
      Infinity,
      true,
      null,
      undefined,
      7n,
      new Date(0),
      new Odd(),
      () => 1,
      2 ** 60,
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names, 'd', '__proto__'), tie('value')),
  ),
})).value

function byZod(schema: z.ZodType, value: unknown): unknown {
  const { success, data } = schema.safeParse(value)
  return success ? data : INVALID
}

test('a reader gives what zod gives, and refuses what zod refuses', t => {
  let fits = 0
  fc.assert(
    fc.property(schemas, values, (schema, value) => {
      const expected = byZod(schema, value)
      const read = compileParser(schema)(value)
      if (expected !== INVALID) fits++
      if (!isDeepStrictEqual(plain(read), plain(expected)) || written(read) !== written(expected))
        throw new Error(`zod gives ${String(expected)}`)
    }),
    { numRuns: 20_000 },
  )
  t.ok(fits > 1000, `${fits} of 20,000 fitted`)
  t.end()
})

test('a value of a schema is given as it is, by the same reader each time', t => {
  const schema = z.object({
    id: z.int(),
    name: z.string().nullable(),
    tags: z.array(z.enum(['a', 'b'])),
    more: z.object({ on: z.boolean() }).optional(),
  })
  const value = { id: 1, name: null, tags: ['a'], more: { on: true } }
  t.equal(compileParser(schema)(value), value)
  t.equal(compileParser(schema), compileParser(schema))
  const more = { ...value, secret: 'x' }
  t.strictSame(compileParser(schema)(more), value, 'what it does not name is left out')
  t.equal(more.secret, 'x', 'and nothing is taken from the value itself')
  t.end()
})

test('a bigint is one already where the value is not JSON', t => {
  t.equal(compileParser(z.bigint())(5n), 5n)
  t.equal(compileParser(z.bigint())(5), INVALID)
  t.end()
})

test('a reader of JSON refuses what may not be the number of the text, and gives all else as the other reader does', t => {
  fc.assert(
    fc.property(schemas, fc.json(), (schema, text) => {
      const value: unknown = JSON.parse(text)
      const read = compileWireParser(schema)(value)
      if (read !== INVALID && !isDeepStrictEqual(plain(read), plain(compileParser(schema)(value))))
        throw new Error(`${String(read)}`)
    }),
    { numRuns: 500 },
  )
  for (const number of [2 ** 53, -(2 ** 53), 2 ** 60, Infinity]) {
    for (const schema of [
      z.number(),
      z.unknown(),
      z.object({ a: z.number() }),
      z.looseObject({ b: z.string() }),
      z.union([z.number(), z.string()]),
      z.literal(number),
    ]) {
      t.equal(compileWireParser(z.array(schema))([number]), INVALID)
      t.equal(compileWireParser(z.object({ in: schema }))({ in: { a: number, b: 'c', d: number } }), INVALID)
    }
  }
  const dropped = { a: 1, b: 2 ** 60 }
  t.strictSame(compileWireParser(z.object({ a: z.number() }))(dropped), { a: 1 })
  t.end()
})

test('a schema that returns a promise is refused, and the rejection of the promise is handled', async t => {
  const parse = compileParser(z.promise(z.string()))
  t.throws(() => parse(Promise.reject(new Error('late'))), { message: /Promise/ })
})

test('a schema that holds itself is read to the bottom', t => {
  const tree = z.object({
    name: z.string(),
    get children() {
      return z.array(tree)
    },
  })
  const value = { name: 'a', children: [{ name: 'b', children: [] }] }
  t.equal(compileParser(tree)(value), value)
  t.equal(compileParser(tree)({ name: 'a', children: [{ name: 'b', children: [{ name: 1, children: [] }] }] }), INVALID)
  t.end()
})

test('a process that allows no code from text leaves objects to zod', t => {
  const { Function: own } = globalThis
  t.teardown(() => {
    globalThis.Function = own
    z.config({ jitless: false })
  })
  z.config({ jitless: true })
  globalThis.Function = function refuse() {
    throw new EvalError('Code generation from strings disallowed for this context')
  } as unknown as typeof own
  const read = compileParser(z.object({ a: z.string() }))
  t.strictSame(read({ a: 'b', c: 1 }), { a: 'b' })
  t.equal(read({ a: 1 }), INVALID)
  t.end()
})

test('fields come in the order of the schema', t => {
  const read = compileParser(z.object({ a: z.string(), b: z.string().optional(), c: z.string() }))
  t.equal(JSON.stringify(read({ c: 'z', a: 'x' })), '{"a":"x","c":"z"}')
  const inOrder = { a: 'x', c: 'z' }
  t.equal(read(inOrder), inOrder)
  t.end()
})

test('a value with a key __proto__ gets none', t => {
  const read = compileParser(z.object({ a: z.string() }))(JSON.parse('{"a":"b","__proto__":{"c":1}}'))
  t.strictSame(Object.getOwnPropertyNames(read), ['a'])
  t.end()
})

/** With the order of fields. */
function written(value: unknown): string {
  return typeof value === 'symbol'
    ? 'unfit'
    : JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? 'bigint' : inner))
}

/** Without what zod's copies lose or gain and JSON does not show: the prototype of none, and the order of keys. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Odd) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, plain(inner)]),
  )
}

test('a record of JSON is read up to its first wrong field, and copied where a field is another value', t => {
  const schema = z.record(z.string(), z.object({ a: z.string() }))
  const value = JSON.parse('{"x":{"a":"1"},"y":{"a":"2","b":3}}') as object
  t.strictSame(compileWireParser(schema)(value), { x: { a: '1' }, y: { a: '2' } })
  t.strictSame(value, { x: { a: '1' }, y: { a: '2', b: 3 } }, 'the value itself stays as it is')
  t.equal(compileWireParser(schema)({ x: { a: 1 } }), INVALID)
  for (const text of [
    'null',
    '[]',
    '1',
    '{"x":1}',
    '{"__proto__":{"a":"1"}}',
    '{"constructor":{"a":"1"}}',
    '{"constructor":1}',
  ]) {
    const each: unknown = JSON.parse(text)
    t.ok(isDeepStrictEqual(compileWireParser(schema)(each), byZod(schema, each)), text)
  }
  t.end()
})
