import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { cacheKey, cacheKeyPartNames } from '../../src/upstream/policies/cache/cache-key.ts'
import { keyOf, keyPartNames } from '../../src/upstream/transport/dispatch.ts'
import { testRun } from '../helpers/call.ts'
import { callOf, explained } from './helpers/explained.ts'

const Headers = z.object({ 'x-b': z.string().optional(), 'x-a': z.string().optional() })
const api = defineUpstream(
  'api',
  { origin: 'https://a.example', forwardHeaders: ['x-tenant', 'accept-language'] },
  {
    plain: operation({ path: '/plain', output: z.unknown() }),
    shared: operation({ path: '/shared', headers: Headers, output: z.unknown(), coalesce: true }),
    cached: operation({ path: '/cached', headers: Headers, output: z.unknown(), cache: true }),
    asked: operation({
      method: 'POST',
      safe: true,
      path: '/asked',
      body: z.object({ a: z.string() }),
      output: z.unknown(),
      coalesce: true,
    }),
    keyed: operation({
      path: '/keyed',
      query: z.object({ ids: z.array(z.string()) }),
      output: z.array(z.unknown()),
      cache: true,
      keyBatch: { maxKeys: 2, call: (ids: readonly string[]) => ({ ids: [...ids] }), pick: all => all[0] },
    }),
  },
)

test('each part of a key has a name, in the order of the parts', t => {
  const headers = { 'x-tenant': 'TENANT' }
  const calls = [
    api.plain(),
    api.shared({ headers: { 'x-b': 'B', 'x-a': 'A' } }),
    api.cached({}),
    api.asked({ body: { a: 'b' } }),
    api.keyed('k'),
  ]
  for (const call of calls) {
    const live = testRun({ headers }).ask(call)
    const parts = JSON.parse(keyOf(live)) as unknown[]
    const names = keyPartNames(live)
    t.equal(parts.length, names.length, call.operation)
    t.equal(parts[names.indexOf('operation')], call.operation)
    t.equal(parts[names.indexOf('path and query')], call.path)
    t.equal(parts[names.indexOf('header x-tenant')], 'TENANT')
    const prefix = cacheKey(['https://a.example', 'identity'], () => '')(live)
    t.equal((JSON.parse(prefix) as unknown[]).length, cacheKeyPartNames(call.spec).length)
  }
  const shared = testRun().ask(api.shared({ headers: { 'x-b': 'B', 'x-a': 'A' } }))
  t.same(keyPartNames(shared).slice(-2), ['header x-a', 'header x-b'])
  t.same((JSON.parse(keyOf(shared)) as unknown[]).slice(-2), [
    ['x-a', 'A'],
    ['x-b', 'B'],
  ])
  t.end()
})

test('the explained key has the names of the parts that the call has, and no value', async t => {
  const each = aggregate('each', { url: '/each' })
    .required('plain', () => api.plain())
    .required('shared', () => api.shared({ headers: { 'x-a': 'VALUE' } }))
    .required('cached', () => api.cached())
    .required('asked', () => api.asked({ body: { a: 'VALUE' } }))
    .required('keyed', () => api.keyed('k'))
    .reply(z.unknown(), () => 1)
  const explanation = await explained(each)
  t.equal(callOf(explanation, 'plain').key, null)
  t.same(callOf(explanation, 'shared').key, {
    for: 'coalesce',
    parts: ['operation', 'path and query', 'header x-tenant', 'header accept-language', 'header x-a'],
  })
  t.match(callOf(explanation, 'asked').key?.parts, ['operation', 'path and query', 'body'])
  t.same(callOf(explanation, 'cached').key, {
    for: 'cache',
    parts: [
      'method',
      'origin',
      'credentials',
      'accept',
      'headers of the upstream',
      'decompress',
      'operation',
      'path and query',
      'header x-tenant',
      'header accept-language',
      'the headers in vary of the answer',
    ],
  })
  t.ok(callOf(explanation, 'keyed').key?.parts.includes('keyBatch'))
  t.notMatch(JSON.stringify(explanation), 'VALUE')
})
