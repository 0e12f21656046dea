import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { checkWritten, type WrittenPart } from '../../../src/core/schema/check-written.ts'
import { writeQuery } from '../../../src/upstream/call/query.ts'
import { checkPathNames } from '../../../src/upstream/spec/check-path-names.ts'
import { fillTemplate, parseTemplate } from '../../../src/upstream/spec/template.ts'

const field = (id: z.ZodType) => z.object({ id })
const check = (part: WrittenPart, schema: z.ZodType | undefined, names = ['id']) => {
  if (part === 'path') checkPathNames('cats.ask', schema, names)
  checkWritten('cats.ask', part, schema, names)
}
const dateOfText = z.codec(z.string(), z.date(), { decode: text => new Date(text), encode: date => date.toISOString() })

/** Schemas whose output has one text in a URL, or may have one. */
const written: Readonly<Record<string, z.ZodType>> = {
  string: z.string(),
  email: z.email(),
  brand: z.string().brand('a'),
  number: z.number(),
  int: z.int(),
  float: z.float64(),
  boolean: z.boolean(),
  stringbool: z.stringbool(),
  bigint: z.bigint(),
  date: z.date(),
  'coerced date': z.coerce.date(),
  'ISO text': z.iso.datetime(),
  literal: z.literal(['a', 1, 2n, true]),
  enum: z.enum({ a: 'x', b: 1 }),
  union: z.union([z.string(), z.number(), z.date()]),
  'template literal': z.templateLiteral(['a', z.number()]),
  readonly: z.string().readonly(),
  default: z.string().default('a'),
  'optional default': z.string().optional().default('a'),
  'default optional': z.string().default('a').optional(),
  prefault: z.string().prefault('a'),
  nonoptional: z.string().optional().nonoptional(),
  'exact optional': z.exactOptional(z.string()),
  catch: z.string().catch('a'),
  pipe: z.array(z.string()).pipe(z.transform(list => list.join())),
  transform: z.object({ a: z.string() }).transform(({ a }) => a),
  preprocess: z.preprocess(value => value, z.string()),
  codec: dateOfText,
  custom: z.instanceof(URL),
  any: z.any(),
  unknown: z.unknown(),
  'preprocess of anything': z.preprocess(value => value, z.unknown()),
  intersection: z.string().and(z.string()),
  lazy: z.lazy(() => z.string()),
  'lazy that is not there yet': z.lazy(() => {
    throw new ReferenceError('not there yet')
  }),
  never: z.never(),
  success: z.success(z.object({})),
}

/** Schemas whose output has no text in a URL, by the type that is named. */
const unwritten: Readonly<Record<string, z.ZodType>> = {
  object: z.object({ a: z.string() }),
  record: z.record(z.string(), z.string()),
  map: z.map(z.string(), z.string()),
  set: z.set(z.string()),
  symbol: z.symbol(),
  function: z.function(),
  file: z.file(),
  nan: z.nan(),
  promise: z.promise(z.string()),
  literal: z.literal(Infinity),
}

test('a text, a number, a boolean, a bigint and a date are written into a path and a query', t => {
  for (const [name, schema] of Object.entries(written)) {
    t.doesNotThrow(() => check('path', field(schema)), `${name} in a path`)
    t.doesNotThrow(() => check('query', field(schema)), `${name} in a query`)
    t.doesNotThrow(() => check('query', field(z.array(schema))), `a list of ${name} in a query`)
    t.doesNotThrow(() => check('body', field(schema)), `${name} in a body`)
  }
  t.end()
})

test('a schema without a text form is refused with its place, its type and the fix', t => {
  for (const [type, schema] of Object.entries(unwritten)) {
    for (const part of ['path', 'query'] as const)
      for (const [wrapped, said = type] of [
        [schema],
        [schema.readonly()],
        [z.string().or(schema)],
        [z.preprocess(value => value, schema)],
        [z.lazy(() => schema)],
        [z.unknown().pipe(schema)],
      ] as const)
        t.throws(() => check(part, field(wrapped)), {
          name: 'TypeError',
          message: `cats.ask, at /properties/id: '${said}' cannot be written into a ${part}: convert it to a string with .transform(…)`,
        })
  }
  t.end()
})

test('a path needs each value, and a query leaves out what is not there', t => {
  for (const [schema, message] of [
    [z.string().optional(), /at \/properties\/id: 'optional' can be absent, and a path needs a value.*\.default\(/],
    [z.string().nullish(), /'nullable' can be null, and a path needs a value: remove \.nullable\(\)/],
    [z.string().nullable().default('a'), /'nullable'/],
    [z.string().optional().catch('a'), /'catch' can be absent/],
    [z.any().optional(), /'optional' can be absent/],
    [z.union([z.string(), z.undefined()]), /'undefined' cannot be written into a path/],
    [z.literal(['a', undefined]), /'literal' cannot be written/],
    [z.literal(['a', null]), /'literal' cannot be written/],
    [z.null(), /'null' cannot be written/],
    [z.void(), /'void' cannot be written/],
    [z.array(z.string()), /'array' cannot be written/],
    [z.tuple([z.string()]), /'tuple' cannot be written/],
  ] as const) {
    t.throws(() => check('path', field(schema)), { name: 'TypeError', message })
    t.doesNotThrow(() => check('query', field(schema)), message.source)
  }
  t.end()
})

test('a query takes a list of values, and no list of lists', t => {
  for (const schema of [
    z.array(z.string()),
    z.tuple([z.string(), z.number()], z.date()),
    z.array(z.string().nullish()),
    z.array(z.string()).or(z.string()),
  ])
    t.doesNotThrow(() => check('query', field(schema)))
  for (const [schema, message] of [
    [z.array(z.array(z.string())), /at \/properties\/id\/items: 'array' cannot be written into a query/],
    [z.array(z.object({})), /at \/properties\/id\/items: 'object'/],
    [z.tuple([z.string()], z.object({})), /at \/properties\/id\/items: 'object'/],
    [z.tuple([z.symbol()]), /at \/properties\/id\/items: 'symbol'/],
  ] as const)
    t.throws(() => check('query', field(schema)), { name: 'TypeError', message })
  t.end()
})

test('all values of a part are one object', t => {
  for (const schema of [
    z.looseObject({ id: z.string() }),
    z.object({ id: z.string() }).catchall(z.number()),
    z.record(z.string(), z.string()),
    z.record(z.enum(['id']), z.number()),
    z.object({ id: z.string() }).and(z.object({ other: z.string() })),
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), id: z.string() }),
      z.object({ kind: z.literal('b'), id: z.date() }),
    ]),
    z.object({ a: z.string() }).transform(({ a }) => ({ id: a })),
    z.unknown(),
  ])
    for (const part of ['path', 'query'] as const) t.doesNotThrow(() => check(part, schema))
  for (const schema of [z.string(), z.array(z.string()), z.map(z.string(), z.string()), z.date()])
    for (const part of ['path', 'query'] as const)
      t.throws(() => check(part, schema), {
        name: 'TypeError',
        message: new RegExp(
          `^cats\\.ask: '\\w+' cannot be written into a ${part}: use z\\.object\\(…\\) with a field for each`,
        ),
      })
  for (const [schema, message] of [
    [z.record(z.string(), z.object({})), /at \/additionalProperties: 'object'/],
    [z.object({}).catchall(z.symbol()), /at \/additionalProperties: 'symbol'/],
    [z.object({}).and(z.object({ deep: z.object({}) })), /at \/properties\/deep: 'object'/],
  ] as const)
    t.throws(() => check('query', schema), { name: 'TypeError', message })
  t.end()
})

test('a path takes the fields that its template names, and each of them needs a schema', t => {
  t.doesNotThrow(() => check('path', z.object({ id: z.string(), more: z.object({}) })), 'more is not written')
  t.doesNotThrow(() => check('path', undefined, []))
  t.doesNotThrow(() => check('path', z.object({ a: z.string() }).and(z.object({ b: z.string() })), ['a', 'b']))
  t.throws(() => check('path', z.object({ a: z.string() }).catchall(z.object({}))), {
    message: /at \/additionalProperties: 'object'/,
  })
  for (const schema of [
    undefined,
    z.object({}),
    z.object({ Id: z.string() }),
    z.strictObject({ other: z.string() }),
    z
      .object({ other: z.string() })
      .and(z.object({ another: z.string() }))
      .readonly(),
    z.union([z.object({}), z.object({ other: z.string() })]),
  ])
    t.throws(() => check('path', schema), {
      name: 'TypeError',
      message: `cats.ask: there is no schema for '{id}' of the path: add id to params`,
    })
  t.end()
})

test('a body takes what JSON writes, and refuses what it drops', t => {
  interface Nested {
    readonly next?: Nested | undefined
  }
  const Nested: z.ZodType<Nested> = z.object({
    get next() {
      return Nested.optional()
    },
  })
  for (const schema of [
    z.object({ list: z.array(z.object({ at: z.date(), size: z.bigint() })) }).optional(),
    z.json(),
    z.null(),
    z.tuple([z.string(), z.record(z.string(), z.unknown())]),
    Nested,
    z.map(z.string(), z.string()).transform(map => [...map]),
  ])
    t.doesNotThrow(() => check('body', schema))
  for (const [schema, message] of [
    [
      z.object({ a: z.array(z.map(z.string(), z.string())) }),
      /at \/properties\/a\/items: 'map' cannot be written as JSON/,
    ],
    [z.set(z.string()), /^cats\.ask: 'set' cannot be written as JSON: convert it to an object, a list or a string/],
    [z.record(z.string(), z.nan()), /at \/additionalProperties: 'nan'/],
    [z.object({ a: z.symbol() }).or(z.string()), /at \/properties\/a: 'symbol'/],
    [Nested.and(z.object({ a: z.file() })), /at \/properties\/a: 'file'/],
    [z.lazy(() => z.promise(z.string())), /'promise'/],
  ] as const)
    t.throws(() => check('body', schema), { name: 'TypeError', message })
  t.end()
})

test('a schema whose function throws for undefined is not refused', t => {
  const strict = z.string().or(
    z.preprocess(() => {
      throw new Error('no text')
    }, z.string()),
  )
  t.doesNotThrow(() => check('path', field(strict)))
  t.end()
})

test('a schema that is shared many times over is checked once', t => {
  let schema: z.ZodType = z.string()
  for (let depth = 0; depth < 40; depth++) schema = z.object({ a: schema, b: schema })
  t.doesNotThrow(() => check('body', schema))
  t.end()
})

/** A schema, and what it may make. */
interface Sample {
  readonly schema: z.ZodType
  readonly outputs: readonly unknown[]
}

const leaves: readonly Sample[] = [
  { schema: z.string(), outputs: ['a'] },
  { schema: z.number(), outputs: [1.5] },
  { schema: z.boolean(), outputs: [true] },
  { schema: z.bigint(), outputs: [1n] },
  { schema: z.date(), outputs: [new Date(0)] },
  { schema: z.null(), outputs: [null] },
  { schema: z.undefined(), outputs: [undefined] },
  { schema: z.nan(), outputs: [Number.NaN] },
  { schema: z.object({}), outputs: [{}] },
  { schema: z.map(z.string(), z.string()), outputs: [new Map()] },
  { schema: z.literal(['a', 1]), outputs: ['a', 1] },
  { schema: z.literal(['a', null]), outputs: ['a', null] },
]

const { sample } = fc.letrec<{ sample: Sample }>(tie => ({
  sample: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(...leaves),
    tie('sample').map(({ schema, outputs }) => ({ schema: schema.optional(), outputs: [...outputs, undefined] })),
    tie('sample').map(({ schema, outputs }) => ({ schema: schema.nullable(), outputs: [...outputs, null] })),
    tie('sample').map(({ schema, outputs }) => ({ schema: schema.readonly(), outputs })),
    tie('sample').map(({ schema, outputs }) => ({ schema: z.lazy(() => schema), outputs })),
    tie('sample').map(({ schema, outputs }) => ({ schema: z.array(schema), outputs: [outputs] })),
    fc.tuple(tie('sample'), tie('sample')).map(([first, second]) => ({
      schema: z.union([first.schema, second.schema]),
      outputs: [...first.outputs, ...second.outputs],
    })),
  ),
}))

test('a schema is refused if and only if something that it makes cannot be written', t => {
  const isAccepted = (part: WrittenPart, schema: z.ZodType) => {
    try {
      check(part, field(schema))
      return true
    } catch {
      return false
    }
  }
  const canWrite = (write: () => unknown) => {
    try {
      write()
      return true
    } catch {
      return false
    }
  }
  const template = parseTemplate('/{id}', 'cats.ask')
  fc.assert(
    fc.property(sample, ({ schema, outputs }) => {
      const inPath = outputs.every(id => canWrite(() => fillTemplate(template, { id }, 'cats.ask')))
      const inQuery = outputs.every(id => canWrite(() => writeQuery({ id }, 'cats.ask')))
      t.equal(isAccepted('path', schema), inPath)
      t.equal(isAccepted('query', schema), inQuery)
    }),
    { numRuns: 300 },
  )
  t.end()
})
