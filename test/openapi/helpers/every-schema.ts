import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'

const id = 9_007_199_254_740_993n

/** The kinds of schemas that JSON and both versions of OpenAPI write differently. */
const kinds = {
  constant: z.literal('a'),
  constants: z.literal(['a', 1, null]),
  none: z.null(),
  nullable: z.string().nullable(),
  nullish: z.number().nullish(),
  choice: z.enum(['a', 'b']).nullable(),
  mixed: z.union([z.string(), z.number(), z.null()]),
  above: z.number().gt(0).lt(1),
  whole: z.int().gt(0).lt(10),
  big: z.bigint().gt(0n).max(id),
  pair: z.tuple([z.string(), z.number()]),
  rest: z.tuple([z.string()], z.number()),
  named: z.record(z.enum(['a', 'b']), z.number()),
  some: z.partialRecord(z.enum(['a', 'b']), z.number()),
  patterned: z.record(z.string().regex(/^[a-z]{2}$/), z.number()),
  loose: z.looseRecord(z.string().regex(/^x-/), z.string()),
  bytes: z.base64(),
  url: z.base64url(),
  strict: z.strictObject({ a: z.string() }),
  open: z.looseObject({ a: z.string() }),
  typed: z.object({ a: z.string() }).catchall(z.number()),
  both: z.intersection(z.object({ a: z.string() }), z.object({ b: z.number() })),
  either: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('cat'), at: z.iso.datetime().meta({ examples: ['2024-05-01T10:00:00Z'] }) }),
    z.object({ kind: z.literal('dog'), lives: z.int().min(1) }),
  ]),
  never: z.never().optional(),
  anything: z.unknown(),
  json: z.json(),
  listed: z.array(z.string().meta({ examples: ['a'] })),
  mapped: z.record(z.string(), z.string().meta({ examples: ['a', 'b'] })),
  deprecated: z.string().meta({ deprecated: true }),
  template: z.templateLiteral(['v', z.int()]),
  several: z.number().multipleOf(2).multipleOf(3),
  patterns: z.string().regex(/^a/).regex(/z$/),
}

const Sent = z.object({ ...kinds, at: z.coerce.date(), def: z.string().default('a') }).meta({ id: 'Sent' })
const Told = z
  .object({
    ...kinds,
    at: z.date(),
    nan: z.union([z.number(), z.nan()]),
    gone: z.undefined(),
    holes: z.array(z.string().optional()),
    length: z
      .string()
      .transform(text => text.length)
      .meta({ type: 'integer', minimum: 0 }),
  })
  .meta({ id: 'Told' })

/** Aggregates with every kind of schema in every position. They are documented, and never called. */
export const everySchema = [
  aggregate('sent', { url: '/sent', body: Sent })
    .required('one', () => 1)
    .each('many', () => [])
    .reply(Told, () => ({}) as never),
  aggregate('asked', {
    url: '/asked/{at}/{id}',
    params: z.object({ at: z.coerce.date(), id: z.coerce.bigint() }),
    query: z.object({
      above: z.coerce.number().gt(0).optional(),
      flag: z.stringbool().optional(),
      list: z.array(z.enum(['a', 'b'])).optional(),
      since: z.coerce.date().default(new Date(0)),
      none: z.literal('').optional().describe('Nothing.'),
      sample: z.coerce.number().meta({ examples: [1, 2] }),
      one: z.string().meta({ examples: ['a'] }),
    }),
    headers: z.object({ 'X-Tenant': z.string().nullish() }),
  }).reply(z.string().optional(), () => undefined),
  aggregate('bare', { url: '/bare', envelope: false }).reply(z.null(), () => null),
  aggregate('list', { url: '/list', envelope: false }).reply(z.array(z.date().nullable()), () => []),
  aggregate('union', {
    url: '/union',
    query: z.union([z.object({ a: z.string() }), z.object({ a: z.string(), b: z.coerce.number() })]),
  }).reply(
    z.discriminatedUnion('k', [z.object({ k: z.literal(1) }), z.object({ k: z.literal(2), at: z.date() })]),
    () => ({
      k: 1 as const,
    }),
  ),
]
