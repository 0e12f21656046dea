import { test } from 'tap'
import { z } from 'zod'
import { headerFields, spelledHeaders } from '../../../src/core/schema/header-fields.ts'

const text = z.string().optional()
const fields = (schema: z.ZodType) => {
  const { spelled, isOpen } = headerFields('it', schema)
  return { names: [...spelled.values()], isOpen }
}

test('a schema says which headers it reads, and whether it can read others', async t => {
  const A = z.object({ 'X-A': text })
  const closed: readonly z.ZodType[] = [
    A,
    z.strictObject({ 'X-A': text }),
    A.catchall(z.never()),
    A.readonly().optional().nullable().default(null),
    A.transform(seen => seen),
    A.pipe(z.object({ other: text }) as unknown as typeof A),
    z.partialRecord(z.literal('X-A'), z.string()),
    z.record(z.enum(['X-A']), z.string()),
    z.lazy(() => A),
    z.union([A, z.null()]),
    z.intersection(A, A),
    z.promise(A),
    z.success(A),
  ]
  for (const schema of closed) t.same(fields(schema), { names: ['X-A'], isOpen: false }, schema.def.type)
  const open: readonly z.ZodType[] = [
    z.looseObject({ 'X-A': text }),
    A.catchall(z.string()),
    z.preprocess(given => given, A),
    z.union([A, z.unknown()]),
    z.intersection(A, z.record(z.string(), z.unknown())),
    z.looseRecord(z.enum(['X-A']), z.string()),
    z.any().pipe(A),
    z.intersection(z.custom(), A),
  ]
  for (const schema of open) t.same(fields(schema), { names: ['X-A'], isOpen: true }, schema.def.type)
  t.same(fields(z.string()), { names: [], isOpen: false })
  t.same(fields({ _def: {} } as unknown as z.ZodType), { names: [], isOpen: false }, 'of another version of zod')
})

test('a schema that reads what it names and nothing else may be given the headers as they came', async t => {
  const a = z.object({ 'x-a': text })
  for (const schema of [
    a,
    a.optional().default({}),
    a.transform(seen => seen),
    z.union([a, z.object({ 'x-b': text })]),
    z.intersection(a, a).readonly(),
    z.lazy(() => a),
  ])
    t.equal(headerFields('it', schema).isDirect, true, schema.def.type)
  for (const schema of [
    z.object({ 'X-A': text }),
    z.strictObject({ 'x-a': text }),
    a.catch({}),
    z.partialRecord(z.enum(['x-a']), z.string()),
    z.looseObject({ 'x-a': text }),
    z.preprocess(given => given, a),
    z.object({ constructor: text }),
  ]) {
    t.equal(headerFields('it', schema).isDirect, false, schema.def.type)
  }
})

test('a schema that holds itself ends, and one that is not there yet is open', async t => {
  const Self: z.ZodType = z.lazy(() => z.union([z.object({ 'x-a': text }), Self]))
  t.same(fields(Self), { names: ['x-a'], isOpen: false })
  t.same(fields(z.lazy(() => Later)), { names: [], isOpen: true })
  t.equal(headerFields('it', z.lazy(() => Later).readonly()).isFrozen, true, 'it may freeze what it is given')
  t.equal(
    headerFields(
      'it',
      z.preprocess(given => given, z.object({ 'x-a': text }).readonly()),
    ).isFrozen,
    false,
    'an object is a copy',
  )
  const Later = z.object({ 'x-a': text })
})

test('names that differ by case only are the same header, and refused as two', async t => {
  for (const schema of [
    z.object({ 'X-A': text, 'x-a': text }),
    z.intersection(z.object({ 'X-A': text }), z.object({ 'x-a': text })),
    z.union([z.object({ 'X-A': text }), z.object({ 'x-a': text })]),
  ]) {
    t.throws(() => headerFields('it', schema), {
      name: 'TypeError',
      message: "it: 'X-A' and 'x-a' are the same header, because header names are case-insensitive: keep one spelling",
    })
  }
  t.throws(() => headerFields('it', z.object({ 'x a': text })), {
    name: 'TypeError',
    message: "it: 'x a' is not the name of a header",
  })
})

test('headers that came are given the names that the schema spells', async t => {
  const { spelled } = headerFields('it', z.object({ 'X-A': text, 'x-b': text, constructor: text }))
  const came = { 'x-a': '1', 'x-c': ['2', '3'], host: 'h' }
  t.same(spelledHeaders({ spelled }, came), { 'X-A': '1' })
  t.same(spelledHeaders({ spelled }, came, true), { 'X-A': '1', 'x-c': ['2', '3'], host: 'h' })
})
