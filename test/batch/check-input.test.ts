import { test } from 'tap'
import { z } from 'zod'
import type { Problem } from '../../src/errors.ts'
import { readBatch } from '../../src/batch/read-batch.ts'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { offerFor } from './shop.ts'
import { started } from './started.ts'

const many = defineUpstream(
  'many',
  { origin: 'http://many.test' },
  {
    number: operation({ path: '/number', output: z.number(), batch: true }),
    never: operation({ path: '/never', output: z.object({ gone: z.never() }), batch: true }),
    listed: operation({ path: '/listed', responses: { 200: z.number(), 404: z.string() }, batch: true }),
    headed: operation({
      path: '/headed',
      output: z.number(),
      responseHeaders: z.object({ etag: z.string() }),
      batch: true,
    }),
    absent: operation({ path: '/absent', output: z.number(), nullOn: [404], batch: true }),
    empty: operation({ path: '/empty', output: z.number(), allowEmpty: true, batch: true }),
    keyed: operation({
      path: '/keyed',
      query: z.object({ ids: z.array(z.string()) }),
      output: z.unknown(),
      keyBatch: { maxKeys: 2, call: (ids: readonly string[]) => ({ ids }), pick: () => 1 },
      batch: true,
    }),
    takes: operation({
      method: 'POST',
      path: '/{text}',
      params: z.object({ text: z.string() }),
      query: z.object({ flag: z.boolean().optional() }),
      body: z.object({ list: z.array(z.object({ n: z.string() })).optional() }).optional(),
      headers: z.object({ 'x-a': z.string() }).optional(),
      output: z.unknown(),
      batch: true,
    }),
    loose: operation({ path: '/loose', query: z.looseObject({}), output: z.unknown(), batch: true }),
  },
)
const report = aggregate('report', {
  url: '/report/{day}',
  params: z.object({ day: z.string() }),
  query: z.object({ tags: z.array(z.string()).optional(), on: z.stringbool().optional() }),
  headers: z.object({ 'x-tenant': z.string().min(2) }),
  batch: true,
})
  .required('one', ({ params, query }) => ({ ...params, ...query }))
  .reply(z.unknown(), ({ one }) => one)
const nothing = aggregate('nothing', { url: '/nothing', batch: true })
  .required('one', () => 1)
  .reply(z.undefined(), () => undefined, { status: 204 })
const sum = aggregate('sum', {
  url: '/sum',
  method: 'POST',
  body: z.object({ total: z.number().max(10) }),
  batch: true,
})
  .required('one', ({ body }) => body.total)
  .reply(z.number(), ({ one }) => one)
const total = aggregate('total', {
  url: '/total',
  method: 'POST',
  body: z.object({ list: z.array(z.number()) }),
  batch: true,
})
  .required('one', () => 1)
  .reply(z.number(), ({ one }) => one)
const offer = offerFor(Object.values(many), [report, nothing, sum, total])

/** The faults of a call `b`, which may refer to a call `a` of an operation. */
function faultsOf(call: object, first = 'many.number', headers: object = { 'x-tenant': 'ab' }): string[] {
  const calls = [
    { id: 'a', operation: first },
    { id: 'b', ...call },
  ]
  try {
    readBatch(offer, { calls }, { maxCalls: 10, headers: headers as Record<string, string> })
    return []
  } catch (error) {
    return (error as Problem).faults?.map(({ pointer, reason }) => `${pointer} ${reason}`) ?? []
  }
}

const ref = { $ref: 'a#/data' }

test('a reference is checked by the kinds of values that its place takes', async t => {
  const place = '/body/calls/1/input'
  for (const [input, fault] of [
    [{ text: ref }, `${place}/text gives a number, and the input takes a text`],
    [{ text: 'x', flag: ref }, `${place}/flag gives a number, and the input takes true or false`],
    [{ text: 'x', body: ref }, `${place}/body gives a number, and the input takes an object`],
    [{ text: 'x', body: { list: ref } }, `${place}/body/list gives a number, and the input takes a list`],
    [{ text: 'x', body: { list: [{ n: ref }] } }, `${place}/body/list/0/n gives a number, and the input takes a text`],
    [{ text: 'x', headers: { 'x-a': ref } }, `${place}/headers/x-a gives a number, and the input takes a text`],
  ] as const)
    t.same(faultsOf({ operation: 'many.takes', input }), [fault])
  t.same(
    faultsOf({ operation: 'many.takes', input: { text: 'x', body: { other: ref } } }),
    [],
    'a field that is ignored',
  )
  t.same(faultsOf({ operation: 'many.loose', input: { any: ref } }), [])
  t.same(faultsOf({ operation: 'many.keyed', input: ref }), [])
  t.same(faultsOf({ operation: 'many.keyed', input: { any: ref } }), [], 'a key may have any form')
  t.same(faultsOf({ operation: 'many.takes', input: { text: 'x', other: ref } }), [
    `${place}/other is not a field of this input: it has text, flag, body, headers`,
  ])
  t.same(
    faultsOf({ operation: 'report', input: { params: { day: ref }, query: { tags: [ref] } } }),
    [],
    'texts of a URL',
  )
  t.same(faultsOf({ operation: 'many.takes', input: { text: { $ref: 'a#/data/gone' } } }, 'many.never'), [
    `${place}/text gives no value, and the input takes a text`,
  ])
})

test('the value of an operation whose answers have several forms is known only when it is there', async t => {
  for (const first of ['many.listed', 'many.headed', 'many.absent', 'many.empty'])
    t.same(faultsOf({ operation: 'many.takes', input: { text: { $ref: 'a#/data/body' } } }, first), [], first)
})

test('the headers of the request are those of every call, and their faults keep their place', async t => {
  t.same(faultsOf({ operation: 'report', input: { params: { day: 'x' } } }, 'many.number', {}), [
    '/headers/x-tenant is missing',
  ])
})

test('an input of more than 10,000 values is read up to its first fault', async t => {
  const list = Array.from({ length: 6000 }, () => ({ n: 1 }))
  t.same(faultsOf({ operation: 'many.takes', input: { text: 'x', body: { list } } }), [
    '/body/calls/1/input/body/list/0/n Invalid input: expected string, received number',
  ])
})

test('an aggregate reads numbers and booleans of its path and its query as texts, also from references', async t => {
  const { reply } = started(
    offer,
    [
      { id: 'a', operation: 'many.number' },
      { id: 'b', operation: 'report', input: { params: { day: ref }, query: { tags: [1, true, ref], on: true } } },
      { id: 'c', operation: 'nothing' },
      { id: 'd', operation: 'many.loose', input: { x: { $ref: 'c#/data' } } },
    ],
    answeringRuntime(() => 7),
    { headers: { 'x-tenant': 'ab' } },
  )
  const { results } = await reply
  t.same(results[1]?.data, { day: '7', tags: ['1', 'true', '7'], on: true })
  t.match(results[2], { state: 'ok', status: 204, data: null })
  t.equal(results[3]?.state, 'ok', 'a reply without a body is null')
})

test('an aggregate refuses the value of a reference with the place and the reason, and not with the value', async t => {
  const { reply } = started(
    offer,
    [
      { id: 'a', operation: 'many.number' },
      { id: 'b', operation: 'sum', input: { body: { total: ref } } },
    ],
    answeringRuntime(() => 98765),
  )
  const { results } = await reply
  t.match(results[1], {
    state: 'notSent',
    problem: {
      code: 'REFERENCE_INVALID',
      detail:
        'The call was not sent, because its input is refused with the values of its references: ' +
        '/input/body/total Too big: expected number to be <=10.',
      errors: [{ pointer: '/input/body/total', reason: 'Too big: expected number to be <=10' }],
    },
  })
  t.notMatch(JSON.stringify(results[1]), /98765/)
})

test('an input with more than 100 values of references is refused with its first fault', async t => {
  const { reply } = started(
    offer,
    [
      { id: 'a', operation: 'many.loose', input: {} },
      { id: 'b', operation: 'total', input: { body: { list: { $ref: 'a#/data' } } } },
      { id: 'c', operation: 'many.takes', input: { text: 'x', body: { list: { $ref: 'a#/data' } } } },
    ],
    answeringRuntime(() => Array(200).fill('wrong')),
  )
  const { results } = await reply
  for (const result of results.slice(1))
    t.match(result, {
      state: 'notSent',
      problem: { code: 'REFERENCE_INVALID', errors: [{ pointer: '/input/body/list/0' }] },
    })
  const { errors } = (results[1]?.problem ?? {}) as { readonly errors?: readonly object[] }
  t.equal(errors?.length, 1)
})

test('an aggregate whose schema throws or refuses fails its call alone', async t => {
  const thrower = (name: string, act: () => never) =>
    aggregate(name, { url: `/${name}`, query: z.object({ q: z.string().transform(act) }), batch: true })
      .required('one', () => 1)
      .reply(z.number(), ({ one }) => one)
  const odd = thrower('odd', () => {
    throw new Error('a bug')
  })
  const strict = thrower('strict', () => refuse(403, 'Not you.'))
  const { reply, batch } = started(
    offerFor([many.number], [odd, strict]),
    [
      { id: 'a', operation: 'odd', input: { query: { q: 'x' } } },
      { id: 'b', operation: 'strict', input: { query: { q: 'x' } } },
      { id: 'c', operation: 'many.number' },
    ],
    answeringRuntime(() => 7),
  )
  t.same(
    (await reply).results.map(({ state, status, problem }) => [state, status, problem?.code]),
    [
      ['failed', 500, 'INTERNAL'],
      ['failed', 403, 'REFUSED'],
      ['ok', 200, undefined],
    ],
  )
  t.match(batch.failures[0]?.problem.cause, { message: 'a bug' })
})
