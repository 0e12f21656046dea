import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { serveApp } from '../helpers/served-app.ts'
import { faultsOf, resolved, type Document, type Media } from './helpers/document.ts'

const item = { type: 'string' }
const orNull = { type: ['string', 'null'] }
const object = (f: object, required?: readonly string[]) => ({
  type: 'object',
  properties: { f },
  ...(required && { required }),
})

const none: Media = { schema: {} }

/** Reply schemas, a value that they accept, the value as JSON has it, and how it is documented. */
const cases: Readonly<Record<string, readonly [schema: z.ZodType, value: unknown, json: unknown, documented: object]>> =
  {
    optional: [z.string().optional(), undefined, null, orNull],
    'optional-given': [z.string().optional(), 'a', 'a', orNull],
    nullable: [z.string().nullable(), null, null, orNull],
    nullish: [z.string().nullish(), undefined, null, orNull],
    void: [z.void(), undefined, null, { type: 'null' }],
    undefined: [z.undefined(), undefined, null, { type: 'null' }],
    default: [z.string().default('b'), undefined, 'b', item],
    prefault: [z.string().prefault('b'), undefined, 'b', item],
    'optional-default': [z.string().optional().default('b'), undefined, 'b', item],
    nonoptional: [z.nonoptional(z.string().optional()), 'a', 'a', item],
    'caught-optional': [z.string().optional().catch('b'), undefined, null, orNull],
    lazy: [z.lazy(() => z.string().optional()), undefined, null, orNull],
    readonly: [z.string().optional().readonly(), undefined, null, orNull],
    pipe: [z.string().optional().pipe(z.string().optional()), undefined, null, orNull],
    union: [z.union([z.string(), z.undefined()]), undefined, null, orNull],
    unknown: [z.unknown(), undefined, null, {}],
    described: [z.string().optional().describe('D.'), undefined, null, { description: 'D.', ...orNull }],
    choice: [
      z.enum(['a', 'b']).optional(),
      undefined,
      null,
      { anyOf: [{ type: 'string', enum: ['a', 'b'] }, { type: 'null' }] },
    ],
    field: [z.object({ f: z.string().optional() }), { f: undefined }, {}, object(item)],
    'field-void': [z.object({ f: z.void() }), { f: undefined }, {}, object({ not: {} })],
    'field-union': [z.object({ f: z.union([z.string(), z.undefined()]) }), { f: undefined }, {}, object(item)],
    'field-unknown': [z.object({ f: z.unknown() }), { f: undefined }, {}, object({})],
    'field-default': [z.object({ f: z.string().default('b') }), {}, { f: 'b' }, object(item, ['f'])],
    list: [z.array(z.string().optional()), ['a', undefined], ['a', null], { type: 'array', items: orNull }],
    'list-void': [z.array(z.void()), [undefined], [null], { type: 'array', items: { type: 'null' } }],
    'list-within': [
      z.object({ f: z.array(z.string().optional()) }),
      { f: [undefined] },
      { f: [null] },
      object({ type: 'array', items: orNull }, ['f']),
    ],
    tuple: [
      z.tuple([z.undefined(), z.string()]),
      [undefined, 'a'],
      [null, 'a'],
      { type: 'array', items: false, prefixItems: [{ type: 'null' }, item], minItems: 2, maxItems: 2 },
    ],
    record: [z.record(z.enum(['f']), z.string().optional()), { f: undefined }, {}, object(item)],
    nan: [z.nan(), NaN, null, { type: 'null' }],
    'nan-within': [
      z.object({ f: z.union([z.number(), z.nan()]) }),
      { f: NaN },
      { f: null },
      object({ type: ['number', 'null'] }, ['f']),
    ],
    date: [z.date(), new Date(0), '1970-01-01T00:00:00.000Z', { type: 'string', format: 'date-time' }],
  }

for (const envelope of [true, false]) {
  test(`a reply ${envelope ? 'with' : 'without'} an envelope is documented as it is sent, also without a value`, async t => {
    const aggregates = Object.entries(cases).map(([name, [schema, value]]) =>
      aggregate(name, { url: `/${name}`, envelope }).reply(schema, () => value),
    )
    const { get } = await serveApp(t, { aggregates })
    const document = (await get<Document>('/openapi.json')).body
    for (const [name, [, , json, documented]] of Object.entries(cases)) {
      const { status, body } = await get<{ readonly data: unknown }>(`/${name}`)
      const sent = envelope ? body.data : body
      t.same([status, sent], [200, json], name)
      const { schema } = document.paths[`/${name}`]?.['get']?.responses['200']?.content?.['application/json'] ?? none
      const { description } = document.paths[`/${name}`]?.['get']?.responses['200'] ?? {}
      const isAbsent = json === null && name !== 'nan' && name !== 'nullable' ? true : name === 'optional-given'
      t.equal(description?.includes('is `null` if there is no value'), isAbsent, `${name} is described`)
      const whole = resolved(document, schema) as { readonly properties?: { readonly data: object } }
      t.same(envelope ? whole.properties?.data : whole, documented, name)
      t.equal(faultsOf(document, schema, body), undefined, `${name} fits its schema`)
    }
  })
}

test('a named schema may be left out of a reply too', async t => {
  const Cat = z.object({ name: z.string() }).meta({ id: 'Cat' })
  const cat = aggregate('cat', { url: '/cat', envelope: false }).reply(Cat.optional(), () => undefined)
  const { get } = await serveApp(t, { aggregates: [cat] })
  t.equal((await get('/cat')).text, 'null')
  const document = (await get<Document>('/openapi.json')).body
  t.same(document.paths['/cat']?.['get']?.responses['200']?.content?.['application/json']?.schema, {
    anyOf: [{ $ref: '#/components/schemas/Cat' }, { type: 'null' }],
  })
})
