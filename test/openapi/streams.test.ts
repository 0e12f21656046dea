import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import type { SourcesLevel } from '../../src/fanout/sources-level.ts'
import { openapiDocument } from '../../src/http/openapi/document.ts'
import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import { faultsOf, type Document } from './helpers/document.ts'

const types = ['application/x-ndjson', 'application/jsonl', 'text/event-stream']

const base = aggregate('card', { url: '/card' })
  .each('parts', () => [])
  .optional('rating', () => 1, { fallback: null })

const card = base.reply(z.object({ rating: z.number().nullable() }), ({ rating }) => ({ rating }))

const documentOf = (each: AnyAggregate, sources: SourcesLevel = 'full') =>
  openapiDocument([each], { health: false, sources }) as unknown as Document

const responsesOf = (each: AnyAggregate) => documentOf(each).paths[each.route.url]?.['get']?.responses ?? {}

/** The names of the events that the document has for an aggregate. */
function eventsOf(each: AnyAggregate, sources: SourcesLevel = 'full'): readonly string[] {
  const { schemas = {} } = documentOf(each, sources).components
  const discriminator = schemas['CardStreamEvent']?.['discriminator'] as { readonly mapping: object }
  return Object.keys(discriminator.mapping)
}

test('the reply of an aggregate has the media types of its streams after JSON', t => {
  t.same(Object.keys(responsesOf(card)['200']?.content ?? {}), ['application/json', ...types])
  t.end()
})

test('an aggregate without streams has JSON alone, and no status for a stream that has ended', t => {
  const plain = aggregate('card', { url: '/card', stream: false }).reply(z.null(), () => null)
  t.same(Object.keys(responsesOf(plain)['200']?.content ?? {}), ['application/json'])
  t.notOk(responsesOf(plain)['204'])
  t.match(responsesOf(card)['204'], { description: /last-event-id/ })
  t.end()
})

test('a stream has the status 200 beside a reply with another status', t => {
  const made = aggregate('card', { url: '/card' }).reply(z.null(), () => null, { status: 201 })
  t.same(Object.keys(responsesOf(made)['201']?.content ?? {}), ['application/json'])
  t.same(Object.keys(responsesOf(made)['200']?.content ?? {}), types)
  const { components } = documentOf(made)
  t.match(components['schemas']?.['CardStreamReply'], { properties: { status: { enum: [201] } } })
  t.end()
})

test('an aggregate has the events that its streams can have', t => {
  t.same(eventsOf(card), ['plan', 'source', 'item', 'snapshot', 'reply', 'problem'])
  t.same(eventsOf(card, 'states'), ['plan', 'source', 'item', 'snapshot', 'reply', 'problem'])
  t.same(eventsOf(card, 'none'), ['plan', 'snapshot', 'reply', 'problem'])
  const bare = aggregate('card', { url: '/card' }).reply(z.null(), () => null)
  t.same(eventsOf(bare), ['plan', 'snapshot', 'reply', 'problem'], 'it has no step')
  const silent = base.reply(z.null(), () => null, { snapshot: false })
  t.same(eventsOf(silent), ['plan', 'source', 'item', 'reply', 'problem'])
  t.end()
})

const run = '3f2c1b7e-52c4-4c0e-9b1a-6a7d9c5e8f10'
const plan = { event: 'plan', run, deadline: 800 }
const outcome = { state: 'ok', start: 1, ms: 1, attempts: 1 }
const snapshot = { event: 'snapshot', data: { rating: 1 }, complete: false }

const fitting: Readonly<Record<SourcesLevel, readonly object[]>> = {
  full: [
    { ...plan, steps: [{ name: 'rating', kind: 'optional', needs: [] }] },
    { event: 'source', name: 'rating', outcome },
    { event: 'item', name: 'parts', index: 0, calls: 2, state: 'failed', code: 'UPSTREAM_STATUS', status: 500 },
    { ...snapshot, pending: ['parts'] },
  ],
  states: [
    { ...plan, steps: [{ name: 'rating' }] },
    { event: 'source', name: 'rating', outcome: { state: 'ok' } },
    { event: 'item', name: 'parts', index: 0, calls: 2, state: 'failed' },
    { ...snapshot, pending: [] },
  ],
  none: [plan, snapshot],
}

const wrong: readonly object[] = [
  { event: 'plan', run: 'x', deadline: 800, steps: [] },
  { event: 'source', name: 'rating' },
  { event: 'item', name: 'parts', index: -1, calls: 2, state: 'ok' },
  { ...snapshot, data: {}, pending: [] },
  { ...snapshot, complete: true, pending: [] },
  { event: 'reply', status: 204, headers: {}, body: null },
  { event: 'problem', status: 200, headers: {}, body: {} },
]

for (const [level, events] of Object.entries(fitting) as [SourcesLevel, readonly object[]][])
  test(`the events of a stream fit the document with sources: ${level}`, t => {
    const document = documentOf(card, level)
    const schema = { $ref: '#/components/schemas/CardStreamEvent' }
    for (const event of events) t.equal(faultsOf(document, schema, event), undefined, JSON.stringify(event))
    for (const event of wrong) t.match(faultsOf(document, schema, event), /\w/, JSON.stringify(event))
    t.end()
  })

test('the problem of a stream may be one that the aggregate declares', t => {
  const declaring = aggregate('card', {
    url: '/card',
    problems: { 404: 'There is no such card.', 422: z.object({ code: z.literal('ODD') }).describe('It is odd.') },
  }).reply(z.null(), () => null)
  const document = documentOf(declaring)
  const schema = { $ref: '#/components/schemas/CardStreamEvent' }
  const problem = (code: string, status: number) => ({
    event: 'problem',
    status,
    headers: {},
    body: { type: 'urn:a', title: 'a', status, detail: 'a', code },
  })
  for (const each of [problem('ODD', 422), problem('MINE', 404), problem('INTERNAL', 500)])
    t.equal(faultsOf(document, schema, each), undefined)
  t.match(faultsOf(documentOf(card), schema, problem('MINE', 404)), /\w/, 'another aggregate has no such code')
  t.end()
})
