import { test } from 'tap'
import { z } from 'zod'
import { literalFaults } from '../../src/batch/literal-faults.ts'

const ref = { $ref: 'a#/data' }

/** The faults of a value that may have the reference `ref`, as `pointer reason`. */
function faultsOf(schema: z.ZodType, value: unknown): string[] {
  const text = typeof value === 'bigint' ? '' : JSON.stringify(value)
  return literalFaults(schema, value, '', text.includes('$ref') ? new Set([ref]) : new Set()).map(
    ({ pointer, reason }) => `${pointer} ${reason}`,
  )
}

test('all faults of a value without references are reported', async t => {
  const schema = z.object({ a: z.string(), b: z.number().max(3) }).refine(({ b }) => b !== 2, 'b must not be 2')
  t.same(faultsOf(schema, { b: 7 }), ['/a is missing', '/b Too big: expected number to be <=3'])
  t.same(faultsOf(schema, { a: 'x', b: 2 }), [' b must not be 2'])
  t.same(faultsOf(z.number(), 2n ** 60n + 1n), [' is an integer that a double cannot hold exactly'])
})

test('a reference has no fault, and the literals beside it have theirs', async t => {
  const schema = z.strictObject({ a: z.string(), b: z.number().max(3), list: z.array(z.object({ c: z.int() })).max(2) })
  t.same(faultsOf(schema, { a: ref, b: 1, list: [] }), [])
  t.same(faultsOf(schema, { a: ref, b: 7, list: [{ c: 'x' }], other: 1 }), [
    '/b Too big: expected number to be <=3',
    '/list/0/c Invalid input: expected number, received string',
    ' Unrecognized key: "other"',
  ])
  t.same(faultsOf(schema, { a: 'x', b: 1, list: ref }), [])
  t.match(faultsOf(schema, { a: 'x', b: 1, list: [ref, ref, ref] }), [/^\/list Too big/], 'a list has its length')
  t.match(faultsOf(schema, { a: { deep: ref }, b: 1, list: [] }), [/^\/a .*expected string, received object/])
  t.match(faultsOf(z.string(), [ref]), [/^ Invalid input: expected string, received array/])
})

test('a fault that the value of a reference can cause does not count', async t => {
  const pair = z
    .object({ a: z.unknown(), b: z.string() })
    .refine(({ a, b }) => a === b, { path: ['b'], error: 'differs' })
  t.same(faultsOf(pair, { a: ref, b: 'x' }), [], 'the check ran on an unknown value')
  t.same(faultsOf(pair, { a: 1, b: 'x' }), ['/b differs'])
  const either = z.union([z.object({ a: z.string() }), z.object({ a: z.number(), b: z.string() })])
  t.same(faultsOf(either, { a: ref }), [])
  const upper = z.object({
    a: z.string(),
    b: z.string().refine(text => text === text.toUpperCase(), 'is not in capitals'),
  })
  t.same(
    faultsOf(upper, { a: ref, b: 'x' }),
    ['/b is not in capitals'],
    'the reference was refused, so the object was not read',
  )
  t.same(faultsOf(z.record(z.string(), z.number()), { a: ref, b: 'x' }).length, 1)
})

test('a schema whose functions read whole values is left to the values of the references', async t => {
  const reshaped = z.preprocess(value => ({ x: (value as { readonly y: unknown }).y }), z.object({ x: z.number() }))
  t.same(faultsOf(reshaped, { y: ref, z: 1 }), [])
  t.same(faultsOf(reshaped, { y: 'text' }).length, 1, 'without references it is parsed as ever')
  const early = z
    .object({ a: z.string(), b: z.string() })
    .refine(({ a, b }) => a === b, { path: ['b'], error: 'differs', when: () => true })
  t.same(faultsOf(early, { a: ref, b: 'x' }), [])
  const late = z
    .object({ a: z.unknown(), b: z.number() })
    .transform(({ a }) => ({ c: a }))
    .pipe(z.object({ c: z.number() }))
  t.same(faultsOf(late, { a: ref, b: 1 }), [])
  const throwing = z.object({ a: z.unknown() }).refine(({ a }) => (a as string).startsWith('x'))
  t.same(faultsOf(throwing, { a: ref }), [])
  const tree: z.ZodType = z.object({ name: z.string(), next: z.lazy(() => tree).optional() })
  t.match(faultsOf(tree, { name: 'x', next: { name: 7, next: ref } }), [/^\/next\/name/])
})
