import { inspect, isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { readJson } from '../../../src/core/json/parse.ts'
import { writeJson } from '../../../src/core/json/write.ts'
import { readJsonBody } from '../../helpers/read-json-body.ts'

const names = ['a', 'b', 'c']

/**
 * Schemas that keep what they read in its place. None of them rounds, and none gives a number that was not in the text.
 */
const schemas: fc.Arbitrary<z.ZodType> = fc.letrec<{ schema: z.ZodType }>(tie => ({
  schema: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<z.ZodType>(
      z.number(),
      z.number().min(-1e30),
      z.int(),
      z.int32(),
      z.bigint(),
      z.int64(),
      z.uint64(),
      z.coerce.bigint(),
      z.coerce.number(),
      z.unknown(),
      z.any(),
      z.json(),
      z.string(),
      z.null(),
      z.boolean(),
      z.union([z.number(), z.bigint()]),
      z.union([z.bigint(), z.number()]),
      z.union([z.number(), z.string(), z.null()]),
      z.literal([5n, 7, 2 ** 53, 9_007_199_254_740_993n]),
      z.custom(() => true),
      z.looseObject({}),
      z.record(z.string(), z.unknown()),
      z.preprocess(value => value, z.bigint()),
      z.unknown().transform(value => value),
    ),
    tie('schema').map(inner => inner.optional()),
    tie('schema').map(inner => inner.nullable()),
    tie('schema').map(inner => inner.readonly()),
    tie('schema').map(inner => inner.refine(() => true)),
    tie('schema').map(inner => inner.transform(value => value)),
    tie('schema').map(inner => z.lazy(() => inner)),
    tie('schema').map(inner => z.preprocess(value => value, inner)),
    tie('schema').map(inner => inner.catch('caught')),
    tie('schema').map(inner => z.array(inner)),
    tie('schema').map(inner => z.tuple([inner], z.unknown())),
    tie('schema').map(inner => z.record(z.string(), inner)),
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
            z.object(shape).and(z.looseObject({})),
            z.object(shape).catchall(z.bigint()),
          ][rest] as z.ZodType,
      ),
  ),
})).schema

const around = [2n ** 53n, 2n ** 60n, 2n ** 63n, 2n ** 64n, 10n ** 21n, 10n ** 22n, 2n ** 70n]

/** Literals of JSON, as text. */
const literals = fc.oneof(
  fc.integer({ min: -9, max: 9 }).map(String),
  fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }).map(String),
  fc
    .tuple(fc.constantFrom(...around), fc.bigInt({ min: -3n, max: 3n }), fc.constantFrom('', '-'))
    .map(([near, by, sign]) => `${sign}${near + by}`),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.constantFrom('.0', '.5', 'e0', 'E+02', 'e-3', 'e00'))
    .map(([whole, rest]) => `${whole}${rest}`),
  fc.constantFrom('1e400', '-1e400', '-0', '1e21', '1e-7', `1${'0'.repeat(400)}`),
)

/** Documents as text, with strings that look like what is outside of them. */
const documents: fc.Arbitrary<string> = fc.letrec<{ json: string }>(tie => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    literals,
    fc.constantFrom(
      'null',
      'true',
      '""',
      '"9007199254740993"',
      '": 9007199254740993"',
      '"\\" ,9007199254740993,"',
      '"\\\\"',
      '[]',
      '{}',
    ),
    fc.array(tie('json'), { maxLength: 3 }).map(items => `[${items.join(', ')}]`),
    fc.dictionary(fc.constantFrom(...names, 'd', ': 9007199254740993'), tie('json')).map(
      fields =>
        `{${Object.entries(fields)
          .map(([key, item]) => `${JSON.stringify(key)}:${item}`)
          .join(',\n')}}`,
    ),
  ),
})).json

/** Every number of a JSON text as it is written there, by its place. */
function numbersOf(text: string): Map<string, string> {
  const numbers = new Map<string, string>()
  const walk = (value: unknown, place: string): void => {
    if (value instanceof Literal) numbers.set(place, value.text)
    else if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) walk(item, `${place}/${key}`)
  }
  walk(
    JSON.parse(text, ((_key: string, value: unknown, { source }: { readonly source?: string }) =>
      typeof value === 'number' ? new Literal(source as string) : value) as never),
    '',
  )
  return numbers
}

class Literal {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The value at a place. */
function at(value: unknown, place: string): unknown {
  return place
    .split('/')
    .slice(1)
    .reduce((inner, key) => (inner as Readonly<Record<string, unknown>> | null | undefined)?.[key], value)
}

/** What a literal says: exactly for an integer, and to a double's precision for a number in float notation. */
function meaning(literal: string, isInteger: boolean): string {
  if (!isInteger) return String(Number(literal))
  const [digits = '', exponent = '0'] = literal.split('e+')
  const [whole = '', fraction = ''] = digits.split('.')
  return BigInt(whole + fraction + '0'.repeat(Number(exponent) - fraction.length)).toString()
}

test('no integer of a JSON text ever changes silently', t => {
  let read = 0
  let kept = 0
  fc.assert(
    fc.property(schemas, documents, (schema, text) => {
      let value: unknown
      try {
        value = readJsonBody(schema, text)
      } catch (error) {
        // Two sides of an intersection that do not agree are a fault that zod throws.
        if (
          error instanceof UpstreamError
            ? error.code === 'UPSTREAM_SCHEMA'
            : /Unmergable intersection/.test(String(error))
        )
          return
        throw error
      }
      read++
      const before = numbersOf(text)
      for (const [place, literal] of numbersOf(writeJson(value) ?? 'null')) {
        // A coercion makes numbers of text and of lists, whose integers must not change either.
        const source = before.get(place) ?? String(at(readJson(text), place)).trim()
        if (!/^[-+]?\d/.test(source)) continue
        const isInteger = /^[-+]?\d+$/.test(source)
        if (meaning(literal, isInteger) !== meaning(source, isInteger))
          throw new Error(`${place} is ${literal} and was ${source}`)
        if (isInteger && source.length > 15) kept++
      }
      for (const place of before.keys())
        if (at(value, place) === null || Object.is(at(value, place), Infinity)) throw new Error(`${place} became null`)
    }),
    { numRuns: 4000 },
  )
  t.ok(read > 400, `${read} of 4,000 were read`)
  t.ok(kept > 100, `${kept} long integers were kept`)
  t.end()
})

test('the value of a position depends on its schema only, not on adjacent values', t => {
  const long = '9'.repeat(20)
  fc.assert(
    fc.property(schemas, literals, (schema, literal) => {
      const alone = outcome(schema, literal)
      const beside = outcome(z.tuple([z.unknown(), schema]), `[${long},${literal}]`)
      const expected = alone === undefined ? undefined : { value: [BigInt(long), alone.value] }
      if (!isDeepStrictEqual(beside, expected)) throw new Error(`${inspect(alone)} and ${inspect(beside)}`)
    }),
    { numRuns: 500 },
  )
  t.pass('held for 500 schemas and literals')
  t.end()
})

function outcome(schema: z.ZodType, text: string): { readonly value: unknown } | undefined {
  try {
    return { value: readJsonBody(schema, text) }
  } catch {
    return undefined
  }
}
