import { test } from 'tap'
import { z } from 'zod'
import { fieldsOf } from '../../../src/core/schema/wrapped.ts'

/** The names of a schema's fields, with a `!` behind those that every object needs. */
const names = (schema: z.ZodType) =>
  [...fieldsOf(schema)].map(([name, { isRequired }]) => (isRequired ? `${name}!` : name))

test('the fields of an object are seen through every wrapper', t => {
  const object = z.object({ a: z.coerce.number(), b: z.string().optional() })
  const wrapped: readonly z.ZodType[] = [
    object,
    object.strict(),
    object.optional(),
    object.readonly(),
    object.default({ a: 1 }),
    object.catch({ a: 1 }),
    object.transform(() => 1),
    object.pipe(z.any()),
    z.lazy(() => object),
    z.preprocess(value => value, object),
    z.codec(object, z.any(), { decode: value => value, encode: value => value as { a: number } }),
    z.union([object]),
    z.intersection(object, z.unknown()),
  ]
  for (const schema of wrapped) t.strictSame(names(schema), ['a!', 'b'], schema.type)
  for (const schema of [z.unknown(), z.string(), z.record(z.string(), z.string())]) t.strictSame(names(schema), [])
  t.end()
})

test('a field is required where each option of a union, or one side of an intersection, needs it', t => {
  const one = z.object({ a: z.string(), b: z.string(), c: z.string().optional() })
  const other = z.object({ a: z.string(), c: z.string(), d: z.string() })
  t.strictSame(names(z.union([one, other])), ['a!', 'b', 'c', 'd'])
  t.strictSame(names(z.intersection(one, other)), ['a!', 'b!', 'c!', 'd!'])
  t.equal(fieldsOf(z.union([one, other])).get('a')?.schema, one.shape.a, 'the first schema of a name stays')
  t.end()
})

test('a schema that holds itself is looked through once', t => {
  const self: z.ZodType = z.lazy(() => inner)
  const inner: z.ZodType = z.union([z.object({ a: z.string() }), self])
  t.strictSame(names(self), ['a'])
  t.end()
})
