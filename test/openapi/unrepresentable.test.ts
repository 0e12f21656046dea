import fastify from 'fastify'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { DocumentError } from '../../src/http/openapi/document-error.ts'
import { openapiDocument } from '../../src/http/openapi/document.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { operations, type Document, type Operation } from './helpers/document.ts'

const replying = (schema: z.ZodType, name = 'thing') =>
  aggregate(name, { url: `/${name}` }).reply(schema, () => undefined as never)

const taking = (part: 'body' | 'query', schema: z.ZodType) =>
  aggregate('thing', { url: '/thing', [part]: schema }).reply(z.null(), () => null)

const documentOf = (...aggregates: readonly AnyAggregate[]) =>
  openapiDocument(aggregates, { health: false }) as unknown as Document

const operationOf = (each: AnyAggregate) => operations(documentOf(each))[0]?.operation as Operation

const bodyOf = (schema: z.ZodType) =>
  operationOf(taking('body', schema)).requestBody?.content['application/json']?.schema

const replyOf = (schema: z.ZodType) => {
  const { components } = documentOf(replying(schema))
  const { ThingReply } = components['schemas'] as Readonly<
    Record<string, { readonly properties: { readonly data: object } }>
  >
  return ThingReply?.properties.data
}

/** Schemas of values that JSON does not have, each with its type and with the fix that the fault names. */
const impossible: readonly (readonly [schema: z.ZodType, type: string, fix: string])[] = [
  [z.map(z.string(), z.string()), 'map', 'use z.record()'],
  [z.set(z.string()), 'set', 'use z.array()'],
  [z.symbol(), 'symbol', 'use a type that JSON has'],
  [z.function(), 'function', 'use a type that JSON has'],
  [z.file(), 'file', 'use z.base64()'],
  [z.promise(z.string()), 'promise', 'await the value in a step'],
  [z.custom<string>(() => true), 'custom', 'use a type that JSON has'],
  [z.instanceof(URL), 'custom', 'use a type that JSON has'],
  [z.literal(undefined), 'literal', 'use .optional() for undefined'],
  [z.number().multipleOf(Infinity), 'number', 'use a finite multipleOf other than 0'],
  [z.object({ [Symbol('key')]: z.string() } as never), 'object', 'remove its symbol keys'],
]

test('a type that JSON does not have is a fault of its aggregate, with its place and the fix', async t => {
  const inRequests = [
    ...impossible,
    [z.date(), 'date', 'use z.iso.datetime() or z.coerce.date()'],
    [z.nan(), 'nan', 'remove it'],
  ] as const
  const inReplies = [...impossible, [z.string().transform(text => text.length), 'transform', '.pipe()']] as const
  for (const [part, cases] of [
    ['body', inRequests],
    ['reply', inReplies],
  ] as const) {
    for (const [schema, type, fix] of cases) {
      const make = (each: z.ZodType) => (part === 'reply' ? replying(each) : taking('body', each))
      for (const [each, place] of [
        [schema, ''],
        [z.object({ a: z.array(schema) }), ', at /properties/a/items'],
        [z.object({ 'a/b': schema.optional() }), ', at /properties/a~1b'],
        [z.record(z.string(), schema), ', at /additionalProperties'],
        [z.tuple([z.string(), schema]), ', at /prefixItems/1'],
      ] as const) {
        const start = `aggregate 'thing', ${part}${place}: '${type}' cannot be written as JSON Schema: `
        try {
          documentOf(make(each))
          t.fail(`${part} ${type}${place} is refused`)
        } catch (error) {
          const { message } = error as Error
          t.equal(message.slice(0, start.length), start)
          t.match(message, fix)
          t.match(message, ".meta({ type: 'string' })")
        }
      }
    }
  }
})

test('all faults of all aggregates are reported together', async t => {
  const Odd = z.object({ a: z.map(z.string(), z.string()), b: z.array(z.set(z.string())) })
  const one = replying(Odd, 'one')
  const two = aggregate('two', { url: '/two', body: z.object({ at: z.date() }) }).reply(z.string(), () => 'a')
  try {
    documentOf(one, two)
    t.fail('they are refused')
  } catch (error) {
    t.match((error as DocumentError).faults, [
      { aggregate: 'one', reason: /at \/properties\/a: 'map'.*\n.*at \/properties\/b\/items: 'set'/ },
      { aggregate: 'two', reason: /^aggregate 'two', body, at \/properties\/at: 'date'/ },
    ])
    t.equal((error as Error).message.split('\n').length, 3)
  }
})

test('a schema that is used twice is a fault in each place where it cannot be written', async t => {
  const at = z.date()
  t.throws(() => bodyOf(z.object({ a: z.union([z.iso.datetime(), at]), b: at })), {
    message: /^aggregate 'thing', body, at \/properties\/b: 'date'[^\n]*$/,
  })
})

test('a reply is documented in the form in which JSON writes it', async t => {
  t.same(replyOf(z.date()), { type: 'string', format: 'date-time' })
  t.same(replyOf(z.nan()), { type: 'null' })
  t.same(replyOf(z.union([z.number(), z.nan()])), { type: ['number', 'null'] })
  t.same(replyOf(z.union([z.iso.datetime(), z.date()])), { type: 'string', format: 'date-time' }, 'each option once')
  t.same(replyOf(z.preprocess(value => value, z.date())), { type: 'string', format: 'date-time' })
  t.same(replyOf(z.literal(5n)), { type: 'integer', const: 5 })
  t.same(replyOf(z.json()), {}, 'every value')
  t.same(replyOf(z.object({ a: z.json().describe('Any.') })), {
    type: 'object',
    properties: { a: { description: 'Any.' } },
    required: ['a'],
  })
})

test('a request is documented with the values that it can contain', async t => {
  t.same(bodyOf(z.coerce.date()), { type: 'string', format: 'date-time' })
  t.same(bodyOf(z.string().transform(text => new Map([[text, text]]))), { type: 'string' }, 'before its transform')
  t.same(bodyOf(z.iso.datetime().pipe(z.coerce.date())), { type: 'string', format: 'date-time' })
  t.same(bodyOf(z.union([z.iso.datetime(), z.date()])), { type: 'string', format: 'date-time' }, 'what can match')
  t.same(bodyOf(z.union([z.number(), z.string(), z.nan()])), { type: ['number', 'string'] })
  t.same(bodyOf(z.preprocess(value => new Date(value as string), z.date())), {}, 'whatever its function reads')
  t.same(bodyOf(z.preprocess(value => value, z.object({ at: z.date(), b: z.string() }))), {
    type: 'object',
    properties: { at: {}, b: { type: 'string' } },
    required: ['at', 'b'],
  })
  t.throws(() => bodyOf(z.union([z.date(), z.nan()])), { message: /at \/anyOf\/0: 'date'.*\n.*at \/anyOf\/1: 'nan'/ })
  t.same(
    operationOf(taking('query', z.object({ at: z.coerce.date(), flag: z.stringbool() }))).parameters?.slice(0, 2),
    [
      { name: 'at', in: 'query', required: true, schema: { type: 'string', format: 'date-time' } },
      { name: 'flag', in: 'query', required: true, schema: { type: 'string' } },
    ],
  )
})

test('an author writes the JSON Schema of a type by hand', async t => {
  t.same(replyOf(z.custom<string>(() => true).meta({ type: 'string', format: 'color' })), {
    type: 'string',
    format: 'color',
  })
  t.same(
    replyOf(
      z.object({
        a: z
          .string()
          .transform(text => text.length)
          .meta({ type: 'integer' }),
      }),
    ),
    {
      type: 'object',
      properties: { a: { type: 'integer' } },
      required: ['a'],
    },
  )
  t.same(bodyOf(z.object({ at: z.date().meta({ type: 'string', format: 'date' }).optional() })), {
    type: 'object',
    properties: { at: { type: 'string', format: 'date' } },
  })
  t.same(replyOf(z.file().meta({ enum: ['a', 'b'] })), {
    enum: ['a', 'b'],
    type: 'string',
    format: 'binary',
    contentEncoding: 'binary',
  })
  t.throws(
    () => replyOf(z.set(z.string()).meta({ description: 'Some.' })),
    { message: /'set'/ },
    'words are not a type',
  )
})

test('a record with fixed keys has them as properties', async t => {
  const Keys = z.record(z.enum(['a', 'b']), z.number())
  const properties = { a: { type: 'number' }, b: { type: 'number' } }
  t.same(replyOf(Keys), { type: 'object', properties, required: ['a', 'b'] }, 'a reply may gain fields')
  t.same(bodyOf(Keys), { type: 'object', properties, required: ['a', 'b'], additionalProperties: false })
  t.same(replyOf(z.partialRecord(z.enum(['a', 'b']), z.number())), { type: 'object', properties })
})

test('the service and the plugin refuse to start with such a type', async t => {
  const odd = replying(z.object({ when: z.map(z.string(), z.string()) }), 'odd')
  const message =
    /^aggregate 'odd', reply, at \/properties\/when: 'map' cannot be written as JSON Schema: use z\.record\(\)/
  const service = buildApp([odd])
  t.teardown(() => service.close())
  await t.rejects(async () => service.ready(), { message })

  const app = fastify()
  t.teardown(() => app.close())
  await t.rejects(async () => app.register(headwaters, { aggregates: [odd] }), { message })

  const plain = fastify()
  t.teardown(() => plain.close())
  await plain.register(headwaters, { aggregates: [odd], describe: false })
  t.ok(plain.hasRoute({ method: 'GET', url: '/odd' }), 'an app without a description serves it')
})

test('numbers that JSON does not have are left out of bounds, defaults, examples and fixed values', t => {
  const number = { type: 'number' }
  const cases: readonly (readonly [z.ZodType, object])[] = [
    [z.number().min(-Infinity).max(Infinity), number],
    [z.number().gt(-Infinity).lt(Infinity), number],
    [z.string().max(Infinity), { type: 'string' }],
    [z.array(z.number()).max(Infinity), { type: 'array', items: number }],
    [z.number().default(Infinity), number],
    [z.number().prefault(NaN), number],
    [z.array(z.number()).default([1, NaN]), { type: 'array', items: number }],
    [z.number().meta({ examples: [Infinity, 1] }), { ...number, examples: [1] }],
  ]
  for (const [schema, expected] of cases) {
    t.same(bodyOf(schema), expected)
    t.same(replyOf(schema), expected)
  }
  t.same(bodyOf(z.number().default(5)), { ...number, default: 5 })
  t.same(bodyOf(z.literal([1, Infinity])), { ...number, enum: [1] })
  t.same(bodyOf(z.union([z.literal(Infinity), z.string()])), { type: 'string' }, 'no JSON value matches the other')
  const message = /: 'NaN or Infinity' cannot be written as JSON Schema: remove it, or/
  for (const schema of [z.literal(NaN), z.literal(-Infinity), z.enum({ none: NaN }), z.number().meta({ const: NaN })]) {
    t.throws(() => bodyOf(schema), { name: 'TypeError', message })
    t.throws(() => replyOf(schema), { name: 'TypeError', message })
  }
  t.throws(() => replyOf(z.literal([1, Infinity])), { name: 'TypeError', message })
  t.end()
})
