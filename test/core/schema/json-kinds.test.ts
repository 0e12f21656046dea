import { test } from 'tap'
import { z } from 'zod'
import { schemasAt, type Side } from '../../../src/core/schema/at-pointer.ts'
import { kindsOf } from '../../../src/core/schema/json-kinds.ts'

/** The kinds at a place as a text; `open` if it may hold anything, `nothing` if there is no such place. */
function kindsAt(schema: z.ZodType, side: Side, ...tokens: string[]): string {
  const schemas = schemasAt(schema, side, tokens)
  if (schemas.length === 0) return 'nothing'
  const kinds = kindsOf(schemas, side)
  return kinds === undefined ? 'open' : [...kinds].sort().join(' ')
}

test('the kinds of JSON of a schema are those of its type, on both sides', async t => {
  for (const [schema, kinds] of [
    [z.string(), 'string'],
    [z.templateLiteral(['a', z.int()]), 'string'],
    [z.number(), 'number'],
    [z.bigint(), 'number'],
    [z.boolean(), 'boolean'],
    [z.null(), 'null'],
    [z.object({}), 'object'],
    [z.record(z.string(), z.number()), 'object'],
    [z.array(z.string()), 'array'],
    [z.tuple([z.string()]), 'array'],
    [z.enum(['a', 'b']), 'string'],
    [z.literal(['a', 1, null, true, 3n]), 'boolean null number string'],
    [z.never(), ''],
    [z.literal(undefined), ''],
    [z.string().optional().nullable(), 'null string'],
    [z.string().readonly(), 'string'],
    [z.number().default(1), 'number'],
    [z.union([z.string(), z.array(z.number())]), 'array string'],
    [z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })), 'object'],
    [z.lazy(() => z.string()), 'string'],
    [z.string().catch('x'), 'open'],
    [z.unknown(), 'open'],
    [z.any(), 'open'],
    [z.custom(() => true), 'open'],
    [z.date(), 'open'],
    [z.map(z.string(), z.string()), 'open'],
    [z.json(), 'array boolean null number object string'],
  ] as const) {
    t.equal(kindsAt(schema, 'input'), kinds, `${schema.type} as an input`)
    t.equal(kindsAt(schema, 'output'), kinds, `${schema.type} as an output`)
  }
})

test('a schema that converts has other kinds on its two sides', async t => {
  for (const [schema, input, output] of [
    [z.coerce.number(), 'open', 'number'],
    [z.string().transform(Number), 'string', 'open'],
    [z.string().transform(Number).pipe(z.number()), 'string', 'number'],
    [z.preprocess(String, z.string()), 'open', 'string'],
    [z.stringbool(), 'string', 'boolean'],
  ] as const) {
    t.equal(kindsAt(schema, 'input'), input)
    t.equal(kindsAt(schema, 'output'), output)
  }
})

test('tokens lead through objects, lists, tuples, records and wrappers', async t => {
  const schema = z.object({
    list: z.array(z.object({ id: z.number() }).nullable()).optional(),
    pair: z.tuple([z.string(), z.boolean()]),
    more: z.tuple([z.string()], z.number()),
    named: z.record(z.string(), z.number()),
    loose: z.looseObject({ known: z.string() }),
    either: z.union([z.object({ a: z.string() }), z.object({ a: z.number() })]),
    made: z.string().transform(text => ({ text })),
    text: z.string(),
    anything: z.unknown(),
  })
  for (const [path, kinds] of [
    ['list', 'array'],
    ['list/0', 'null object'],
    ['list/10/id', 'number'],
    ['list/x', 'nothing'],
    ['list/01', 'nothing'],
    ['list/0/name', 'nothing'],
    ['pair/1', 'boolean'],
    ['pair/2', 'nothing'],
    ['more/5', 'number'],
    ['named/any', 'number'],
    ['loose/known', 'string'],
    ['loose/other', 'open'],
    ['either/a', 'number string'],
    ['either/b', 'nothing'],
    ['made/text', 'open'],
    ['text/0', 'nothing'],
    ['anything/a/b', 'open'],
    ['absent', 'nothing'],
    ['__proto__', 'nothing'],
    ['constructor', 'nothing'],
    ['toString', 'nothing'],
  ] as const)
    t.equal(kindsAt(schema, 'output', ...path.split('/')), kinds, path)
})

test('a schema that contains itself is followed as far as the tokens lead', async t => {
  interface Tree {
    readonly next?: Tree | undefined
  }
  const tree: z.ZodType<Tree> = z.object({ next: z.lazy(() => tree).optional() })
  t.equal(kindsAt(tree, 'output', ...Array.from({ length: 50 }, () => 'next')), 'object')
  const endless: z.ZodType = z.lazy(() => endless)
  t.equal(kindsAt(endless, 'output'), '')
})

test('a schema that contains itself in several ways is followed in linear time', async t => {
  const zeros = Array.from({ length: 60 }, () => '0')
  t.equal(kindsAt(z.json(), 'output', ...zeros), 'array boolean null number object string')
  const left: z.ZodType = z.lazy(() =>
    z.union([
      z.array(z.lazy(() => left)),
      z.record(
        z.string(),
        z.lazy(() => left),
      ),
    ]),
  )
  t.equal(kindsAt(left, 'input', ...zeros), 'array object')
})
