import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { textSchema } from '../../../src/core/schema/text-schema.ts'

/** What a schema makes of a query: its value, or that it refuses it. */
function read(schema: z.ZodType, query: unknown): unknown {
  const { success, data } = textSchema(schema).safeParse(query)
  return success ? data : 'refused'
}

const one = (schema: z.ZodType, value: unknown) =>
  read(z.object({ a: schema }), value === undefined ? {} : { a: value })
const valueOf = (read: unknown) => (read as { readonly a?: unknown }).a

test('a coercion takes a text that writes such a value, and no other', t => {
  const moment = '2024-05-01T10:00:00.000Z'
  const table: readonly (readonly [
    schema: z.ZodType,
    taken: Readonly<Record<string, unknown>>,
    refused: readonly unknown[],
  ])[] = [
    [
      z.coerce.number(),
      { 0: 0, '-1.5': -1.5, '1e3': 1000, '007': 7, '9007199254740992': 2 ** 53 },
      [
        '',
        ' ',
        '\t\n',
        ' 5 ',
        '0x10',
        '0b1',
        'Infinity',
        'NaN',
        '+1',
        '.5',
        '5.',
        '1_000',
        '9007199254740993',
        '1e999',
        ['5'],
        ['1', '2'],
        [],
        undefined,
      ],
    ],
    [z.coerce.number().int().max(5), { 5: 5 }, ['', '6', '1.5']],
    [
      z.coerce.bigint(),
      { 0: 0n, '-7': -7n, '9007199254740993': 9007199254740993n },
      ['', ' ', ' 5 ', '0x10', '1e3', '1.5', 'a', ['5'], undefined],
    ],
    [
      z.coerce.date(),
      {
        [moment]: new Date(moment),
        '2024-05-01': new Date('2024-05-01'),
        2024: new Date('2024'),
        'Wed, 01 May 2024 10:00:00 GMT': new Date(moment),
        'Wednesday, 01-May-24 10:00:00 GMT': new Date(moment),
        'Wed May  1 10:00:00 2024': new Date(moment),
      },
      [
        'Wed, 31 Feb 2024 10:00:00 GMT',
        'Wed, 01 May 2024 24:00:00 GMT',
        'Xyz, 01 May 2024 10:00:00 GMT',
        '',
        ' ',
        '5',
        '1e3',
        'yesterday',
        '2024-02-31',
        '2024-02-30T00:00:00Z',
        '2024-13-01',
        ['2024-05-01'],
        undefined,
      ],
    ],
    [z.coerce.string(), { '': '', ' ': ' ', 5: '5' }, [['a'], ['a', 'b'], undefined]],
    [z.stringbool(), { true: true, false: false, 0: false, on: true }, ['', ' ', 'maybe', undefined]],
  ]
  for (const [schema, taken, refused] of table) {
    for (const [text, value] of Object.entries(taken))
      t.strictSame(one(schema, text), { a: value }, `${schema.type} of ${JSON.stringify(text)}`)
    for (const value of refused) t.equal(one(schema, value), 'refused', `${schema.type} of ${JSON.stringify(value)}`)
  }
  t.end()
})

test('values that are typed already, as fanOut may be given them, stay what they are', t => {
  t.strictSame(one(z.coerce.number(), 5), { a: 5 })
  t.strictSame(one(z.coerce.bigint(), 5), { a: 5n })
  t.strictSame(one(z.coerce.bigint(), 5n), { a: 5n })
  t.strictSame(one(z.coerce.date(), 0), { a: new Date(0) })
  t.strictSame(one(z.coerce.date(), new Date(0)), { a: new Date(0) })
  for (const value of [5, 5n, true]) t.strictSame(one(z.coerce.string(), value), { a: String(value) })
  t.end()
})

test('a reason says what is wrong', t => {
  const reason = (schema: z.ZodType, a: unknown) =>
    textSchema(z.object({ a: schema })).safeParse({ a }).error?.issues[0]?.message
  t.equal(reason(z.coerce.number(), '9007199254740993'), 'is an integer that a double cannot hold exactly')
  t.equal(reason(z.coerce.bigint(), '1.5'), 'must be a whole number')
  t.equal(reason(z.coerce.number('how many?'), ''), 'how many?', "the author's own stays")
  t.match(reason(z.coerce.number(), undefined), /received undefined/)
  t.end()
})

/** Wrappers that let the value through, whatever it is. */
const wrappers: readonly ((schema: z.ZodType) => z.ZodType)[] = [
  schema => schema.optional(),
  schema => schema.nullable(),
  schema => schema.nonoptional(),
  schema => schema.readonly(),
  schema => schema.brand<'b'>(),
  schema => schema.refine(() => true),
  schema => schema.describe('described'),
  schema => schema.transform(value => value),
  schema => schema.pipe(z.unknown()),
  schema => z.unknown().pipe(schema),
  schema => z.preprocess(value => value, schema),
  schema => z.codec(schema, z.unknown(), { decode: value => value, encode: value => value }),
  schema => z.lazy(() => schema),
  schema => z.union([schema, z.never()]),
  schema => z.union([z.literal('\0'), schema]),
  schema => z.intersection(schema, schema),
]

/** Wrappers that give a value of their own where there is none, or where it is refused. */
const replacing: readonly ((schema: z.ZodType) => z.ZodType)[] = [
  schema => schema.default('of the default'),
  schema => schema.prefault('\0'),
  schema => schema.catch('of the catch'),
]

const leaves: readonly z.ZodType[] = [
  z.coerce.number(),
  z.coerce.number().int().min(0),
  z.coerce.bigint(),
  z.coerce.date(),
  z.coerce.string(),
  z.string(),
  z.stringbool(),
  z.enum(['a', '5']),
  z.array(z.coerce.number()),
  z.array(z.string()),
  z.tuple([z.coerce.number()], z.coerce.number()),
]
const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\t',
    '0',
    '5',
    ' 5',
    '1e3',
    '0x10',
    '1.5',
    '-0',
    'a',
    'true',
    'false',
    'null',
    'undefined',
    'NaN',
    'Infinity',
    '2024-05-01',
    '2024-02-31',
    '9007199254740993',
    '[]',
  ),
  fc.string({ maxLength: 4 }),
  fc.integer().map(String),
  fc.double().map(String),
  fc.bigInt().map(String),
)
const value = fc.oneof(text, fc.array(text, { maxLength: 3 }))

/** Wrappers of the whole part. */
const around: readonly ((schema: z.ZodObject) => z.ZodType)[] = [
  schema => schema,
  schema => schema.strict(),
  schema => schema.loose(),
  schema => schema.catchall(z.unknown()),
  schema => schema.transform(fields => fields),
  schema => schema.pipe(z.any()),
  schema => z.record(z.string(), z.unknown()).pipe(schema),
  schema => schema.refine(() => true),
  schema => schema.optional(),
  schema => schema.readonly(),
  schema => z.preprocess(fields => fields, schema),
  schema => z.lazy(() => schema),
  schema => z.union([schema, z.object({ other: z.string() })]),
  schema => z.intersection(schema, z.object({ other: z.string().optional() })),
  schema => z.intersection(schema, schema),
  schema => z.record(z.string(), schema.shape['a'] as z.ZodType),
]

test('a leaf reads every text in the same way behind any wrappers', t => {
  fc.assert(
    fc.property(
      fc.constantFrom(...leaves),
      fc.array(fc.constantFrom(...wrappers), { maxLength: 5 }),
      fc.constantFrom(...around),
      value,
      (leaf, inner, outer, given) => {
        const bare = one(leaf, given)
        const wrapped = read(outer(z.object({ a: inner.reduce((schema, wrap) => wrap(schema), leaf) })), { a: given })
        return isDeepStrictEqual(wrapped, bare)
      },
    ),
    { numRuns: 2000 },
  )
  t.end()
})

test('a default and a catch stand where the bare leaf has nothing or refuses', t => {
  fc.assert(
    fc.property(fc.constantFrom(...leaves), fc.constantFrom(...replacing), value, (leaf, wrap, given) => {
      const bare = one(leaf, given)
      const wrapped = one(wrap(leaf), given)
      return isDeepStrictEqual(
        wrapped,
        bare === 'refused' && wrap(leaf).type === 'catch' ? { a: 'of the catch' } : bare,
      )
    }),
    { numRuns: 500 },
  )
  t.end()
})

test('an item of a list is read as a value alone is, and one value is a list of one', t => {
  fc.assert(
    fc.property(
      fc.constantFrom(...leaves.slice(0, 8)),
      fc.array(fc.constantFrom(...wrappers), { maxLength: 3 }),
      fc.array(text, { minLength: 1, maxLength: 3 }),
      (leaf, inner, texts) => {
        const item = inner.reduce((schema, wrap) => wrap(schema), leaf)
        const bare = texts.map(each => one(leaf, each))
        const wanted = bare.includes('refused') ? 'refused' : { a: bare.map(valueOf) }
        const lists = [z.array(item), z.array(item).optional(), z.tuple([item], item)].map(list => one(list, texts))
        const alone = texts.length === 1 ? [one(z.array(item), texts[0])] : []
        return [...lists, ...alone].every(list => isDeepStrictEqual(list, wanted))
      },
    ),
    { numRuns: 500 },
  )
  t.end()
})

test('the options of a union read for themselves, and the first that matches is taken', t => {
  t.strictSame(one(z.union([z.coerce.number(), z.string()]), '5'), { a: 5 })
  t.strictSame(one(z.union([z.coerce.number(), z.string()]), ''), { a: '' })
  t.strictSame(one(z.union([z.array(z.string()), z.string()]), 'a'), { a: ['a'] })
  t.strictSame(one(z.union([z.string(), z.array(z.string())]), 'a'), { a: 'a' })
  const kinds = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), ids: z.array(z.coerce.number()) }),
    z.object({ kind: z.literal('b'), ids: z.string() }),
  ])
  t.strictSame(read(kinds, { kind: 'a', ids: '5' }), { kind: 'a', ids: [5] })
  t.equal(read(kinds, { kind: 'a', ids: '' }), 'refused')
  t.strictSame(read(kinds, { kind: 'b', ids: '' }), { kind: 'b', ids: '' })
  t.end()
})

test('both sides of an intersection see the same list of one', t => {
  t.strictSame(one(z.array(z.string()).and(z.unknown()), 'a'), { a: ['a'] })
  const ids = z.looseObject({ ids: z.array(z.string()) })
  for (const other of [
    z.lazy(() => z.unknown()),
    z.union([z.object({ none: z.string() }), z.unknown()]),
    z.looseObject({ other: z.string().optional() }),
    z.record(z.string(), z.unknown()),
    z.unknown(),
    z.unknown().and(z.looseObject({})),
  ]) {
    t.strictSame(read(z.intersection(ids, other), { ids: 'a', more: 'b' }), { ids: ['a'], more: 'b' })
    t.strictSame(read(z.intersection(other, ids.optional()), { ids: ['a', 'b'] }), { ids: ['a', 'b'] })
    t.equal(read(z.intersection(ids, other), {}), 'refused')
  }
  t.equal(read(z.intersection(ids, z.unknown()), null), 'refused')
  t.end()
})

test('the text that a function returns is read by the rules of text, and an object by its own schema', t => {
  const split = (given: unknown) => (typeof given === 'string' ? given.split(',') : given)
  t.strictSame(one(z.preprocess(split, z.array(z.coerce.number())), '1,2'), { a: [1, 2] })
  t.equal(one(z.preprocess(split, z.array(z.coerce.number())), '1,,2'), 'refused')
  t.strictSame(
    one(
      z.preprocess(given => new Set(split(given) as string[]), z.set(z.coerce.number())),
      '1,2',
    ),
    { a: new Set([1, 2]) },
  )
  t.equal(
    one(
      z.preprocess(given => new Set(split(given) as string[]), z.set(z.coerce.number())),
      '1,',
    ),
    'refused',
  )
  t.strictSame(
    one(
      z.preprocess(given => [split(given)], z.array(z.array(z.coerce.number()))),
      '1,2',
    ),
    { a: [[1, 2]] },
  )
  t.equal(
    one(
      z.preprocess(given => [given], z.array(z.array(z.coerce.number()))),
      '1',
    ),
    'refused',
    'a list inside a list is not made',
  )
  t.strictSame(
    one(
      z
        .string()
        .transform(given => given.trim())
        .pipe(z.coerce.number()),
      ' 5 ',
    ),
    { a: 5 },
  )
  t.equal(
    one(
      z
        .string()
        .transform(given => given.trim())
        .pipe(z.coerce.number()),
      ' ',
    ),
    'refused',
  )
  t.strictSame(
    one(
      z.preprocess(given => (given === '' ? undefined : given), z.coerce.number().optional()),
      '',
    ),
    { a: undefined },
  )
  const parsed = z
    .string()
    .transform(given => JSON.parse(given) as unknown)
    .pipe(z.object({ n: z.coerce.number(), list: z.array(z.string()) }))
  t.strictSame(one(parsed, '{"n":"0x10","list":["a"]}'), { a: { n: 16, list: ['a'] } })
  t.equal(one(parsed, '{"n":"1","list":"a"}'), 'refused')
  t.end()
})

test('a default that is made each time is still made each time', t => {
  let made = 0
  const schema = textSchema(z.object({ a: z.coerce.number().default(() => made++), b: z.coerce.number() }))
  const before = made
  for (let run = 0; run < 3; run++) schema.parse({ b: '1' })
  t.equal(made - before, 3)
  t.end()
})

test('a schema with nothing to change stays the same, and one that is changed is changed once', t => {
  const texts = z.object({
    a: z.string().optional(),
    b: z.enum(['x']),
    c: z.stringbool(),
    d: z.union([z.string(), z.unknown()]),
  })
  t.equal(textSchema(texts), texts)
  const numbers = z.object({ a: z.coerce.number() })
  t.not(textSchema(numbers), numbers)
  t.equal(textSchema(numbers), textSchema(numbers))
  t.equal(numbers.parse({ a: '' }).a, 0, 'and the given schema stays what it was')
  t.end()
})

test('a schema that holds itself is read', t => {
  const list: z.ZodType = z.lazy(() => z.union([z.coerce.number(), list.optional()]))
  t.strictSame(one(list, '5'), { a: 5 })
  t.end()
})
