import { test } from 'tap'
import { z } from 'zod'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { readBatchOptions } from '../../src/http/batch/batch-options.ts'
import { describedBatches } from '../../src/http/batch/described-batches.ts'
import { openapiDocument, type OpenapiOptions } from '../../src/http/openapi/document.ts'
import { defineUpstream, operation, type Operation } from '../../src/upstream/declare.ts'
import { batchApp, hello } from '../app/batch/helpers/batch-app.ts'
import { faultsOf, operations, type Document } from './helpers/document.ts'

const Node = z.object({ name: z.string() }).meta({ id: 'Node' })

const shop = defineUpstream(
  'shop',
  { origin: 'http://127.0.0.1:9' },
  {
    find: operation({
      path: '/find',
      query: z.object({ q: z.string().meta({ examples: ['a'] }), tags: z.array(z.string()).optional() }),
      output: z.array(z.object({ id: z.string() })).meta({ examples: [[{ id: 'a' }]] }),
      batch: true,
    }),
    order: operation({
      method: 'POST',
      path: '/orders/{id}',
      params: z.object({ id: z.string() }),
      headers: z.object({ 'x-from': z.string().optional() }),
      body: z.object({
        parts: z.array(z.object({ count: z.number() })),
        node: Node,
        either: z.discriminatedUnion('kind', [
          z.object({ kind: z.literal('a'), x: z.string() }),
          z.object({ kind: z.literal('b'), y: z.number() }),
        ]),
        map: z.record(z.string(), z.number()).optional(),
        any: z.unknown().optional(),
        pair: z.tuple([z.string(), z.number()]).optional(),
      }),
      output: z.object({ number: z.number() }),
      batch: true,
    }),
    listed: operation({
      path: '/listed',
      responses: { 200: z.object({ a: z.string() }), 404: z.null() },
      responseHeaders: z.object({ 'x-rest': z.string() }),
      batch: true,
    }),
    headed: operation({
      path: '/headed',
      query: z.record(z.string(), z.string()),
      output: z.string(),
      responseHeaders: z.object({ 'x-rest': z.string() }),
      nullOn: [404],
      batch: true,
    }),
    key: operation({
      path: '/keys',
      query: z.object({ ids: z.array(z.string()) }),
      output: z.array(z.string()),
      keyBatch: { maxKeys: 10, call: (ids: readonly string[]) => ({ ids }), pick: found => found[0] },
      batch: true,
    }),
  },
)

const card = aggregate('card', {
  url: '/cards/{id}',
  params: z.object({ id: z.string().meta({ examples: ['a'] }) }),
  batch: true,
  sources: 'states',
  problems: { 404: 'There is no such card.' },
})
  .required('one', () => 1)
  .reply(z.string().meta({ examples: ['a'] }), () => 'a', { status: [200, 201] })

const all: readonly Operation<never, unknown>[] = [shop.find, shop.order, shop.listed, shop.headed, shop.key]

function documentOf(
  offered: readonly Operation<never, unknown>[],
  aggregates: readonly AnyAggregate[],
  options: OpenapiOptions = {},
): Document {
  const batch = describedBatches('test', readBatchOptions('test', { operations: offered, maxCalls: 7 }), aggregates)
  return openapiDocument(aggregates, { health: false, batch, ...options }) as unknown as Document
}

const document = documentOf(all, [card])

const fitsRequest = (...calls: readonly object[]) =>
  faultsOf(document, { $ref: '#/components/schemas/BatchRequest' }, { calls })

const fitsResult = (result: object) => faultsOf(document, { $ref: '#/components/schemas/BatchResult' }, result)

test('the document has no path of batches without an operation that they may call', t => {
  const plain = aggregate('plain', { url: '/plain' }).reply(z.null(), () => null)
  t.same(Object.keys(documentOf([], [plain]).paths), ['/plain'])
  t.same(Object.keys(documentOf([], [card], { prefix: '/api/' }).paths), ['/api/cards/{id}', '/api/v1/batch'])
  t.end()
})

test('a call of a batch is typed by its operation', t => {
  const id = 'a'
  t.equal(fitsRequest({ id, operation: 'shop.find', input: { q: 'a' } }), undefined)
  t.equal(
    fitsRequest({ id, operation: 'card', input: { params: { id: 'a' } }, needs: ['b'], optional: true }),
    undefined,
  )
  t.equal(fitsRequest({ id, operation: 'shop.listed' }), undefined, 'an operation without a field needs no input')
  t.equal(fitsRequest({ id, operation: 'shop.key', input: 'any key' }), undefined)
  t.equal(fitsRequest({ id, operation: 'shop.headed', input: { any: 'field' } }), undefined)
  for (const call of [
    { id, operation: 'shop.other' },
    { id, operation: 'shop.find' },
    { id, operation: 'shop.find', input: {} },
    { id, operation: 'shop.find', input: { q: 1 } },
    { id, operation: 'shop.find', input: { q: 'a', other: 1 } },
    { id, operation: 'card', input: { q: 'a' } },
    { id: 'a b', operation: 'shop.listed' },
    { id, operation: 'shop.listed', other: true },
  ])
    t.match(fitsRequest(call), /\w/, JSON.stringify(call))
  const call = { id, operation: 'shop.listed' }
  t.equal(fitsRequest(...Array.from({ length: 7 }, () => call)), undefined)
  t.match(fitsRequest(...Array.from({ length: 8 }, () => call)), /\w/, 'a batch has at most maxCalls calls')
  t.match(fitsRequest(), /\w/)
  t.end()
})

test('an input accepts a reference in the place of each field and each item', t => {
  const $ref = 'b#/data/0/id'
  const order = (body: object, fields: object = {}) =>
    fitsRequest({ id: 'a', operation: 'shop.order', input: { id: 'a', body, ...fields } })
  const body = { parts: [], node: { name: 'a' }, either: { kind: 'a', x: 'a' } }
  t.equal(order(body), undefined)
  t.equal(order({ ...body, parts: { $ref } }), undefined)
  t.equal(order({ ...body, parts: [{ $ref }, { count: { $ref } }] }), undefined)
  t.equal(order({ ...body, node: { $ref } }), undefined)
  t.equal(order({ ...body, either: { kind: { $ref }, y: 1 } }), undefined)
  t.equal(order({ ...body, map: { a: { $ref }, b: 1 } }), undefined)
  t.equal(order({ ...body, pair: [{ $ref }, 1] }), undefined)
  t.equal(order({ ...body, any: { $ref } }), undefined)
  t.equal(order(body, { id: { $ref }, headers: { 'x-from': { $ref } } }), undefined)
  t.equal(fitsRequest({ id: 'a', operation: 'card', input: { params: { id: { $ref } } } }), undefined)
  for (const wrong of [{ $ref: 'b' }, { $ref: 'b#/other' }, { $ref, more: 1 }, { $ref: 1 }])
    t.match(order({ ...body, parts: wrong }), /\w/, JSON.stringify(wrong))
  t.match(order({ ...body, node: { name: { $ref } } }), /\w/, 'a reference replaces the whole value of a named schema')
  t.match(fitsRequest({ id: 'a', operation: 'shop.order', input: { $ref } }), /\w/, 'an input is not a reference')
  t.end()
})

test('a result has the data of its operation, or a problem', t => {
  const of = (name: string, data: unknown, more: object = {}) => ({
    id: 'a',
    operation: name,
    state: 'ok',
    status: 200,
    data,
    ...more,
  })
  const whole = { complete: true, sources: { one: { state: 'ok' } } }
  for (const result of [
    of('shop.find', [{ id: 'a' }]),
    of('shop.find', [], { state: 'stale' }),
    of('shop.listed', { status: 404, body: null, headers: { 'x-rest': '1' } }),
    of('shop.headed', { body: 'a', headers: { 'x-rest': '1' } }),
    of('shop.headed', null),
    of('shop.key', { any: 'value' }),
    of('card', 'a', { ...whole, status: 201, state: 'partial' }),
  ])
    t.equal(fitsResult(result), undefined, JSON.stringify(result))
  for (const result of [
    of('shop.find', [{}]),
    of('shop.find', [], { state: 'partial' }),
    of('shop.order', null),
    of('shop.listed', { status: 404, body: { a: 'a' }, headers: { 'x-rest': '1' } }),
    of('card', 'a'),
    of('card', 'a', { ...whole, status: 204 }),
    { id: 'a', operation: 'card', state: 'failed', status: 500 },
  ])
    t.match(fitsResult(result), /\w/, JSON.stringify(result))
  const problem = { type: 'urn:a', title: 'a', status: 404, detail: 'a', code: 'OWN' }
  t.equal(fitsResult({ id: 'a', operation: 'card', state: 'failed', status: 404, problem }), undefined)
  t.equal(fitsResult({ id: 'a', operation: 'shop.find', state: 'notSent', status: 424, problem }), undefined)
  t.end()
})

test('the example of a batch has the calls whose schemas have examples', t => {
  const post = document.paths['/v1/batch']?.['post']
  t.same(post?.requestBody?.content['application/json']?.example, {
    calls: [
      { id: 'a', operation: 'shop.find', input: { q: 'a' } },
      { id: 'b', operation: 'card', input: { params: { id: 'a' } } },
    ],
  })
  const reply = post?.responses['200']?.content?.['application/json']
  t.match(reply?.example, {
    results: [
      { id: 'a', data: [{ id: 'a' }] },
      { id: 'b', data: 'a' },
    ],
    complete: true,
  })
  t.equal(faultsOf(document, reply?.schema as object, reply?.example), undefined)
  const none = documentOf([shop.listed], []).paths['/v1/batch']?.['post']
  t.equal(none?.requestBody?.content['application/json']?.example, undefined)
  t.end()
})

test('replies of a service to batches are as documented, also those of calls that fail', async t => {
  const { ask, send } = await batchApp(t)
  const { body: served } = await ask<Document>('/openapi.json')
  const post = served.paths['/v1/batch']?.['post']
  const schema = post?.responses['200']?.content?.['application/json']?.schema as object
  const calls = [
    { id: 'a', operation: 'shop.price', input: { id: '1' } },
    { id: 'b', operation: 'shop.order', input: { body: { id: { $ref: 'a#/data/id' } } } },
    { id: 'c', operation: 'hello', input: { query: { name: { $ref: 'b#/data/number' } } } },
    { id: 'd', operation: 'hello', input: { query: { name: 'you' } } },
  ]
  t.equal(faultsOf(served, post?.requestBody?.content['application/json']?.schema as object, { calls }), undefined)
  const { status, body } = await send({ calls })
  t.equal(status, 200)
  t.same(
    body.results.map(result => result.state),
    ['ok', 'failed', 'notSent', 'ok'],
  )
  t.equal(faultsOf(served, schema, body), undefined)
  t.same(Object.keys(post?.responses ?? {}), ['200', '400', '406', '413', '415', '500', '503', '4XX'])
})

test('the ids of the operations of batches are those of no aggregate', t => {
  const clash = aggregate('batch-query', { url: '/clash', batch: true }).reply(z.null(), () => null)
  t.throws(() => documentOf([], [clash]), /the operationId 'batchQuery' belongs to another operation/)
  t.same(
    operations(documentOf([], [hello], { version: '3.2' })).map(({ operation: { operationId } }) => operationId),
    ['hello', 'batch', 'batchQuery'],
  )
  t.end()
})

test('an output that JSON does not have stops the document, with the operation and the place', t => {
  const odd = defineUpstream(
    'odd',
    { origin: 'http://127.0.0.1:9' },
    { one: operation({ path: '/one', output: z.object({ at: z.map(z.string(), z.string()) }), batch: true }) },
  )
  t.throws(
    () => documentOf([odd.one], []),
    /operation 'odd\.one', output, at \/properties\/at: 'map' cannot be written/,
  )
  t.end()
})
