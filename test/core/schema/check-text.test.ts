import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { checkText } from '../../../src/core/schema/check-text.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'

/** Why a field is refused, without the place where it stands; nothing for one that is taken. */
function refusal(schema: z.ZodType): string | undefined {
  try {
    checkText('where', z.object({ a: schema }))
  } catch (error) {
    return (error as TypeError).message
  }
  return undefined
}

const never: readonly (readonly [z.ZodType, use: string])[] = [
  [z.number(), 'z.coerce.number()'],
  [z.int(), 'z.coerce.number()'],
  [z.bigint(), 'z.coerce.bigint()'],
  [z.boolean(), 'z.stringbool()'],
  [z.coerce.boolean(), 'z.stringbool()'],
  [z.date(), 'z.iso.datetime()'],
  [z.object({ b: z.string() }), 'a separate parameter'],
  [z.record(z.string(), z.string()), 'a separate parameter'],
  [z.literal(5), "z.literal('5')"],
  [z.literal([true, null]), 'write its values as text'],
  [z.enum({ One: 1, Two: 2 }), 'write its values as text'],
  [z.nan(), 'z.never().optional()'],
  [z.null(), 'z.never().optional()'],
  [z.undefined(), 'z.never().optional()'],
  [z.void(), 'z.never().optional()'],
  [z.never(), 'z.never().optional()'],
  [z.map(z.string(), z.string()), 'z.record()'],
  [z.set(z.string()), 'z.array()'],
  [z.symbol(), 'z.string()'],
  [z.file(), 'z.string()'],
  [z.array(z.number()), 'z.coerce.number()'],
  [z.array(z.array(z.string())), 'not lists'],
  [z.tuple([z.string(), z.boolean()]), 'z.stringbool()'],
  [z.tuple([z.string()], z.date()), 'z.coerce.date()'],
]

const wrappers: readonly ((schema: z.ZodType) => z.ZodType)[] = [
  schema => schema,
  schema => schema.optional(),
  schema => schema.nullable(),
  schema => schema.default(1),
  schema => schema.prefault(1),
  schema => schema.catch(1),
  schema => schema.readonly(),
  schema => schema.brand<'b'>(),
  schema => schema.refine(() => true),
  schema => schema.transform(value => value),
  schema => schema.pipe(z.unknown()),
  schema => z.unknown().pipe(schema),
  schema => z.string().pipe(schema as z.ZodType<unknown, string>),
  schema => z.codec(schema, z.unknown(), { decode: value => value, encode: value => value }),
  schema => z.lazy(() => schema),
  schema => z.union([schema, z.null()]),
  schema => z.intersection(z.unknown(), schema),
  schema => z.intersection(schema, z.unknown()),
]

test('a schema that never matches text is refused behind any wrapper, with the schema to use', t => {
  for (const [schema, use] of never) {
    for (const wrap of wrappers) {
      // Forbidding a parameter is written so.
      if (schema.type === 'never' && ['optional', 'nonoptional'].includes(wrap(schema).type)) continue
      const told = refusal(wrap(schema))
      t.ok(
        told?.startsWith('where, at /properties/a') && told.includes(use),
        `${wrap(schema).type} of ${schema.type}: ${told ?? 'taken'}`,
      )
    }
  }
  t.end()
})

test('a schema that may match text is taken', t => {
  const later: () => z.ZodType = () => declared
  const taken: readonly z.ZodType[] = [
    z.string(),
    z.email(),
    z.iso.datetime(),
    z.templateLiteral(['v', z.number()]),
    z.coerce.number(),
    z.coerce.bigint(),
    z.coerce.date(),
    z.coerce.string(),
    z.stringbool(),
    z.enum(['a']),
    z.literal('a'),
    z.literal([5, 'a']),
    z.any(),
    z.unknown(),
    z.custom(() => true),
    z.instanceof(URL),
    z.array(z.string()),
    z.array(z.coerce.number()).max(3),
    z.tuple([z.string()]),
    z.tuple([]),
    z.never().optional(),
    z.success(z.number()),
    z.union([z.number(), z.string()]),
    z.union([z.null(), z.undefined(), z.coerce.number()]),
    z.union([z.array(z.number()), z.stringbool()]),
    z.preprocess(Number, z.number()),
    z.preprocess(value => value === 'yes', z.boolean().optional()),
    z.preprocess(value => [[value]], z.array(z.array(z.string()))),
    z.string().transform(Number).pipe(z.number()),
    z
      .string()
      .transform(text => JSON.parse(text) as unknown)
      .pipe(z.object({ n: z.number(), on: z.coerce.boolean() })),
    z.coerce.number().pipe(z.number()),
    z.coerce.number().pipe(z.literal(5)),
    z.stringbool().pipe(z.literal(true)),
    z
      .unknown()
      .transform(value => value)
      .pipe(z.date()),
    z.codec(z.string(), z.number(), { decode: Number, encode: String }),
    z.lazy(() => z.string()),
    z.lazy(later),
  ]
  for (const schema of taken) t.equal(refusal(schema), undefined, schema.type)
  const declared = z.string()
  t.end()
})

test('a coerced boolean is refused beside options that match and behind functions too, for it reads false as true', t => {
  for (const schema of [
    z.union([z.string(), z.coerce.boolean()]),
    z.preprocess(value => value, z.coerce.boolean()),
    z.preprocess(value => [value], z.array(z.coerce.boolean())),
  ]) {
    t.match(refusal(schema), /'boolean' reads every non-empty string as true: use z\.stringbool\(\)$/)
  }
  t.end()
})

test('a schema that holds itself is looked through once', t => {
  const list: z.ZodType = z.lazy(() => z.union([z.string(), list]))
  t.equal(refusal(list), undefined)
  const numbers: z.ZodType = z.lazy(() => z.union([z.number(), numbers]))
  t.equal(
    refusal(z.object({}).transform(() => 1)),
    "where, at /properties/a: 'object' never matches text: give each field a separate parameter, " +
      'or parse one string with z.string().transform(…)',
  )
  t.equal(refusal(numbers), undefined, 'and what is found nowhere is not refused')
  t.end()
})

test('fields are looked at behind wrappers of the whole part', t => {
  const bad = z.object({ a: z.number() })
  const parts: readonly z.ZodType[] = [
    bad.strict(),
    bad.loose(),
    bad.optional(),
    bad.readonly(),
    bad.transform(value => value),
    bad.pipe(z.any()),
    z.unknown().pipe(bad),
    bad.refine(() => true),
    z.lazy(() => bad),
    z.union([bad, bad]),
    z.intersection(bad, z.object({})),
    z.intersection(z.looseObject({}), bad),
    z.record(z.string(), z.number()),
    z.object({}).catchall(z.number()),
  ]
  for (const part of parts)
    t.throws(() => checkText('where', part), {
      name: 'TypeError',
      message: /^where, at \/(properties\/a|additionalProperties): 'number' never matches text/,
    })
  for (const part of [
    z.union([bad, z.object({ a: z.string() })]),
    z.preprocess(() => ({ a: 1 }), bad),
    z.strictObject({ a: z.string() }),
    z.any(),
    undefined,
  ])
    t.doesNotThrow(() => checkText('where', part))
  for (const part of [z.string(), z.array(z.string()), z.null()])
    t.throws(() => checkText('where', part), {
      message: /^where: '(string|array|null)' never matches an object of strings: use z\.object\(\)$/,
    })
  t.throws(
    () =>
      checkText(
        'where',
        z.preprocess(value => value, z.object({ a: z.coerce.boolean() })),
      ),
    { message: /properties\/a: 'boolean'/ },
  )
  t.end()
})

test('declarations are refused with their owner and part', t => {
  const bad = z.object({ 'x-n': z.number() })
  t.throws(() => aggregate('cats', { url: '/cats', query: bad }), {
    name: 'TypeError',
    message: "aggregate 'cats', query, at /properties/x-n: 'number' never matches text: use z.coerce.number()",
  })
  t.throws(() => aggregate('cats', { url: '/cats', headers: bad }), {
    message: /^aggregate 'cats', headers, at \/properties\/x-n: 'number'/,
  })
  t.throws(() => aggregate('cats', { url: '/{id}', params: z.object({ id: z.int() }) }), {
    message: /^aggregate 'cats', params, at \/properties\/id: 'number'/,
  })
  t.throws(
    () =>
      defineUpstream(
        'cats',
        { origin: 'http://cats.test' },
        { get: operation({ path: '/', output: z.unknown(), responseHeaders: bad }) },
      ),
    { message: /^cats\.get, responseHeaders, at \/properties\/x-n: 'number'/ },
  )
  t.doesNotThrow(() => aggregate('cats', { url: '/cats', body: bad }), 'a body has types of its own')
  t.doesNotThrow(
    () =>
      defineUpstream(
        'cats',
        { origin: 'http://cats.test' },
        { get: operation({ path: '/{id}', params: z.object({ id: z.number() }), query: bad, output: z.unknown() }) },
      ),
    'and so has what goes out',
  )
  t.end()
})
