import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { until } from '../helpers/until.ts'
import { offerFor, shopAnswer, shopAt } from './shop.ts'
import { started } from './started.ts'

test('at the deadline an unsafe call that was written has an unknown outcome, and a safe one has none', async t => {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { reply } = started(
    shopAt(upstream.origin).offer,
    [
      { id: 'a', operation: 'shop.order', input: { body: { lines: [{ sku: 'x', count: 1 }] } } },
      { id: 'b', operation: 'shop.item', input: { id: '1' } },
      { id: 'c', operation: 'cart', input: { params: { user: '2' } } },
    ],
    runtime,
    { deadline: 800 },
  )
  await upstream.arrived('POST /orders')
  t.same(
    (await reply).results.map(({ id, status, problem }) => [id, status, problem?.code]),
    [
      ['a', 504, 'OUTCOME_UNKNOWN'],
      ['b', 504, 'DEADLINE_EXCEEDED'],
      ['c', 504, 'DEADLINE_EXCEEDED'],
    ],
  )
})

test('equal calls of an operation that coalesces are one request, and keys of one turn are one request', async t => {
  const { origin, log } = await httpUpstream(t, ({ request, json }) => json(shopAnswer(request.url ?? '') ?? 1))
  const once = defineUpstream(
    'once',
    { origin },
    { same: operation({ path: '/same', output: z.unknown(), coalesce: true, batch: true }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const offer = offerFor([once.same, shopAt(origin).shop.prices])
  const calls = [
    { id: 'a', operation: 'once.same' },
    { id: 'b', operation: 'once.same' },
    { id: 'c', operation: 'shop.prices', input: 'x' },
    { id: 'd', operation: 'shop.prices', input: 'y' },
  ]
  // A batch that takes long to start its calls, as the first one of a process does, starts them in several turns.
  let requests: readonly string[] = []
  await until(async () => {
    const before = log.length
    t.equal((await started(offer, calls, runtime).reply).complete, true)
    requests = log.slice(before)
    return requests.length === 2
  })
  t.same(requests.toSorted(), ['GET /prices?ids=x&ids=y', 'GET /same'])
})

test('the words of an upstream never reach the caller of a batch', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json({ error: 'secret words of the upstream' }, 500))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { answer } = started(
    shopAt(origin).offer,
    [
      { id: 'a', operation: 'shop.search', input: { q: 'x' } },
      { id: 'b', operation: 'shop.item', input: { id: { $ref: 'a#/data/0/id' } } },
      { id: 'c', operation: 'cart', input: { params: { user: 'x' } } },
    ],
    runtime,
  )
  const { text } = await answer
  t.match(text, /UPSTREAM_STATUS/)
  t.notMatch(text, /secret|words/)
  t.notOk(text.includes(new URL(origin).host))
})
