import { test } from 'tap'
import { z } from 'zod'
import { writeJson } from '../../../src/core/json/write.ts'
import { bodyReader, readJsonBody } from '../../helpers/read-json-body.ts'

const inexact = '9007199254740993'
const big = 9_007_199_254_740_993n
const refused = {
  code: 'UPSTREAM_SCHEMA',
  message: /one of its values is an integer that a double cannot hold exactly: declare z\.bigint\(\) for it$/,
}
const tooLarge = { code: 'UPSTREAM_SCHEMA', message: /one of its values is a number beyond the largest double/ }
const noInteger = { code: 'UPSTREAM_SCHEMA', message: /one of its values is not an integer/ }

test('z.bigint() and its kin read every integer exactly, as a bigint', async t => {
  for (const schema of [
    z.bigint(),
    z.coerce.bigint(),
    z.int64(),
    z.bigint().positive(),
    z.preprocess(value => value, z.bigint()),
    z.unknown().pipe(z.bigint()),
  ]) {
    const read = bodyReader(schema)
    for (const [text, value] of [
      ['5', 5n],
      [inexact, big],
      ['9007199254740992', 2n ** 53n],
      ['9007199254740994', big + 1n],
      ['1152921504606846976', 2n ** 60n],
      ['1e3', 1000n],
      ['1.0', 1n],
    ] as const) {
      t.equal(read(text), value, text)
    }
    for (const text of ['1.5', '9007199254740993.0', '1e16', '1e22']) t.throws(() => read(text), noInteger, text)
    for (const text of ['1e400', '9'.repeat(400)]) t.throws(() => read(text), tooLarge, text)
    t.throws(() => read('null'), { code: 'UPSTREAM_SCHEMA' })
  }
  t.equal(readJsonBody(z.uint64(), '18446744073709551615'), 18_446_744_073_709_551_615n)
  t.throws(() => readJsonBody(z.uint64(), '18446744073709551616'), { code: 'UPSTREAM_SCHEMA' })
  t.throws(() => readJsonBody(z.int64(), '9223372036854775808'), { code: 'UPSTREAM_SCHEMA' })
  t.throws(() => readJsonBody(z.bigint(), '"5"'), { code: 'UPSTREAM_SCHEMA' })
  t.equal(readJsonBody(z.coerce.bigint(), `"${inexact}"`), big)
})

test('under a number an integer that a double cannot hold is a failure that says so', async t => {
  for (const schema of [
    z.number(),
    z.int(),
    z.int32(),
    z.uint32(),
    z.number().int(),
    z.number().min(0),
    z.coerce.number(),
    z.nullable(z.number()),
    z.number().optional(),
    z.number().default(1),
    z.readonly(z.number()),
    z.number().transform(String),
    z.lazy(() => z.number()),
    z.number().brand('id'),
    z.union([z.number(), z.string()]),
    z.union([z.union([z.boolean(), z.number()]), z.null()]),
  ]) {
    const read = bodyReader(schema)
    t.throws(() => read(inexact), refused, schema._zod.def.type)
    t.throws(() => read(`-${inexact}`), refused)
    t.throws(() => read('1e400'), { code: 'UPSTREAM_SCHEMA' })
    read('5')
  }
  const read = bodyReader(z.number())
  for (const [text, value] of [
    ['9007199254740992', 2 ** 53],
    ['9007199254740994', 2 ** 53 + 2],
    ['1152921504606846976', 2 ** 60],
    ['9007199254740993.0', 2 ** 53],
    ['1e300', 1e300],
    ['0.1234567890123456789', 0.123_456_789_012_345_68],
    ['-0', -0],
  ] as const) {
    t.equal(read(text), value, text)
  }
  t.throws(() => read('1e400'), tooLarge)
  t.throws(() => read('1180591620717411303424'), refused, 'from 1e21 on the digits would not be written again')
  t.equal(read('1000000000000000000000'), 1e21)
  t.throws(
    () => readJsonBody(z.int(), '9007199254740994'),
    { code: 'UPSTREAM_SCHEMA' },
    'zod takes safe integers alone',
  )
})

test('the failure names the place in its cause, and quotes nothing', async t => {
  let thrown: unknown
  try {
    readJsonBody(z.object({ rows: z.array(z.object({ id: z.number() })) }), `{"rows":[{"id":1},{"id":${inexact}}]}`)
  } catch (error) {
    thrown = error
  }
  t.match(thrown, {
    code: 'UPSTREAM_SCHEMA',
    cause: { issues: [{ path: ['rows', 1, 'id'], message: 'is an integer that a double cannot hold exactly' }] },
  })
  t.notMatch(String(thrown), inexact)
})

test('a float takes rounding, and text takes digits', async t => {
  t.equal(readJsonBody(z.float64(), inexact), 2 ** 53)
  t.equal(readJsonBody(z.float32(), '16777217000000001'), 16_777_217_000_000_000)
  t.throws(() => readJsonBody(z.float64(), '1e400'), tooLarge)
  t.equal(readJsonBody(z.coerce.string(), inexact), inexact)
  t.equal(readJsonBody(z.coerce.string(), '1152921504606846976'), '1152921504606846976')
  t.throws(() => readJsonBody(z.coerce.string(), '1e400'), tooLarge)
  t.throws(() => readJsonBody(z.coerce.number(), `"${inexact}"`), refused, 'also where the integer is text')
  t.equal(readJsonBody(z.coerce.number(), '" +9007199254740994 "'), 2 ** 53 + 2)
})

test('an open schema returns a bigint for an integer that a number would write differently', async t => {
  const anything = z.object({ a: z.unknown() })
  for (const schema of [
    z.unknown(),
    z.any(),
    z.json(),
    z.json().describe('Any'),
    z.custom(() => true),
    z.record(z.string(), z.unknown()),
    z.looseObject({}),
    z.object({}).catchall(z.any()),
    z.object({ a: z.array(z.object({ id: z.unknown() })), b: z.unknown() }),
    z.preprocess(value => value, z.unknown()),
    z.unknown().transform(value => value),
    z.looseObject({ b: z.number() }),
    anything.partial().loose(),
    z.union([z.number(), z.unknown()]),
    z.intersection(z.looseObject({}), z.record(z.string(), z.any())),
    z.lazy(() => z.record(z.string(), z.json())),
  ]) {
    const read = bodyReader(schema)
    const text = `{"a":[{"id":${inexact}}],"b":5}`
    t.same(read(text), { a: [{ id: big }], b: 5 }, schema._zod.def.type)
    t.match(writeJson(read(text)), `"a":[{"id":${inexact}}]`)
    t.throws(() => read('{"a":[{"id":1e400}],"b":5}'), { code: 'UPSTREAM_SCHEMA' })
    t.same(read('{"a":[{"id":9007199254740994}],"b":5}'), { a: [{ id: 2 ** 53 + 2 }], b: 5 })
  }
  t.throws(() => readJsonBody(z.unknown(), '[1e400]'), tooLarge)
  const six = (list: z.ZodType, record: z.ZodType) =>
    z.lazy(() => z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(list), z.record(z.string(), record)]))
  t.equal(readJsonBody(z.union([z.json(), z.null()]), '5'), 5)
  const closed = [
    six(z.string(), z.json()),
    six(
      z.lazy(() => z.number()),
      z.json(),
    ),
    z.lazy(() => z.union([z.number(), z.number(), z.boolean(), z.null(), z.array(z.any()), z.any()])),
  ]
  for (const each of closed.slice(0, 2))
    t.throws(() => readJsonBody(each, inexact), refused, 'what only looks like z.json() is not taken for it')
  t.equal(readJsonBody(closed[2] as z.ZodType, inexact), big, 'an option of a union may take anything')
  t.equal(writeJson(readJsonBody(z.unknown(), '[1152921504606846976]')), '[1152921504606846976]')
})

test('fields that are dropped do not matter', async t => {
  for (const schema of [
    z.object({ a: z.number() }),
    z.object({ a: z.number() }).refine(() => true),
    z.union([z.object({ a: z.number() }), z.null()]),
    z.object({ a: z.int().default(1) }),
  ]) {
    t.same(readJsonBody(schema, `{"a":1,"b":${inexact},"c":[1e400]}`), { a: 1 })
    t.same(readJsonBody(schema, `{"b":{"a":${inexact}},"a":1}`), { a: 1 })
  }
})

test('a union takes the first option that holds the value', async t => {
  const cases: readonly (readonly [z.ZodType, string, unknown])[] = [
    [z.union([z.number(), z.bigint()]), inexact, big],
    [z.union([z.number(), z.bigint()]), '5', 5],
    [z.union([z.bigint(), z.number()]), '5', 5n],
    [z.union([z.bigint(), z.number()]), '1.5', 1.5],
    [z.union([z.float64(), z.bigint()]), inexact, 2 ** 53],
    [
      z.union([z.object({ kind: z.literal('a'), id: z.number() }), z.object({ kind: z.literal('b'), id: z.bigint() })]),
      `{"kind":"b","id":${inexact}}`,
      { kind: 'b', id: big },
    ],
    [
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), id: z.number() }),
        z.object({ kind: z.literal('b'), id: z.bigint() }),
      ]),
      '{"kind":"b","id":5}',
      { kind: 'b', id: 5n },
    ],
    [
      z.discriminatedUnion('id', [
        z.object({ id: z.literal(5n) }),
        z.object({ id: z.literal(big) }),
        z.object({ id: z.literal(2 ** 53 + 2) }),
      ]),
      '{"id":5}',
      { id: 5n },
    ],
    [
      z.discriminatedUnion('id', [
        z.object({ id: z.literal(5n) }),
        z.object({ id: z.literal(big) }),
        z.object({ id: z.literal(2 ** 53 + 2) }),
      ]),
      `{"id":${inexact}}`,
      { id: big },
    ],
    [
      z.discriminatedUnion('id', [z.object({ id: z.literal(1) }), z.object({ id: z.literal(2 ** 53 + 2) })]),
      '{"id":9007199254740994}',
      { id: 2 ** 53 + 2 },
    ],
  ]
  for (const [schema, text, value] of cases) t.strictSame(readJsonBody(schema, text), value, text)
})

test('a literal is met in the form in which it was declared', async t => {
  const literal = z.literal([big, 5n, 7, 2 ** 53, 2 ** 60, 'x'])
  for (const [text, value] of [
    [inexact, big],
    ['5', 5n],
    ['7', 7],
    ['9007199254740992', 2 ** 53],
    ['1152921504606846976', 2 ** 60],
    ['"x"', 'x'],
  ] as const)
    t.equal(readJsonBody(literal, text), value, text)
  for (const text of ['9007199254740994', '6', '"5"', '1.5', '9007199254740995'])
    t.throws(() => readJsonBody(literal, text), { code: 'UPSTREAM_SCHEMA' }, text)
  t.throws(() => readJsonBody(z.literal(2 ** 53), inexact), { code: 'UPSTREAM_SCHEMA' }, 'and in no other')
  t.throws(() => readJsonBody(z.enum({ low: 2 ** 53 }), inexact), { code: 'UPSTREAM_SCHEMA' })
})

test('bigints are read within whatever holds them', async t => {
  const id = z.bigint()
  const tree = z.object({
    id,
    get kids() {
      return z.array(tree)
    },
  })
  const cases: readonly (readonly [z.ZodType, string, unknown])[] = [
    [z.tuple([z.string(), id]), `["a",${inexact}]`, ['a', big]],
    [z.tuple([z.string()], id), '["a",1,2]', ['a', 1n, 2n]],
    [z.record(z.string(), id), '{"a":5}', { a: 5n }],
    [z.array(id).max(2), '[1]', [1n]],
    [tree, `{"id":1,"kids":[{"id":${inexact},"kids":[]}]}`, { id: 1n, kids: [{ id: big, kids: [] }] }],
    [
      z.object({
        a: id.optional(),
        b: id.nullable(),
        c: id.default(3n),
        d: id.catch(4n),
        e: id.prefault(5n),
        f: id.optional().nonoptional(),
      }),
      '{"b":null,"d":"x","f":6}',
      { b: null, c: 3n, d: 4n, e: 5n, f: 6n },
    ],
    [
      z.object({ a: id.optional(), b: id.nullable(), c: id.default(3n), d: id.catch(4n) }),
      '{"a":1,"b":2,"c":3,"d":4}',
      { a: 1n, b: 2n, c: 3n, d: 4n },
    ],
    [id.transform(value => value + 1n), inexact, big + 1n],
    [id.pipe(z.bigint().min(1n)), '5', 5n],
    [id.refine(value => value > 1n), '5', 5n],
    [id.readonly(), '5', 5n],
    [z.lazy(() => id), '5', 5n],
    [z.codec(id, z.string(), { decode: String, encode: BigInt }), inexact, inexact],
    [z.codec(z.string(), id, { decode: BigInt, encode: String }), '"5"', 5n],
    [z.strictObject({ id }), '{"id":5}', { id: 5n }],
    [z.object({ id }).and(z.object({ name: z.string() })), '{"id":5,"name":"x"}', { id: 5n, name: 'x' }],
    [z.object({ id }).and(z.record(z.string(), z.unknown())), '{"id":5,"b":5}', { id: 5n, b: 5 }],
    [z.looseObject({ b: z.number() }).and(z.object({ id })), '{"id":9007199254740994,"b":5}', { id: big + 1n, b: 5 }],
    [
      z.looseObject({ list: z.tuple([id]) }).and(z.looseObject({ n: z.null() })),
      '{"list":[5],"n":null}',
      { list: [5n], n: null },
    ],
    [z.looseObject({}).and(z.object({ id, b: id, c: id })), '{"id":5,"b":6,"c":7}', { id: 5n, b: 6n, c: 7n }],
    [z.object({ id, b: id }).and(z.looseObject({})), '{"id":5,"b":6}', { id: 5n, b: 6n }],
    [z.object({ id: z.float64() }).and(z.looseObject({})), `{"id":${inexact}}`, { id: 2 ** 53 }],
    [z.unknown().and(z.looseObject({ id })), '{"id":5}', { id: 5n }],
    [z.stringbool(), '"yes"', true],
    [z.object({ id, at: z.number().default(() => 7) }), '{"id":1}', { id: 1n, at: 7 }],
  ]
  for (const [schema, text, value] of cases)
    t.strictSame(readJsonBody(schema, text), value, `${schema._zod.def.type} ${text}`)
  t.throws(() => readJsonBody(z.bigint().and(z.literal(6)), '5'), Error, 'what does not agree does not fit')
  t.throws(
    () =>
      readJsonBody(z.looseObject({ a: z.bigint() }).and(z.object({ a: z.preprocess(() => 6, z.number()) })), '{"a":5}'),
    Error,
  )
  t.throws(
    () =>
      readJsonBody(z.object({ a: z.preprocess(() => 6, z.number()) }).and(z.looseObject({ a: z.bigint() })), '{"a":5}'),
    Error,
  )
  for (const schema of [z.map(z.string(), z.number()), z.set(z.number()), z.nan(), z.date(), z.never()])
    t.throws(() => readJsonBody(schema, `[${inexact}]`), { code: 'UPSTREAM_SCHEMA' })
})

test('a default that is made is made for each value', async t => {
  let made = 0
  const read = bodyReader(z.object({ id: z.bigint(), at: z.number().default(() => ++made) }))
  read('{"id":1}')
  const { at } = read('{"id":1}') as { readonly at: number }
  t.match(read(`{"id":${inexact}}`), { id: big, at: made })
  t.ok(made > at)
})

test('a preprocess sees integers exactly, before a schema that rounds none', async t => {
  const seen: unknown[] = []
  const note = (value: unknown) => {
    seen.push(value)
    return value
  }
  t.throws(() => readJsonBody(z.preprocess(note, z.number()), inexact), { code: 'UPSTREAM_SCHEMA' })
  t.equal(readJsonBody(z.preprocess(note, z.number()), '9007199254740994'), 2 ** 53 + 2)
  t.strictSame(seen, [big, 2 ** 53 + 2])
})

test('a string is not parsed as JSON, and its coercion to a number does not round', async t => {
  t.same(readJsonBody(z.object({ id: z.string() }), `{"id":"${inexact}"}`), { id: inexact })
  t.throws(() => readJsonBody(z.object({ id: z.coerce.number() }), `{"id":"${inexact}"}`), refused)
})

test('a list that has no text is refused under a coerced number', async t => {
  for (const text of [
    '[{"toString":1,"valueOf":1}]',
    '[[{"toString":null}]]',
    `${'['.repeat(50_000)}1${']'.repeat(50_000)}`,
  ])
    t.throws(() => readJsonBody(z.coerce.number(), text), { code: 'UPSTREAM_SCHEMA' })
  t.throws(() => readJsonBody(z.coerce.number(), `["${inexact}"]`), refused)
  t.throws(() => readJsonBody(z.coerce.number(), `"${'1'.repeat(400)}"`), tooLarge)
  t.equal(readJsonBody(z.coerce.number(), '["5"]'), 5)
})
