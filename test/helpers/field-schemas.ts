import fc from 'fast-check'
import { z } from 'zod'

/** Schemas of one field of a query, a path or headers. */
export const field: fc.Arbitrary<z.ZodType> = fc.letrec<{ field: z.ZodType }>(tie => ({
  field: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 8, arbitrary: fc.constantFrom<z.ZodType>(z.string(), z.string().optional(), z.any(), z.unknown()) },
    fc.constantFrom<z.ZodType>(
      z.int(),
      z.string().min(2),
      z.string().trim(),
      z.string().transform(text => text.length),
      z.string().refine(text => text !== '..'),
      z.number(),
      z.number().int().min(1).max(100),
      z.coerce.number().int().min(1).max(100),
      z.coerce.number().gt(0),
      z
        .string()
        .regex(/^[a-z]+$/)
        .max(5),
      z.coerce.number(),
      z.coerce.bigint(),
      z.bigint(),
      z.boolean(),
      z.stringbool(),
      z.date(),
      z.coerce.date(),
      z.literal(['a', '..', 1, null]),
      z.enum(['a', '%2e']),
      z.null(),
      z.undefined(),
      z.never(),
      z.number().catch(7),
      z.string().exactOptional(),
      z.lazy(() => z.string()),
    ),
    tie('field').map(inner => inner.optional()),
    tie('field').map(inner => inner.nullable()),
    tie('field').map(inner => inner.readonly()),
    tie('field').map(inner => inner.default('d')),
    tie('field').map(inner => inner.prefault('p')),
    tie('field').map(inner => z.array(inner)),
    fc.tuple(tie('field'), tie('field')).map(options => z.union(options)),
  ),
})).field

/** Wraps an object schema in ways that change which fields it reads. */
export function objectOf(shape: Readonly<Record<string, z.ZodType>>, kind: number): z.ZodType {
  const object = z.object(shape)
  return [
    object,
    object,
    object,
    z.strictObject(shape),
    z.looseObject(shape),
    object.catchall(z.string()),
    object.refine(() => true),
    object.readonly(),
  ][kind] as z.ZodType
}
