import { mock } from 'node:test'
import { test } from 'tap'
import { z } from 'zod'
import { offerOf } from '../../src/batch/offer.ts'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { turn } from '../helpers/turn.ts'
import { offerFor, shopAnswer, shopAt } from './shop.ts'
import { started } from './started.ts'
import { startBatch } from '../../src/batch/start-batch.ts'
import { serviceOf, type Answer } from '../../src/upstream/call/layer.ts'
import type { Runtime } from '../../src/upstream/runtime.ts'

const { offer, shop } = shopAt('http://shop.test')
const item = (id: string, value: unknown, others: object = {}) => ({
  id,
  operation: 'shop.item',
  input: { id: value },
  ...others,
})
const order = (id: string, others: object = {}) => ({
  id,
  operation: 'shop.order',
  input: { body: { lines: [{ sku: 'x', count: 1 }] } },
  ...others,
})
const shoe = (id: string) => shopAnswer(`/items/${id}`)
const busy = (options: object = {}) => new UpstreamError('UPSTREAM_BUSY', 'shop', { upstreamStatus: 503, ...options })

/** A runtime that gives every call the same answer before `send` returns, as layers without promises do. */
function answeringAtOnce(answer: Answer<unknown>): Runtime {
  return { ...heldRuntime(), send: serviceOf((_, completion) => completion.resolve(answer as Answer<never>)) }
}

test('a call starts when its needs have ended, and all others start at once', async t => {
  const runtime = heldRuntime()
  const { reply, arrived } = started(
    offer,
    [item('a', '1'), item('b', '2', { needs: ['a'] }), item('c', '3'), item('d', { $ref: 'b#/data/id' })],
    runtime,
  )
  const sent = () => runtime.calls.map(({ path }) => path)
  t.same(sent(), ['/items/1', '/items/3'])
  runtime.at('/items/3').answer(shoe('3'))
  await turn()
  t.equal(sent().length, 2, 'c is no need of b')
  runtime.at('/items/1').answer(shoe('1'))
  await turn()
  t.same(sent(), ['/items/1', '/items/3', '/items/2'])
  runtime.at('/items/2').answer(shoe('z'))
  await turn()
  runtime.at('/items/z').answer(shoe('4'))
  const { results, complete } = await reply
  t.same(
    results.map(({ id }) => id),
    ['a', 'b', 'c', 'd'],
    'in the order of the calls',
  )
  t.same(
    arrived.map(({ id }) => id),
    ['c', 'a', 'b', 'd'],
    'in the order of arrival',
  )
  t.same(results[0], { id: 'a', operation: 'shop.item', state: 'ok', status: 200, data: shoe('1') })
  t.equal(complete, true)
  t.same(
    arrived.map(({ text }) => JSON.parse(text) as unknown),
    ['c', 'a', 'b', 'd'].map(id => results.find(result => result.id === id)),
    'each result has the text that the reply has',
  )
})

test('a chain of 1000 calls that are answered at once does not exhaust the stack', async t => {
  const calls = Array.from({ length: 1000 }, (_, at) =>
    item(`c${at}`, at === 0 ? '0' : { $ref: `c${at - 1}#/data/id` }, { optional: true }),
  )
  const { reply } = started(offer, calls, answeringAtOnce({ value: shoe('x'), status: 200 }))
  t.equal((await reply).complete, true)
})

test('the plan names the needs of each call, those of its references too', async t => {
  const { batch } = started(
    offer,
    [item('a', '1'), item('b', { $ref: 'a#/data/id' }), item('c', '3', { needs: ['b', 'a', 'b'] })],
    heldRuntime(),
  )
  t.same(batch.plan, [
    { id: 'a', operation: 'shop.item', needs: [] },
    { id: 'b', operation: 'shop.item', needs: ['a'] },
    { id: 'c', operation: 'shop.item', needs: ['b', 'a'] },
  ])
  batch.cancel('over')
})

test('references take numbers, texts, lists and objects into any place of an input', async t => {
  const runtime = answeringRuntime(shopAnswer)
  const { reply } = started(
    offer,
    [
      { id: 'found', operation: 'shop.search', input: { q: 'shoe' } },
      {
        id: 'ordered',
        operation: 'shop.order',
        input: {
          body: { lines: [{ sku: { $ref: 'found#/data/1/id' }, count: 2 }], note: { $ref: 'found#/data/0/id' } },
        },
      },
      { id: 'paid', operation: 'checkout', input: { body: { total: { $ref: 'found#/data/0/price' } } } },
      {
        id: 'bought',
        operation: 'cart',
        input: { params: { user: { $ref: 'ordered#/data/number' } }, query: { items: 3 } },
      },
      { id: 'priced', operation: 'shop.prices', input: { $ref: 'found#/data/1/id' } },
    ],
    runtime,
  )
  const { results } = await reply
  t.same(
    results.map(({ state }) => state),
    ['ok', 'ok', 'ok', 'ok', 'ok'],
    JSON.stringify(results),
  )
  t.same(results[2]?.data, { paid: 5 })
  t.match(results[3], { data: { first: { id: '7' }, items: 3 }, complete: true, sources: { first: { state: 'ok' } } })
  t.same(results[4]?.data, { b: 3 }, 'a reference can be the whole input of an operation with keyBatch')
  t.ok(runtime.asked.includes('/items/7'), 'a number becomes the text of a path')
})

test('a call that needs a failed call is not sent, and so is what needs that call', async t => {
  const runtime = heldRuntime()
  const { reply, batch } = started(
    offer,
    [item('a', '1'), item('b', '2', { needs: ['a', 'd'] }), item('c', '3', { needs: ['b'] }), item('d', '4')],
    runtime,
  )
  runtime.at('/items/1').fail(busy({ retryAfterMs: 2500 }))
  await turn()
  runtime.at('/items/4').answer(shoe('4'))
  const { results, complete, retryAfter } = await reply
  t.same(
    results.map(({ state, status, problem }) => [state, status, problem?.code]),
    [
      ['failed', 503, 'UPSTREAM_BUSY'],
      ['notSent', 424, 'DEPENDENCY_FAILED'],
      ['notSent', 424, 'DEPENDENCY_FAILED'],
      ['ok', 200, undefined],
    ],
  )
  t.equal(results[1]?.problem?.detail, "The call was not sent, because the call 'a', which it needs, failed.")
  t.equal(complete, false)
  t.equal(retryAfter, 3, 'the longest of the problems')
  t.match(batch.counts, { calls: 4, ok: 1, stale: 0, partial: 0, failed: 1, notSent: 2 })
  t.same(Object.fromEntries(batch.counts.codes), { UPSTREAM_BUSY: 1, DEPENDENCY_FAILED: 2 })
  t.same(
    batch.failures.map(({ index, operation: name, problem: { code } }) => [index, name, code]),
    [
      [0, 'shop.item', 'UPSTREAM_BUSY'],
      [1, 'shop.item', 'DEPENDENCY_FAILED'],
      [2, 'shop.item', 'DEPENDENCY_FAILED'],
    ],
  )
})

test('an optional need that failed lets a call that only follows it run', async t => {
  const runtime = heldRuntime()
  const { reply } = started(
    offer,
    [
      item('a', '1', { optional: true }),
      item('b', '2', { needs: ['a'] }),
      item('c', { $ref: 'a#/data/id' }, { needs: ['a'] }),
    ],
    runtime,
  )
  runtime.at('/items/1').fail(busy())
  await turn()
  runtime.at('/items/2').answer(shoe('2'))
  t.same(
    (await reply).results.map(({ state }) => state),
    ['failed', 'ok', 'notSent'],
  )
})

test('at the deadline the calls that have not ended are 504, and what needs them is not sent', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const runtime = heldRuntime({ deaf: path => path === '/items/2' })
  const { reply, batch } = started(
    offer,
    {
      calls: [
        item('a', '1', { optional: true }),
        item('b', '2'),
        item('c', '3', { needs: ['a'] }),
        item('d', '4', { needs: ['b'] }),
      ],
      deadlineMs: 50,
    },
    runtime,
    { deadline: 500 },
  )
  t.equal(batch.deadline, 50)
  mock.timers.tick(49)
  t.equal(runtime.at('/items/1').cut, undefined)
  mock.timers.tick(1)
  t.match(runtime.at('/items/1').cut, { reason: { code: 'DEADLINE_EXCEEDED' } })
  const { results } = await reply
  t.same(
    results.map(({ state, problem }) => [state, problem?.code]),
    [
      ['failed', 'DEADLINE_EXCEEDED'],
      ['failed', 'DEADLINE_EXCEEDED'],
      ['failed', 'DEADLINE_EXCEEDED'],
      ['notSent', 'DEPENDENCY_FAILED'],
    ],
    'a layer that ignores its abort does not delay the reply',
  )
  t.equal(results[0]?.problem?.detail, 'batch did not end before its deadline: the limit is 50 ms.')
  t.equal(runtime.calls.length, 2, 'no call is sent after the deadline')
  runtime.at('/items/2').answer(shoe('2'))
  await turn()
  t.equal(batch.abort.size, 0, 'nothing listens to the abort')
})

test('deadlineMs cannot extend the deadline of the service, and is at least 10 ms', async t => {
  for (const [deadlineMs, expected] of [
    [501, 500],
    [1, 10],
  ] as const) {
    const { batch } = started(offer, { calls: [item('a', '1')], deadlineMs }, heldRuntime(), { deadline: 500 })
    t.equal(batch.deadline, expected)
    batch.cancel('over')
  }
})

test('a caller that leaves aborts all calls, and the batch rejects with the reason', async t => {
  const runtime = heldRuntime()
  const { answer, batch, events, arrived } = started(
    offer,
    [
      item('a', '1'),
      { id: 'b', operation: 'cart', input: { params: { user: '2' } } },
      item('c', '3', { needs: ['a'] }),
    ],
    runtime,
  )
  t.equal(runtime.calls.length, 3)
  batch.cancel('gone')
  batch.cancel('again')
  t.equal(await answer.catch((error: unknown) => error), 'gone')
  for (const { cut } of runtime.calls) t.ok(cut !== undefined, 'the call was aborted')
  t.equal(batch.isClosed, true)
  t.same(arrived, [])
  const own = events.filter(({ run }) => run.aggregate === 'batch')
  t.same(
    own.slice(-3).map(event => [event.type, 'state' in event ? event.state : 'code' in event && event.code]),
    [
      ['step ended', 'cancelled'],
      ['step ended', 'cancelled'],
      ['run ended', 'CANCELLED'],
    ],
  )
})

test('a batch whose caller has left waits for an unsafe call, and the deadline still aborts that call', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const runtime = heldRuntime({ deaf: path => path === '/orders' })
  const { answer, batch } = started(offer, [order('a'), item('b', '1')], runtime, { deadline: 80 })
  let isSettled = false
  const settled = answer.catch((error: unknown) => error).finally(() => (isSettled = true))
  batch.cancel('gone')
  await turn()
  t.equal(isSettled, false, 'the order was written')
  mock.timers.tick(80)
  t.equal(await settled, 'gone')
  runtime.at('/orders').answer({ number: 1 })
  await turn()
  t.equal(isSettled, true)
})

test('a caller that leaves at the deadline gets the reason, and no result arrives', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const runtime = heldRuntime({ deaf: () => true })
  const { answer, batch, arrived, events } = started(offer, [order('a')], runtime, { deadline: 80 })
  mock.timers.tick(80)
  batch.cancel('gone')
  t.equal(await answer.catch((error: unknown) => error), 'gone')
  t.match(batch.abort.reason, { code: 'DEADLINE_EXCEEDED' })
  const count = events.length
  runtime.at('/orders').answer({ number: 1 })
  batch.emit({ type: 'step started', at: 1, step: 0 })
  await turn()
  t.same(arrived, [])
  t.equal(events.length, count, 'a batch that has settled has no more events')
})

test('an unsafe call that ends after its caller has left ends the batch', async t => {
  const runtime = heldRuntime({ deaf: () => true })
  const { answer, batch } = started(offer, [order('a')], runtime)
  batch.cancel('gone')
  runtime.at('/orders').answer({ number: 1 })
  t.equal(await answer.catch((error: unknown) => error), 'gone')
})

test('a listener may cancel the batch at each event, and no call is sent after that', async t => {
  for (const [type, sent] of [
    ['run started', 0],
    ['step started', 0],
    ['step ended', 1],
  ] as const) {
    const runtime = heldRuntime()
    const events: string[] = []
    const calls = [item('a', '1'), item('b', '2', { needs: ['a'] })]
    const batch = startBatch(
      offer,
      { calls },
      {
        runtime,
        deadline: 1000,
        headers: {},
        maxCalls: 2,
        onEvent: event => {
          events.push(event.type)
          if (event.type === type) batch.cancel('gone')
        },
      },
    )
    const answer = batch.start().catch((error: unknown) => error)
    if (sent > 0) runtime.at('/items/1').answer(shoe('1'))
    t.equal(await answer, 'gone', type)
    t.equal(runtime.calls.length, sent)
    t.equal(events.at(-1), 'run ended')
    t.equal(events.filter(event => event === 'run ended').length, 1)
  }
})

test('a listener that throws fails the batch', async t => {
  const runtime = heldRuntime()
  const { answer } = started(
    offer,
    [item('a', '1'), { id: 'b', operation: 'cart', input: { params: { user: '2' } } }],
    runtime,
    {
      onEvent: event => {
        if (event.type === 'step ended') throw new Error('listener')
      },
    },
  )
  runtime.at('/items/1').answer(shoe('1'))
  t.match(await answer.catch((error: unknown) => error), { code: 'INTERNAL', cause: { message: 'listener' } })
})

test('an aggregate gets the time that remains, and is one call of the batch', async t => {
  const runtime = heldRuntime()
  const { reply, events } = started(
    offer,
    [item('a', '1'), { id: 'b', operation: 'cart', input: { params: { user: { $ref: 'a#/data/id' } } } }],
    runtime,
    { deadline: 700, headers: { 'x-request-id': 'r' } },
  )
  runtime.at('/items/1').answer(shoe('2'))
  await turn()
  const nested = runtime.at('/items/2')
  t.ok(nested.call.scope.deadline < 700)
  t.equal(nested.call.scope.headers['x-request-id'], 'r')
  t.not(nested.call.scope.admitted, runtime.at('/items/1').call.scope.admitted, 'it has an admission of its own')
  nested.answer(shoe('2'))
  runtime.at('/quotes/2').fail(busy())
  const { results, complete } = await reply
  t.match(results[1], {
    operation: 'cart',
    state: 'partial',
    status: 200,
    complete: false,
    sources: { first: { state: 'ok', attempts: 0 }, quote: { state: 'fallback', code: 'UPSTREAM_BUSY' } },
    data: { quote: null },
  })
  t.equal(complete, false)
  t.same([...new Set(events.map(({ run }) => run.aggregate))], ['batch', 'cart'])
})

test('an aggregate that fails or refuses fails its call alone', async t => {
  const runtime = heldRuntime()
  const { reply } = started(
    offer,
    [
      { id: 'a', operation: 'checkout', input: { body: { total: 0 } } },
      { id: 'b', operation: 'cart', input: { params: { user: '2' } } },
      { id: 'c', operation: 'checkout', input: { body: { total: 3 } } },
    ],
    runtime,
  )
  runtime.at('/items/2').fail(busy())
  const { results } = await reply
  t.same(
    results.map(({ state, status, problem }) => [state, status, problem?.code]),
    [
      ['failed', 409, 'REFUSED'],
      ['failed', 503, 'UPSTREAM_BUSY'],
      ['ok', 200, undefined],
    ],
  )
})

test('callers see as much of upstreams as the level says, and aggregates with a level keep theirs', async t => {
  const secret = aggregate('secret', { url: '/secret', batch: true, sources: 'none' })
    .required('hidden', () => shop.item({ id: 'broken' }))
    .reply(z.unknown(), () => 1)
  const open = offerFor([shop.item], [secret, ...shopAt('http://shop.test').aggregates])
  const calls = [
    item('a', 'broken'),
    { id: 'b', operation: 'cart', input: { params: { user: 'x' } } },
    { id: 'c', operation: 'secret' },
  ]
  const textOf = async (level: 'full' | 'states' | 'none') => {
    const runtime = answeringRuntime(path => {
      if (path.endsWith('broken')) throw busy({ detail: 'it has words of its own' })
      return shopAnswer(path)
    })
    const { answer } = started(open, calls, runtime, { level })
    return JSON.parse((await answer).text) as { results: [unknown, unknown, { readonly problem: object }] }
  }
  const full = await textOf('full')
  t.match(full.results[0], { problem: { detail: /^shop answered/ } })
  t.match(full.results[1], { sources: { first: { attempts: 0 } } })
  t.notMatch(full.results[2].problem, { sources: {} })
  t.match(full.results[2], { problem: { detail: 'An upstream answered that it accepts no more calls for now.' } })
  const states = await textOf('states')
  t.match(states.results[0], { problem: { detail: /^An upstream answered/ } })
  t.same((states.results[1] as { readonly sources: unknown }).sources, {
    first: { state: 'ok' },
    quote: { state: 'ok' },
  })
  const none = await textOf('none')
  t.notOk(JSON.stringify(none).includes('sources'))
  t.notOk(JSON.stringify(none).includes('words'))
})

test('a stale answer is stale, and the batch is not complete', async t => {
  const insteadOf = busy()
  const { reply, batch, events } = started(
    offer,
    [item('a', '1'), item('b', { $ref: 'a#/data/id' })],
    answeringAtOnce({ value: shoe('x'), status: 200, cached: { cache: 'stale', insteadOf } }),
  )
  const { results, complete } = await reply
  t.same(
    results.map(({ state, status }) => [state, status]),
    [
      ['stale', 200],
      ['stale', 200],
    ],
  )
  t.equal(complete, false)
  t.match(batch.counts, { stale: 2 })
  t.equal(batch.failures[0]?.problem.code, 'UPSTREAM_BUSY')
  t.match(
    events.find(event => event.type === 'step ended'),
    { state: 'stale', code: 'UPSTREAM_BUSY' },
  )
})

test('a value that cannot be written, and a function of an author that throws, fail their calls alone', async t => {
  const odd = defineUpstream(
    'odd',
    { origin: 'http://odd.test' },
    {
      self: operation({ path: '/self', output: z.unknown(), batch: true }),
      key: operation({
        path: '/key',
        query: z.object({ ids: z.array(z.string()) }),
        output: z.unknown(),
        keyBatch: {
          maxKeys: 2,
          call: (ids: readonly string[]) => ({ ids: ids.map(id => id.toUpperCase()) }),
          pick: () => 1,
        },
        batch: true,
      }),
    },
  )
  const self: Record<string, unknown> = {}
  self['self'] = self
  const { reply, batch } = started(
    offerFor([odd.self, odd.key]),
    [
      { id: 'a', operation: 'odd.self' },
      { id: 'b', operation: 'odd.key', input: 7 },
      { id: 'c', operation: 'odd.key', input: 'x' },
    ],
    answeringRuntime(path => (path === '/self' ? self : 1)),
  )
  t.same(
    (await reply).results.map(({ state, problem }) => [state, problem?.code]),
    [
      ['failed', 'INTERNAL'],
      ['failed', 'INTERNAL'],
      ['ok', undefined],
    ],
  )
  t.equal(batch.failures.length, 2, 'the log has both causes')
})

test('results that together exceed the limit fail, and do not count for the limit', async t => {
  const runtime = answeringRuntime(path => (path === '/quotes/large' ? 'x'.repeat(3000) : 'x'.repeat(300)))
  const quote = (id: string, value: string, others: object = {}) => ({
    id,
    operation: 'shop.quote',
    input: { id: value, headers: { 'x-tenant': 'tt' } },
    ...others,
  })
  const { reply } = started(
    offer,
    [
      quote('a', 'small'),
      quote('b', 'large', { needs: ['a'] }),
      quote('c', 'small', { needs: ['b'] }),
      quote('d', 'small'),
    ],
    runtime,
    { maxReplyBytes: 2000 },
  )
  t.same(
    (await reply).results.map(({ state, problem }) => [state, problem?.code]),
    [
      ['ok', undefined],
      ['failed', 'UPSTREAM_TOO_LARGE'],
      ['notSent', 'DEPENDENCY_FAILED'],
      ['ok', undefined],
    ],
  )
})

test('values of references are bounded together, however often one value is named', async t => {
  const quote = (id: string, value: unknown, others: object = {}) => ({
    id,
    operation: 'shop.quote',
    input: { id: value, headers: { 'x-tenant': 'tt' } },
    ...others,
  })
  const calls = [quote('a', 'x'), ...Array.from({ length: 5 }, (_, at) => quote(`c${at}`, { $ref: 'a#/data' }))]
  const { reply } = started(
    offer,
    calls,
    answeringRuntime(path => (path === '/quotes/x' ? 'y'.repeat(900) : 1)),
    {
      maxReplyBytes: 2000,
    },
  )
  const { results } = await reply
  t.same(
    results.map(({ problem }) => problem?.code),
    [undefined, undefined, undefined, undefined, 'REFERENCE_INVALID', 'REFERENCE_INVALID'],
  )
  t.match(results[5]?.problem?.detail, /has no room/)
})

test('the events of a batch name its calls, and its run has the id that was given', async t => {
  const events: RunEvent[] = []
  const runtime = heldRuntime()
  const { reply } = started(offer, [item('a', '1'), item('b', '2', { needs: ['a'] })], runtime, {
    id: '00000000-0000-4000-8000-000000000000',
    route: { method: 'QUERY', url: '/v1/batch' },
    headers: { 'x-request-id': 'r1' },
    onEvent: event => {
      events.push(event)
    },
  })
  runtime.at('/items/1').fail(busy())
  await reply
  t.same(
    events.map(event => [event.type, 'stepName' in event ? event.stepName : '', 'code' in event ? event.code : '']),
    [
      ['run started', '', ''],
      ['step started', 'a', ''],
      ['step ended', 'a', 'UPSTREAM_BUSY'],
      ['step started', 'b', ''],
      ['step ended', 'b', 'DEPENDENCY_FAILED'],
      ['run ended', '', undefined],
    ],
  )
  t.match(events[0]?.run, {
    id: '00000000-0000-4000-8000-000000000000',
    aggregate: 'batch',
    method: 'QUERY',
    url: '/v1/batch',
    requestId: 'r1',
  })
})

test('an offer refuses an operation without batch, and two of one name', async t => {
  t.throws(() => offerFor([shop.vat]), /^batch: shop.vat is not declared for batches: add batch: true/)
  const other = shopAt('http://other.test')
  t.throws(() => offerFor([shop.item, other.shop.item]), /two operations have the name 'shop.item'/)
  t.equal(offerFor([shop.item, shop.item]).size, 1, 'an operation that is listed twice is one')
  t.throws(
    () => offerOf([], [...other.aggregates, ...shopAt('http://x.test').aggregates]),
    /two aggregates have the name 'cart'/,
  )
  t.same([...offer.keys()], ['shop.search', 'shop.item', 'shop.order', 'shop.quote', 'shop.prices', 'cart', 'checkout'])
})

test('calls that become ready at the same time share the loop with other work', async t => {
  const slow = defineUpstream(
    'slow',
    { origin: 'http://slow.test' },
    {
      take: operation({
        path: '/take',
        query: z.object({
          q: z.number().refine(() => {
            for (const until = performance.now() + 3; performance.now() < until;);
            return true
          }),
        }),
        output: z.unknown(),
        batch: true,
      }),
    },
  )
  const runtime = answeringRuntime(() => 7)
  const call = (id: string, q: unknown) => ({ id, operation: 'slow.take', input: { q } })
  const later = Array.from({ length: 20 }, (_, index) => call(`c${index}`, { $ref: 'first#/data' }))
  const { reply } = started(offerFor(Object.values(slow)), [call('first', 1), ...later], runtime)
  const seen = new Set<number>()
  const look = () => {
    seen.add(runtime.asked.length)
    if (runtime.asked.length < 21) setImmediate(look)
  }
  look()
  t.equal((await reply).complete, true)
  t.ok(seen.size > 3, `other work ran after ${[...seen].join(', ')} calls`)
})
