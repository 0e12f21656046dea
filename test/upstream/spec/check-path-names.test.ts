import { test } from 'tap'
import { z } from 'zod'
import { checkPathNames } from '../../../src/upstream/spec/check-path-names.ts'

const id = z.object({ id: z.string() })
const other = z.object({ other: z.string() })
const itself: z.ZodType = z.lazy(() => z.union([id, itself]))
const neverThere: z.ZodType = z.lazy(() => z.union([other, neverThere]))

test('a name of the path that an output can lack is refused', async t => {
  for (const [name, params] of Object.entries({
    none: undefined,
    'an object without it': other,
    'one option of a union': z.union([id, other]),
    'one option of a nested union': z.union([id, z.union([id, other])]),
    'one option of a discriminated union': z.discriminatedUnion('kind', [
      id.extend({ kind: z.literal('a') }),
      other.extend({ kind: z.literal('b') }),
    ]),
    'the output of a pipe': id.transform(() => ({ other: 'a' })).pipe(other),
    'a lazy schema': z.lazy(() => other),
    'a lazy schema that holds itself': neverThere,
    'an intersection': z.intersection(other, z.object({ more: z.string() })),
    'a wrapper': other.readonly(),
    'a partial record': z.partialRecord(z.enum(['id', 'other']), z.string()),
    'a partial record of any key': z.partialRecord(z.string(), z.string()),
    'a record of other keys': z.record(z.enum(['other']), z.string()),
    'a record of another key': z.record(z.literal('other'), z.string()),
    'a strict object': z.strictObject({ other: z.string() }),
  }))
    t.throws(
      () => checkPathNames('cats.find, params', params, ['id']),
      {
        name: 'TypeError',
        message: "cats.find, params: there is no schema for '{id}' of the path: add id to params",
      },
      name,
    )
})

test('a name of the path that an output has, or that its types do not rule out, is accepted', async t => {
  for (const [name, params] of Object.entries({
    object: id,
    'each option of a union': z.union([id, id.extend({ other: z.string() })]),
    'one side of an intersection': z.intersection(other, id),
    'a partial record beside an object': z.intersection(z.partialRecord(z.enum(['a']), z.string()), id),
    'a lazy schema': z.lazy(() => id),
    'a lazy schema that holds itself': itself,
    'a lazy schema that is not there yet': z.lazy(() => {
      throw new ReferenceError('not there yet')
    }),
    'a record': z.record(z.string(), z.string()),
    'a record of its key': z.record(z.enum(['id']), z.string()),
    'a loose record': z.looseRecord(z.enum(['other']), z.string()),
    'a loose object': z.looseObject({}),
    transform: other.transform(() => ({ id: 'a' })),
    any: z.any(),
  }))
    t.doesNotThrow(() => checkPathNames('cats.find, params', params, ['id']), name)
})
