import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { literalFaults } from '../../src/batch/literal-faults.ts'
import { valueAt } from '../../src/batch/json-pointer.ts'
import { schemasAt } from '../../src/core/schema/at-pointer.ts'
import { kindsOf, type JsonKind } from '../../src/core/schema/json-kinds.ts'
import { Problem } from '../../src/errors.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { shopAnswer, shopAt } from './shop.ts'
import { started } from './started.ts'

const { offer } = shopAt('http://shop.test')

const words = (text: string) => fc.constantFrom(...text.split(' '))

const text = fc.oneof(
  words('a b shop.search shop.item shop.order shop.prices cart checkout wishes x'),
  words('a#/data a#/data/0/id b#/data/0 a#/data/__proto__ # a# a#/data/~ __proto__ constructor'),
  fc.constant(''),
)
const key = words(
  'id operation input needs optional $ref q limit body lines params query user ' +
    '__proto__ constructor toString calls deadlineMs total headers',
)
const { value } = fc.letrec<{ value: unknown; fields: object }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    { weight: 4, arbitrary: text },
    { weight: 2, arbitrary: fc.constantFrom(0, 1, -1, 5.5, 1e9, true, false, null, 2n ** 60n, Infinity) },
    { weight: 2, arbitrary: fc.record({ $ref: text }) },
    { weight: 3, arbitrary: tie('fields') },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
  ),
  // Keys of JSON are own fields, `__proto__` too.
  fields: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map(entries => Object.fromEntries(entries) as object),
}))
const right = fc.constantFrom<object[]>(
  { id: 'a', operation: 'shop.search', input: { q: 'shoe' } },
  { id: 'a', operation: 'shop.search', input: { q: 'nothing' } },
  { id: 'b', operation: 'shop.item', input: { id: 'x' } },
  { id: 'b', operation: 'shop.item', input: { id: { $ref: 'a#/data/0/id' } } },
  { id: 'c', operation: 'shop.prices', input: { $ref: 'a#/data/0/id' }, optional: true },
  { id: 'd', operation: 'cart', input: { params: { user: { $ref: 'b#/data/id' } } }, needs: ['c'] },
  { id: 'e', operation: 'checkout', input: { body: { total: { $ref: 'a#/data/1/price' } } } },
)
const call = fc.oneof(
  { weight: 4, arbitrary: right },
  {
    weight: 1,
    arbitrary: fc.record(
      { id: text, operation: text, input: value, needs: value, optional: value },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: value },
)
const body = fc.oneof(
  { weight: 6, arbitrary: fc.record({ calls: fc.array(call, { maxLength: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ calls: fc.array(call, { maxLength: 3 }), deadlineMs: value }) },
  { weight: 1, arbitrary: value },
)

test('any body is refused with its faults, or is a batch of which every call has a result', async t => {
  const ends = new Map<string, number>()
  const count = (end: string) => ends.set(end, (ends.get(end) ?? 0) + 1)
  await fc.assert(
    fc.asyncProperty(body, async given => {
      const runtime = answeringRuntime(shopAnswer)
      let batch
      try {
        batch = started(offer, given as object, runtime)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        t.equal(error.code, 'INPUT_INVALID')
        t.ok(error.faults !== undefined && error.faults.length > 0 && error.faults.length <= 100)
        t.ok(error.faults?.every(({ pointer, reason }) => /^\/(?:body|headers)/.test(pointer) && reason !== ''))
        t.same(runtime.asked, [], 'nothing was sent')
        return void count('refused')
      }
      const { results } = await batch.reply
      for (const { state } of results) count(state)
      t.equal(results.length, batch.batch.plan.length)
    }),
    { numRuns: 3000 },
  )
  t.equal(Object.keys(Object.prototype).length, 0, 'no prototype has a new field')
  for (const end of ['refused', 'ok', 'notSent']) t.ok((ends.get(end) ?? 0) > 0, `${end} is among the ends`)
})

const Tree: z.ZodType = z.object({ name: z.string(), below: z.lazy(() => z.array(Tree)).optional() })

/** Schemas, each with a value that it accepts. */
const accepted: readonly (readonly [z.ZodType, unknown])[] = [
  [
    z.strictObject({ a: z.string().min(2), b: z.int().max(5), c: z.array(z.boolean()).min(1) }),
    { a: 'xx', b: 3, c: [true] },
  ],
  [z.object({ a: z.string().optional(), b: z.number().nullable(), c: z.unknown() }), { a: 'x', b: null, c: { d: 1 } }],
  [z.record(z.string(), z.union([z.number(), z.array(z.number())])), { x: 1, y: [2, 3] }],
  [z.tuple([z.string(), z.object({ z: z.number() })], z.boolean()), ['x', { z: 1 }, true, false]],
  [
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('card'), number: z.string() }),
      z.object({ kind: z.literal('cash'), coins: z.array(z.int()) }),
    ]),
    { kind: 'cash', coins: [1, 2] },
  ],
  [
    z.intersection(z.object({ a: z.string() }), z.object({ b: z.object({ c: z.string() }) })),
    { a: 'x', b: { c: 'y' } },
  ],
  [z.object({ from: z.int(), to: z.int() }).refine(({ from, to }) => from < to, { path: ['to'] }), { from: 1, to: 2 }],
  [z.object({ a: z.coerce.number(), b: z.stringbool(), c: z.coerce.date() }), { a: '1', b: 'yes', c: '2024-01-01' }],
  [
    z.object({ a: z.string().transform(Number).pipe(z.number().max(9)), b: z.string().default('x') }),
    { a: '7', b: 'y' },
  ],
  [z.preprocess(list => ({ list }), z.object({ list: z.array(z.number()) })), [1, 2]],
  [z.json(), { a: [1, 'x', null, { b: true }] }],
  [Tree, { name: 'a', below: [{ name: 'b', below: [{ name: 'c' }] }] }],
  [
    z.object({ a: z.bigint(), b: z.literal(['x', 1]), c: z.enum(['p', 'q']) }).catch({ a: 1n, b: 'x', c: 'p' }),
    { a: 5, b: 1, c: 'q' },
  ],
]

/** The places of a value, its own place first. */
function placesOf(given: unknown): string[][] {
  const below = typeof given === 'object' && given !== null ? Object.entries(given) : []
  return [[], ...below.flatMap(([name, item]) => placesOf(item).map(place => [name, ...place]))]
}

/** Replaces what is at a place. */
function replaced(given: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by
  if (typeof given !== 'object' || given === null) return given
  // A reference that is there already stays the same object.
  if (!Object.hasOwn(given, name)) return given
  const copy = (Array.isArray(given) ? [...(given as unknown[])] : { ...given }) as Record<string, unknown>
  copy[name] = replaced(copy[name], rest, by)
  return copy
}

test('an input that its schema accepts has no fault, whatever parts of it are references', async t => {
  for (const [schema, given] of accepted) {
    t.ok(schema.safeParse(given).success || schema === accepted.at(-1)?.[0])
    const places = placesOf(given)
    for (const one of places)
      for (const other of places) {
        const references = [{ $ref: 'a#/data/1' }, { $ref: 'a#/data/2' }]
        const input = replaced(replaced(given, one, references[0]), other, references[1])
        t.same(literalFaults(schema, input, '', new Set(references)), [], JSON.stringify(input))
      }
  }
})

function kindOf(given: unknown): JsonKind {
  if (given === null) return 'null'
  if (Array.isArray(given)) return 'array'
  return typeof given === 'bigint' ? 'number' : (typeof given as JsonKind)
}

test('the schemas of a place know the kind of every value that may be there', async t => {
  for (const [schema, given] of accepted)
    for (const place of placesOf(given)) {
      const schemas = schemasAt(schema, 'input', place)
      t.not(schemas.length, 0, place.join('/'))
      const kinds = kindsOf(schemas, 'input')
      t.ok(
        kinds === undefined || kinds.has(kindOf(valueAt(given, place)?.value)),
        `${place.join('/')} of ${schema.type}`,
      )
      const { data } = schema.safeParse(given)
      const read = valueAt(data, place)
      if (read === undefined) continue
      const output = kindsOf(schemasAt(schema, 'output', place), 'output')
      t.ok(output === undefined || output.has(kindOf(read.value)), `${place.join('/')} of the output of ${schema.type}`)
    }
})
