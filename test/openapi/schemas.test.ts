import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { openapiDocument, type OpenapiOptions } from '../../src/http/openapi/document.ts'
import { openapiYaml } from '../../src/http/openapi/yaml.ts'
import { writeJson } from '../../src/core/json/write.ts'
import { operations, type Document, type Operation } from './helpers/document.ts'

const documentOf = (aggregates: readonly AnyAggregate[], options: OpenapiOptions = {}) =>
  openapiDocument(aggregates, { health: false, ...options }) as unknown as Document

const schemasOf = (...aggregates: readonly AnyAggregate[]) => documentOf(aggregates).components['schemas'] ?? {}

/** An aggregate that answers by this schema. */
const answering = (schema: z.ZodType, name = 'thing') =>
  aggregate(name, { url: `/${name}` }).reply(schema, () => undefined)

/** The schema of the data in its reply. */
const dataOf = (schema: z.ZodType) =>
  (schemasOf(answering(schema))['ThingReply'] as { readonly properties: { readonly data: object } }).properties.data

/** The one operation of a document. */
const operationOf = (each: AnyAggregate) => operations(documentOf([each]))[0]?.operation as Operation

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

test('a schema with an id is one component, wherever it is used', async t => {
  const Cat = z.object({ name: z.string() }).meta({ id: 'Cat' })
  const schemas = schemasOf(
    answering(z.object({ one: Cat, many: z.array(Cat) }), 'first'),
    answering(Cat.nullable(), 'second'),
  )
  t.same(schemas['Cat'], { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] })
  t.match(schemas['FirstReply'], {
    properties: { data: { properties: { one: ref('Cat'), many: { items: ref('Cat') } } } },
  })
  t.match(schemas['SecondReply'], { properties: { data: { anyOf: [ref('Cat'), { type: 'null' }] } } })
})

test('a readonly schema can be sent', async t => {
  const schemas = schemasOf(
    aggregate('put', {
      url: '/put',
      body: z
        .object({ ids: z.array(z.bigint()).readonly(), made: z.string().meta({ readOnly: true }) })
        .readonly()
        .meta({ id: 'Put' }),
    }).reply(z.unknown(), () => 1),
  )
  t.same(schemas['Put'], {
    type: 'object',
    properties: {
      ids: { type: 'array', items: { type: 'integer', format: 'int64' } },
      made: { readOnly: true, type: 'string' },
    },
    required: ['ids', 'made'],
  })
})

test('a schema with different request and response shapes has two names, and so has a schema that contains it', async t => {
  const Size = z.object({ width: z.number().default(1) }).meta({ id: 'Size' })
  const Plain = z.object({ a: z.string() }).meta({ id: 'Plain' })
  const Box = z.object({ size: Size, plain: Plain }).meta({ id: 'Box' })
  const Order = z.object({ size: Size }).meta({ id: 'Order' })
  const schemas = schemasOf(
    aggregate('box', {
      url: '/box',
      stream: false,
      body: z.object({ box: Box, order: Order }).meta({ id: 'Ask' }),
    }).reply(Box, ({ body }) => body.box),
  )
  t.same(
    Object.keys(schemas).filter(name => /Size|Box|Plain|Order|Ask/.test(name)),
    ['Ask', 'Box', 'BoxInput', 'BoxReply', 'Order', 'Plain', 'Size', 'SizeInput'],
  )
  t.match(schemas['Ask'], { properties: { box: ref('BoxInput'), order: ref('Order') } })
  t.match(schemas['BoxInput'], { properties: { size: ref('SizeInput'), plain: ref('Plain') } })
  t.match(schemas['Box'], { properties: { size: ref('Size'), plain: ref('Plain') } })
  t.match(schemas['Order'], { properties: { size: ref('SizeInput') } })
  t.same(schemas['SizeInput'], { type: 'object', properties: { width: { type: 'number', default: 1 } } })
  t.same(schemas['Size'], { type: 'object', properties: { width: { type: 'number' } }, required: ['width'] })
})

test('an id that names two schemas is refused, and the message says where', async t => {
  const twice = [
    answering(z.object({ a: z.string() }).meta({ id: 'Twice' }), 'first'),
    answering(z.object({ b: z.string() }).meta({ id: 'Twice' }), 'second'),
  ]
  t.throws(
    () => documentOf(twice),
    new TypeError(
      "aggregate 'second', reply: the id 'Twice' already belongs to another schema: give one of the two another id",
    ),
  )
  const within = z.object({
    a: z.object({ a: z.string() }).meta({ id: 'Within' }),
    b: z.object({ b: z.string() }).meta({ id: 'Within' }),
  })
  t.throws(() => documentOf([answering(within)]), { name: 'TypeError', message: /^aggregate 'thing', reply: .*Within/ })
  t.throws(() => documentOf([answering(z.object({}).meta({ id: 'two words' }))]), {
    name: 'TypeError',
    message: /the id 'two words' is not a component name/,
  })
})

test("an id of the service's own schemas is refused where an aggregate has it, and nowhere else", t => {
  const { components } = documentOf([
    aggregate('thing', { url: '/thing' })
      .context(() => ({}))
      .each('list', () => [])
      .reply(z.null(), () => null),
  ])
  const ids = Object.keys(components['schemas'] ?? {}).filter(id => !id.startsWith('Thing'))
  t.match(ids, ['ContextOutcome', 'ErrorCode', 'Fault', 'ListOutcome'])
  const page = readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8')
  const listed = /The ids of the service's own schemas are refused: ([^.]*)\./.exec(page)?.[1] ?? ''
  t.same(
    Array.from(listed.matchAll(/`(\w+)`/g), match => match[1]),
    ids,
    'the docs list them',
  )
  const plain = answering(z.null(), 'plain')
  for (const id of ids) {
    const schema = z.object({ mine: z.string() }).meta({ id })
    const message = (part: string) =>
      `aggregate 'thing', ${part}: the id '${id}' belongs to a schema of the service: give the schema another id`
    for (const [part, each] of [
      ['reply', answering(schema)],
      ['reply', answering(z.array(z.object({ deep: schema.optional() })))],
      ['body', aggregate('thing', { url: '/thing', body: schema }).reply(z.null(), () => null)],
      [
        'query',
        aggregate('thing', { url: '/thing', query: z.object({ a: z.string().meta({ id }) }) }).reply(
          z.null(),
          () => null,
        ),
      ],
    ] as const)
      for (const all of [
        [each, plain],
        [plain, each],
      ])
        t.throws(() => documentOf(all), {
          faults: [{ aggregate: 'thing', reason: message(part) }],
          message: message(part),
        })
  }
  t.notOk(
    Object.hasOwn(schemasOf(plain), 'ContextOutcome'),
    'a schema of the service that is not used is not in the document',
  )
  t.end()
})

test('the name of the request shape must be free', async t => {
  const body = z.object({ a: z.number().default(1) }).meta({ id: 'Taken' })
  const reply = z.object({ body, other: z.object({ b: z.string() }).meta({ id: 'TakenInput' }) })
  const each = aggregate('thing', { url: '/thing', body }).reply(reply, () => ({ body: {}, other: { b: '' } }))
  t.throws(() => documentOf([each]), {
    name: 'TypeError',
    message: /'Taken' differs between requests and replies, so its request form needs the id 'TakenInput'/,
  })
})

test('a type that JSON does not have is rejected with the aggregate and the place', async t => {
  const cases: readonly (readonly [z.ZodType, RegExp])[] = [
    [
      z.object({ list: z.array(z.string().transform(text => text.length)) }),
      /^aggregate 'thing', reply, at \/properties\/list\/items.*: 'transform' cannot be written as JSON Schema: .*\.pipe\(\)/,
    ],
    [z.object({ odd: z.symbol() }), /^aggregate 'thing', reply, at \/properties\/odd: 'symbol' cannot be written/],
    [
      z.object({ odd: z.literal([1n, undefined]) }),
      /^aggregate 'thing', reply, at \/properties\/odd: 'literal' cannot be written/,
    ],
    [z.map(z.string(), z.string()), /^aggregate 'thing', reply: 'map' cannot/],
    [z.custom<string>(() => true), /^aggregate 'thing', reply: 'custom' cannot/],
  ]
  for (const [schema, message] of cases) t.throws(() => documentOf([answering(schema)]), { name: 'TypeError', message })
  t.throws(
    () =>
      operationOf(aggregate('thing', { url: '/thing', query: z.object({ at: z.date() }) }).reply(z.null(), () => null)),
    { name: 'TypeError', message: /^aggregate 'thing', query, at \/properties\/at: 'date'/ },
  )
  const params = z.record(z.string(), z.string()) as unknown as z.ZodObject<{ id: z.ZodString }>
  t.throws(() => operationOf(aggregate('thing', { url: '/thing/{id}', params }).reply(z.null(), () => null)), {
    name: 'TypeError',
    message: /^aggregate 'thing', params: must be a z\.object\(\), because/,
  })
})

test('a recursive schema needs an id', async t => {
  const Nameless = z.object({
    name: z.string(),
    get kittens() {
      return z.array(Nameless)
    },
  })
  t.throws(() => dataOf(Nameless), {
    name: 'TypeError',
    message: /^aggregate 'thing', reply: .*needs an id: add \.meta\(\{ id: 'Name' \}\)/,
  })
  t.throws(() => dataOf(z.object({ cat: Nameless })), { name: 'TypeError', message: /needs an id/ })
  const Named = z
    .object({
      name: z.string(),
      get kittens() {
        return z.array(Named)
      },
    })
    .meta({ id: 'Named' })
  t.match(schemasOf(answering(Named)), {
    Named: { properties: { kittens: { items: ref('Named') } } },
    ThingReply: { properties: { data: ref('Named') } },
  })
})

test('a recursive schema with a name is documented in each of its forms', t => {
  const Node = z
    .object({
      name: z.string(),
      get below() {
        return z.array(Node)
      },
    })
    .meta({ id: 'Node' })
  const Self = z
    .object({
      get parent(): z.ZodType {
        return Self.describe('Its parent.').optional()
      },
    })
    .meta({ id: 'Self' })
  const Deep = z
    .object({
      get rows(): z.ZodType {
        return z.record(z.string(), z.array(z.object({ cell: Deep.nullable() })))
      },
    })
    .meta({ id: 'Deep' })
  const below = { type: 'array', items: ref('Node') }
  const node = { type: 'object', properties: { name: { type: 'string' }, below }, required: ['name', 'below'] }
  const own = { description: 'Own.', ...ref('Node') }
  const cases: readonly (readonly [z.ZodType, object])[] = [
    [z.object({ a: Node.describe('Own.') }), { properties: { a: own } }],
    [z.object({ a: Node.meta({ title: 'Own' }) }), { properties: { a: { title: 'Own', ...ref('Node') } } }],
    [z.array(Node.describe('Own.')), { type: 'array', items: own }],
    [Node.partial(), { properties: { name: { type: 'string' }, below } }],
    [Node.extend({ more: z.string() }), { properties: { name: { type: 'string' }, below, more: { type: 'string' } } }],
    [z.union([Node.describe('Own.'), z.null()]), { anyOf: [own, { type: 'null' }] }],
  ]
  for (const [schema, expected] of cases) {
    t.match(dataOf(schema), expected)
    const schemas = schemasOf(
      answering(schema),
      aggregate('put', { url: '/put', body: z.object({ it: schema, plain: Node }) }).reply(
        Node,
        () => undefined as never,
      ),
    )
    t.same(schemas['Node'], node, 'its own shape is the same in all of them')
    t.notMatch(JSON.stringify(schemas), '__schema')
  }
  t.same(schemasOf(answering(Self))['Self'], {
    type: 'object',
    properties: { parent: { description: 'Its parent.', ...ref('Self') } },
  })
  t.match(schemasOf(answering(z.object({ a: Deep.describe('Own.') })))['Deep'], {
    properties: {
      rows: { additionalProperties: { items: { properties: { cell: { anyOf: [ref('Deep'), { type: 'null' }] } } } } },
    },
  })
  const Nameless = z.object({
    get below() {
      return z.array(Nameless)
    },
  })
  for (const schema of [Nameless.describe('Own.'), z.object({ a: Node.describe('Own.'), b: Nameless })])
    t.throws(() => dataOf(schema), { name: 'TypeError', message: /needs an id/ })
  t.end()
})

test('values that are text in JSON are documented as text', async t => {
  t.same(dataOf(z.date()), { type: 'string', format: 'date-time' })
  t.same(
    dataOf(z.codec(z.iso.datetime(), z.date(), { decode: text => new Date(text), encode: date => date.toISOString() })),
    { type: 'string', format: 'date-time' },
  )
  const { parameters } = operationOf(
    aggregate('thing', { url: '/thing', query: z.object({ since: z.coerce.date(), id: z.coerce.bigint() }) }).reply(
      z.null(),
      () => null,
    ),
  )
  t.match(parameters, [
    { name: 'since', schema: { type: 'string', format: 'date-time' } },
    { name: 'id', schema: { type: 'integer', format: 'int64' } },
  ])
})

test('a query whose fields are not known by name is one open parameter', t => {
  const one = z.object({ a: z.string() })
  const record = z.record(z.string(), z.coerce.number())
  const texts = z.record(z.string(), z.string()).meta({ id: 'Texts' })
  const field = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }
  const numbers = { type: 'object', additionalProperties: { type: 'number' } }
  const cases: readonly (readonly [z.ZodType, object])[] = [
    [record, numbers],
    [z.preprocess(value => value, record), numbers],
    [record.optional(), numbers],
    [z.preprocess(value => JSON.stringify(value), z.string()), { type: 'object', additionalProperties: true }],
    [z.any(), { type: 'object', additionalProperties: true }],
    [z.unknown(), { type: 'object', additionalProperties: true }],
    [z.any().transform(value => [value]), { type: 'object', additionalProperties: true }],
    [z.union([one, record]), { type: 'object', anyOf: [field, numbers] }],
    [texts, { type: 'object', additionalProperties: { type: 'string' } }],
    [z.union([one, texts]), { type: 'object', anyOf: [field, ref('Texts')] }],
  ]
  for (const [query, schema] of cases)
    t.same(
      operationOf(aggregate('thing', { url: '/thing', query }).reply(z.null(), () => null)).parameters?.slice(0, -3),
      [{ name: 'query', in: 'query', style: 'form', explode: true, schema }],
    )
  const described = record.describe('What to count.').meta({ examples: [{ cats: 2 }] })
  t.match(operationOf(aggregate('thing', { url: '/thing', query: described }).reply(z.null(), () => null)).parameters, [
    { name: 'query', description: 'What to count.', example: { cats: 2 }, schema: numbers },
  ])
  t.same(
    operationOf(
      aggregate('thing', { url: '/thing', query: one.nullable() }).reply(z.null(), () => null),
    ).parameters?.slice(0, -3),
    [{ name: 'a', in: 'query', required: true, schema: { type: 'string' } }],
    'a query is never null',
  )
  t.end()
})

test('parameters are found behind wrappers, each once, and are required if every option requires them', async t => {
  const one = z.object({ a: z.coerce.number(), b: z.string() })
  const fieldsOf = (query: z.ZodType) =>
    operationOf(aggregate('thing', { url: '/thing', query }).reply(z.null(), () => null)).parameters?.slice(0, -3)
  const plain = [
    { name: 'a', in: 'query', required: true, schema: { type: 'number' } },
    { name: 'b', in: 'query', required: true, schema: { type: 'string' } },
  ]
  for (const query of [
    z.preprocess(value => value, one),
    one.loose().readonly(),
    z.lazy(() => one),
    z.intersection(one, one),
  ])
    t.same(fieldsOf(query), plain)
  t.same(fieldsOf(z.union([one, z.object({ a: z.coerce.bigint(), c: z.string() })])), [
    {
      name: 'a',
      in: 'query',
      required: true,
      schema: { anyOf: [{ type: 'number' }, { type: 'integer', format: 'int64' }] },
    },
    { name: 'b', in: 'query', schema: { type: 'string' } },
    { name: 'c', in: 'query', schema: { type: 'string' } },
  ])
  t.same(
    fieldsOf(z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b') })])),
    [
      {
        name: 'kind',
        in: 'query',
        required: true,
        schema: {
          anyOf: [
            { type: 'string', const: 'a' },
            { type: 'string', const: 'b' },
          ],
        },
      },
    ],
  )
})

test('a bigint is documented as a 64-bit integer, with exact bounds, defaults and examples', async t => {
  const id = 9_007_199_254_740_993n
  t.same(dataOf(z.bigint()), { type: 'integer', format: 'int64' })
  t.same(dataOf(z.int64()), { type: 'integer', format: 'int64' })
  t.same(dataOf(z.uint64()), { type: 'integer', format: 'uint64', minimum: 0 })
  t.same(dataOf(z.bigint().min(1n).max(id)), { type: 'integer', format: 'int64', minimum: 1, maximum: id })
  t.same(
    dataOf(
      z
        .int64()
        .positive()
        .multipleOf(5n)
        .refine(() => true),
    ),
    { type: 'integer', format: 'int64', exclusiveMinimum: 0, multipleOf: 5 },
  )
  t.same(dataOf(z.literal(id)), { type: 'integer', const: id })
  t.same(dataOf(z.literal([1n, 2n])), { type: 'integer', enum: [1, 2] })
  t.same(dataOf(z.literal([1n, 'none'])), { enum: [1, 'none'] })
  t.same(dataOf(z.bigint().catch(0n)), { type: 'integer', format: 'int64' })
  const body = z
    .object({
      id: z
        .bigint()
        .default(id)
        .meta({ examples: [5n, id] }),
    })
    .meta({ id: 'Ask' })
  const each = aggregate('thing', { url: '/thing', body }).reply(
    z.object({ id: z.bigint() }).meta({ id: 'Told', examples: [{ id }] }),
    () => ({ id }),
  )
  t.same(schemasOf(each)['Ask'], {
    type: 'object',
    properties: { id: { type: 'integer', format: 'int64', default: id, examples: [5, id] } },
  })
  t.match(writeJson(documentOf([each])), /"default":9007199254740993,"examples":\[5,9007199254740993\]/)
  t.match(writeJson(documentOf([each])), /"example":\{"data":\{"id":9007199254740993\}/)
  t.match(openapiYaml([each]), /default: 9007199254740993\n/)
})

test('keywords without information are dropped', async t => {
  t.same(
    dataOf(
      z.object({
        count: z.int(),
        few: z.int().min(0),
        id: z.uuid(),
        at: z.iso.datetime(),
        mail: z.email(),
        code: z.string().regex(/^[a-z]{4}$/),
        words: z.record(z.string(), z.string()),
        kind: z.string().default('cat'),
        note: z.string().meta({ internal: 'do not show', title: 'A note' }),
      }),
    ),
    {
      type: 'object',
      properties: {
        count: { type: 'integer' },
        few: { type: 'integer', minimum: 0 },
        id: { type: 'string', format: 'uuid' },
        at: { type: 'string', format: 'date-time' },
        mail: { type: 'string', format: 'email' },
        code: { type: 'string', pattern: '^[a-z]{4}$' },
        words: { type: 'object', additionalProperties: { type: 'string' } },
        kind: { type: 'string' },
        note: { title: 'A note', type: 'string' },
      },
      required: ['count', 'few', 'id', 'at', 'mail', 'code', 'words', 'kind', 'note'],
    },
  )
  t.match(
    dataOf(z.strictObject({ a: z.string() })),
    { additionalProperties: false },
    'an object that takes no more says so',
  )
})

test('a discriminated union says which value is which schema', async t => {
  const Cat = z.object({ kind: z.enum(['cat', 'tom']), purrs: z.boolean() }).meta({ id: 'Cat' })
  const Dog = z.object({ kind: z.literal('dog') }).meta({ id: 'Dog' })
  t.same(dataOf(z.discriminatedUnion('kind', [Cat, Dog])), {
    oneOf: [ref('Cat'), ref('Dog')],
    discriminator: {
      propertyName: 'kind',
      mapping: { cat: ref('Cat').$ref, tom: ref('Cat').$ref, dog: ref('Dog').$ref },
    },
  })
  const nameless = dataOf(z.discriminatedUnion('kind', [Cat, z.object({ kind: z.literal('dog') })]))
  t.match(nameless, { oneOf: [ref('Cat'), { properties: { kind: { const: 'dog' } } }] })
  t.notOk('discriminator' in nameless, 'it could not point at an option without a name')
})

test('the request shapes of a discriminated union have their own names', async t => {
  const Cat = z.object({ kind: z.literal('cat'), lives: z.number().default(9) }).meta({ id: 'Cat' })
  const Dog = z.object({ kind: z.literal('dog') }).meta({ id: 'Dog' })
  const Pet = z.discriminatedUnion('kind', [Cat, Dog]).meta({ id: 'Pet' })
  const schemas = schemasOf(aggregate('pet', { url: '/pet', body: Pet }).reply(Pet, ({ body }) => body))
  t.same(schemas['PetInput']?.['discriminator'], {
    propertyName: 'kind',
    mapping: { cat: ref('CatInput').$ref, dog: ref('Dog').$ref },
  })
  t.same(schemas['Pet']?.['discriminator'], {
    propertyName: 'kind',
    mapping: { cat: ref('Cat').$ref, dog: ref('Dog').$ref },
  })
})

test('every part of the input is documented', async t => {
  const Query = z
    .object({
      count: z.coerce
        .number()
        .int()
        .default(3)
        .describe('How many.')
        .meta({ examples: [5] }),
      words: z.array(z.string()),
    })
    .meta({ id: 'Query' })
  const each = aggregate('thing', {
    url: '/things/{id}',
    method: 'PUT',
    params: z.object({ id: z.string().describe('Which.') }),
    query: Query,
    headers: z.object({ 'x-tone': z.enum(['kind', 'stern']).optional(), 'x-request-id': z.string() }),
    body: z.object({ a: z.string() }).optional(),
    summary: 'A thing',
    description: 'More of it.',
    deadline: 300,
  }).reply(z.null(), () => null)
  const document = documentOf([each])
  t.notOk('Query' in (document.components['schemas'] ?? {}), 'a schema that is taken apart is no component')
  t.match(document.paths['/things/{id}']?.['put'], {
    operationId: 'thing',
    summary: 'A thing',
    description: 'More of it.\n\nDeadline: 300 ms.',
    parameters: [
      { name: 'id', in: 'path', required: true, description: 'Which.', schema: { type: 'string' } },
      { name: 'count', in: 'query', description: 'How many.', schema: { type: 'integer', default: 3 }, example: 5 },
      { name: 'words', in: 'query', required: true, schema: { type: 'array', items: { type: 'string' } } },
      { name: 'x-tone', in: 'header', schema: { enum: ['kind', 'stern'] } },
      { name: 'x-request-id', in: 'header', required: true },
      { $ref: '#/components/parameters/RequestTimeout' },
    ],
  })
  const { parameters, requestBody } = operationOf(each)
  t.equal(parameters?.length, 6, 'a header of the author stands for ours of that name')
  t.notOk(requestBody?.required, 'a body that may be missing is not required')
})

test('a cacheable reply is documented with its headers and 304', async t => {
  const { responses, parameters } = operationOf(
    aggregate('kept', { url: '/kept', cacheControl: 'public, max-age=60' }).reply(z.null(), () => null),
  )
  const names = ['x-request-id', 'server-timing', 'cache-status', 'cache-control', 'etag', 'vary']
  t.same(Object.keys(responses['200']?.headers ?? {}), names)
  t.same(Object.keys(responses['304']?.headers ?? {}), names)
  t.notOk(responses['304']?.content)
  t.match(parameters?.at(-1), { $ref: '#/components/parameters/IfNoneMatch' })
})

test('a reply without an envelope is documented as its bare data', async t => {
  const Cat = z.object({ name: z.string() }).meta({ id: 'Cat', examples: [{ name: 'Tom' }] })
  const { responses } = operationOf(
    aggregate('bare', { url: '/bare', envelope: false })
      .optional('cat', () => null, { fallback: null })
      .reply(Cat, () => ({ name: 'Tom' })),
  )
  t.match(responses['200'], {
    headers: { 'headwaters-complete': Object, 'headwaters-sources': Object },
    content: { 'application/json': { schema: ref('Cat'), example: { name: 'Tom' } } },
  })
})

test('a prefix applies to every path, and removes the health routes', async t => {
  const each = answering(z.null())
  const options = { prefix: '/api', info: { version: '9.9.9' } }
  const document = openapiDocument([each], options) as unknown as Document
  t.same(Object.keys(document.paths), ['/api/thing'])
  t.same(
    Object.keys((openapiDocument([each], { prefix: '/api/' }) as unknown as Document).paths),
    ['/api/thing'],
    'as Fastify joins them',
  )
  t.equal(document.info.version, '9.9.9')
  t.same(Object.keys((openapiDocument([each]) as unknown as Document).paths), [
    '/thing',
    '/health/live',
    '/health/ready',
  ])
})

test('paths that differ in the names of their parameters alone are one path', async t => {
  const read = aggregate('read', {
    url: '/things/{id}',
    params: z.object({ id: z.string().describe('Which.') }),
  }).reply(z.null(), () => null)
  const write = aggregate('write', {
    url: '/things/{name}',
    method: 'PUT',
    params: z.object({ name: z.string().describe('Whose.') }),
  }).reply(z.null(), () => null)
  const { paths } = documentOf([read, write])
  t.same(Object.keys(paths), ['/things/{id}'])
  t.match(paths['/things/{id}'], {
    get: { parameters: [{ name: 'id', description: 'Which.' }] },
    put: { parameters: [{ name: 'id', in: 'path', description: 'Whose.' }] },
  })
})

test('aggregates with the same operation are rejected', async t => {
  t.throws(
    () => documentOf([answering(z.null(), 'a-1'), answering(z.null(), 'a1')]),
    new TypeError("aggregate 'a1': the operationId 'a1' belongs to another operation: rename the aggregate"),
  )
  const other = aggregate('other', { url: '/thing' }).reply(z.null(), () => null)
  t.throws(
    () => documentOf([answering(z.null()), other]),
    new TypeError("aggregate 'other': another aggregate already serves GET /thing: change the url of one"),
  )
  t.throws(() => openapiDocument([answering(z.null(), 'health-live')]), { name: 'TypeError', message: /'healthLive'/ })
})
