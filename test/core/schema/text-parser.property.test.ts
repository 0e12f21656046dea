import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { textParser } from '../../../src/core/schema/text-parser.ts'
import { textSchema } from '../../../src/core/schema/text-schema.ts'
import { field, objectOf } from '../../helpers/field-schemas.ts'

const names = ['n', 'lang', '10', '__proto__', 'toString', 'a-b']
const text = fc.constantFrom(
  '',
  ' ',
  '0',
  '7',
  '007',
  '-1.5',
  '1e3',
  '0x10',
  '101',
  'true',
  'abc',
  'abcdef',
  '2024-05-01',
  'd',
)
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: text },
  { weight: 2, arbitrary: fc.array(text, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(undefined, null, 5, 7n) },
)
const prototypes = [Object.prototype, null, { lang: 'inherited' }]

test('the parser of texts returns what the schema returns, or leaves the texts to the schema', t => {
  let parsed = 0
  const sample = fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 }).chain(own =>
    fc.tuple(
      fc
        .array(field, { minLength: own.length, maxLength: own.length })
        .map(fields => Object.fromEntries(own.map((name, at) => [name, fields[at] as z.ZodType]))),
      fc.nat(7),
      fc.dictionary(fc.constantFrom(...own, 'n', 'lang', 'more'), value),
      fc.constantFrom(...prototypes),
    ),
  )
  fc.assert(
    fc.property(sample, ([shape, kind, fields, prototype]) => {
      const schema = objectOf(shape, kind)
      const given = Object.assign(Object.create(prototype) as object, fields)
      const output = textParser(schema)(given)
      if (output === undefined) return
      parsed++
      const { success, data } = textSchema(schema).safeParse(given)
      if (
        !success ||
        !isDeepStrictEqual(output, data) ||
        Object.keys(output).join() !== Object.keys(data as object).join()
      )
        throw new Error(`the schema returns ${success ? JSON.stringify(data) : 'a fault'}`)
    }),
    { numRuns: 5000 },
  )
  t.ok(parsed > 500, `${parsed} of 5000 were parsed`)
  t.end()
})

test('a number of a query is parsed without zod, and its parser is the same each time', t => {
  const parse = textParser(z.object({ n: z.coerce.number().int().min(1).max(100), lang: z.string().optional() }))
  t.strictSame(parse({ n: '20', more: 'x' }), { n: 20 })
  t.strictSame(parse({ lang: 'en', n: '1' }), { n: 1, lang: 'en' })
  t.equal(parse({ n: '101' }), undefined)
  t.equal(parse('n=1'), undefined)
  t.equal(parse(null), undefined)
  t.equal(parse([]), undefined)
  t.end()
})

test('a field may be of a schema that is declared later', t => {
  const parse = textParser(z.object({ a: z.lazy(() => Later) }))
  const Later = z.string()
  t.strictSame(parse({ a: 'x' }), { a: 'x' })
  t.end()
})
