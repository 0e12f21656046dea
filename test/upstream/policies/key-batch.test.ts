import { test } from 'tap'
import { z } from 'zod'
import { Abort } from '../../../src/core/abort.ts'
import { UpstreamError } from '../../../src/errors.ts'
import type { Call } from '../../../src/upstream/call/call.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { keyBatch } from '../../../src/upstream/policies/key-batch/key-batch.ts'
import { keyOf } from '../../../src/upstream/transport/dispatch.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { heldService } from '../../helpers/held-service.ts'
import { idsOf, pricedUpstream, pricesOf } from '../../helpers/priced-upstream.ts'
import { turn } from '../../helpers/turn.ts'

function arrange(maxKeys = 50) {
  const bottom = heldService()
  const service = keyBatch({ keyOf })(bottom.service)
  const shop = pricedUpstream(maxKeys)
  const run = testRun()
  return {
    bottom,
    service,
    shop,
    run,
    asking: (id: string, abort = new Abort()) => service(run.ask(shop.price(id), { abort })),
    /** Ends the turn, and returns the ids of each request in flight. */
    requests: async () => {
      await turn()
      return bottom.held.map(({ call }) => idsOf(call.path))
    },
    answerAll: () => {
      for (const { call, answer } of bottom.held.slice()) answer(pricesOf(call.path))
    },
  }
}

test('calls of one turn and one run become one request, and each gets the value of its key', async t => {
  const { asking, requests, answerAll } = arrange()
  const asked = ['b', 'aaa', 'cc'].map(id => asking(id))
  t.same(await requests(), [['b', 'aaa', 'cc']], 'the keys have the order of their calls')
  answerAll()
  t.same(await Promise.all(asked), [
    { value: { id: 'b', cents: 1 }, status: 200 },
    { value: { id: 'aaa', cents: 3 }, status: 200 },
    { value: { id: 'cc', cents: 2 }, status: 200 },
  ])
})

test('200 keys are 4 requests if maxKeys is 50', async t => {
  const { asking, requests, answerAll } = arrange()
  const ids = Array.from({ length: 200 }, (_, index) => `k${index}`)
  const asked = ids.map(id => asking(id))
  t.same(
    (await requests()).map(({ length }) => length),
    [50, 50, 50, 50],
  )
  answerAll()
  t.same(
    (await Promise.all(asked)).map(({ value }) => value.id),
    ids,
  )
})

test('calls that microtasks start in one turn share a request', async t => {
  const { asking, requests, answerAll } = arrange()
  const asked = [0, 1, 5].map(async microtasks => {
    for (let left = microtasks; left > 0; left--) await Promise.resolve()
    return asking(`k${microtasks}`)
  })
  t.same(await requests(), [['k0', 'k1', 'k5']])
  answerAll()
  await Promise.all(asked)
})

test('calls of two turns are two requests', async t => {
  const { asking, requests, answerAll } = arrange()
  const first = asking('a')
  await requests()
  const second = asking('b')
  t.same(await requests(), [['a'], ['b']])
  answerAll()
  await Promise.all([first, second])
})

test('calls of two runs are never sent together', async t => {
  const { service, shop, requests, answerAll } = arrange()
  const asked = ['a', 'b'].map(id => service(testRun().ask(shop.price(id))))
  t.same(await requests(), [['a'], ['b']])
  answerAll()
  await Promise.all(asked)
})

test('calls with other headers or of another operation are sent apart', async t => {
  const { bottom, service, shop, run, requests } = arrange()
  const asked = [
    service(run.ask(shop.price('a'))),
    service(run.ask(shop.price('b')).withHeaders({ 'x-layer': '1' })),
    service(run.ask(shop.shared('c'))),
    service(run.ask(shop.price('d')).withHeaders({ 'x-layer': '1' })),
  ]
  t.same(await requests(), [['a'], ['b', 'd'], ['c']])
  t.same(
    bottom.held.map(({ call }) => call.headers),
    [undefined, { 'x-layer': '1' }, undefined],
  )
  for (const { call, answer } of bottom.held.slice()) answer(pricesOf(call.path))
  await Promise.all(asked)
})

test('a duplicate key is sent once, and all of its calls get one frozen answer', async t => {
  const { bottom, asking, requests, answerAll } = arrange()
  const asked = [asking('a'), asking('b'), asking('a')]
  t.same(await requests(), [['a', 'b']])
  answerAll()
  const [first, other, last] = await Promise.all(asked)
  t.equal(first, last)
  t.not(first, other)
  t.ok(Object.isFrozen(first?.value))
  t.equal(bottom.taken, 1)
})

test('a value that pick creates is frozen', async t => {
  const { shop, service, run, requests, bottom } = arrange()
  const asked = service(run.ask(shop.placed('a')))
  await requests()
  bottom.held[0]?.answer([7])
  t.same(await asked, { value: 7, status: 200 })
  const boxes = defineUpstream(
    'boxes',
    { origin: 'http://127.0.0.1:9' },
    {
      box: operation({
        path: '/boxes',
        query: z.object({ ids: z.array(z.number()) }),
        output: z.array(z.number()),
        keyBatch: { maxKeys: 2, call: (ids: readonly number[]) => ({ ids }), pick: sizes => ({ sizes: [...sizes] }) },
      }),
    },
  )
  const box = service(run.ask(boxes.box(1)))
  await requests()
  bottom.held[0]?.answer([1])
  const { value } = await box
  t.ok(Object.isFrozen(value.sizes))
})

test('pick gets the position of its key in the request', async t => {
  const { shop, service, run, requests, bottom } = arrange(2)
  const asked = ['a', 'b', 'a', 'c'].map(id => service(run.ask(shop.placed(id))))
  t.same(await requests(), [['a', 'b'], ['c']])
  bottom.held[1]?.answer([30])
  bottom.held[0]?.answer([10, 20])
  t.same(
    (await Promise.all(asked)).map(({ value }) => value),
    [10, 20, 10, 30],
  )
})

test('a missing key fails all calls of this key, and no other', async t => {
  const { bottom, asking, requests } = arrange()
  const [found, ...missing] = [asking('a'), failure(asking('b')), failure(asking('b'))] as const
  await requests()
  bottom.held[0]?.answer([{ id: 'a', cents: 1 }])
  t.equal((await found).value.cents, 1)
  const [first, second] = await Promise.all(missing)
  t.match(first, {
    code: 'UPSTREAM_KEY_MISSING',
    source: 'shop',
    upstreamStatus: 200,
    verdict: 'ignored',
    retryable: false,
    message: 'shop answered without the value of a requested key',
  })
  t.equal(first, second)
})

test('a failed request fails each of its calls', async t => {
  const { bottom, asking, requests } = arrange(2)
  const failed = [failure(asking('a')), failure(asking('b'))]
  const other = asking('c')
  await requests()
  const error = new UpstreamError('UPSTREAM_RESET', 'shop')
  bottom.held[0]?.fail(error)
  bottom.held[0]?.answer([{ id: 'c', cents: 3 }])
  t.same(await Promise.all(failed), [error, error])
  t.equal((await other).value.cents, 3)
})

test('an answer that cannot be frozen fails each of its calls', async t => {
  const { bottom, asking, requests } = arrange()
  const failed = [failure(asking('a')), failure(asking('b'))]
  await requests()
  const broken = new RangeError('the getter is broken')
  const value = Object.defineProperty({}, 'cents', {
    enumerable: true,
    get: () => {
      throw broken
    },
  })
  const [request] = bottom.held
  Object.defineProperty(value, 'toJSON', { value: () => '' })
  request?.answer(value)
  t.same(await Promise.all(failed), [broken, broken])
})

test('an error that pick throws fails the calls of its key', async t => {
  const picky = defineUpstream(
    'picky',
    { origin: 'http://127.0.0.1:9' },
    {
      value: operation({
        path: '/values',
        query: z.object({ ids: z.array(z.string()) }),
        output: z.array(z.string()),
        keyBatch: {
          maxKeys: 5,
          call: (ids: readonly string[]) => ({ ids }),
          pick: (values, id) => {
            if (id === 'bad') throw new RangeError('pick is broken')
            return (id === 'later' ? Promise.reject(new Error('late')) : values[0]) as string | undefined
          },
        },
      }),
    },
  )
  const { bottom, service, run, requests } = arrange()
  const asked = ['good', 'bad', 'later'].map(id => service(run.ask(picky.value(id))).catch((error: unknown) => error))
  await requests()
  bottom.held[0]?.answer(['x'])
  t.match(await Promise.all(asked), [
    { value: 'x' },
    new RangeError('pick is broken'),
    new TypeError('picky.value: keyBatch.pick returned a promise: return the value of the key'),
  ])
})

test('a caller that leaves does not end the request of the other callers', async t => {
  const { bottom, asking, requests, answerAll } = arrange()
  const gone = new Abort()
  const left = failure(asking('a', gone))
  const stays = asking('b')
  t.same(await requests(), [['a', 'b']])
  gone.abort('gone')
  t.equal(await left, 'gone')
  t.equal(bottom.held[0]?.call.abort.aborted, false)
  answerAll()
  t.equal((await stays).value.id, 'b')
})

test('the last caller that leaves ends the request', async t => {
  const { bottom, asking, requests } = arrange()
  const aborts = [new Abort(), new Abort(), new Abort()]
  const left = aborts.map((abort, index) => failure(asking(index === 2 ? 'k0' : `k${index}`, abort)))
  await requests()
  const request = bottom.held[0]?.call
  aborts[0]?.abort('first')
  aborts[1]?.abort('second')
  t.equal(request?.abort.aborted, false)
  aborts[2]?.abort('third')
  t.match(request?.abort, { aborted: true, reason: 'third' })
  t.same(await Promise.all(left), ['first', 'second', 'third'])
})

test('a caller that leaves before the end of the turn is not part of the request', async t => {
  const { bottom, asking, requests, answerAll } = arrange()
  const gone = new Abort()
  const left = failure(asking('a', gone))
  const stays = asking('b')
  gone.abort('gone')
  t.equal(await left, 'gone')
  t.same(await requests(), [['b']])
  answerAll()
  await stays
  const alone = failure(asking('c', gone))
  t.equal(await alone, 'gone', 'an aborted call is not collected')
  const late = new Abort()
  const all = [failure(asking('d', late)), failure(asking('e', late))]
  late.abort('late')
  await Promise.all(all)
  t.same(await requests(), [])
  t.equal(bottom.taken, 1)
})

test('a listener of one request that aborts the run stops the requests after it', async t => {
  const { shop, run } = arrange()
  const taken: string[] = []
  const service = keyBatch({ keyOf })(call => {
    taken.push(call.path)
    run.abort.abort('the run has ended')
    return Promise.reject(call.abort.reason)
  })
  const asked = ['a', 'b', 'c'].map(id => failure(service(run.ask(pricedUpstream(2).price(id)))))
  t.same(await Promise.all(asked), Array(3).fill('the run has ended'))
  t.equal(taken.length, 1)
  t.ok(shop)
})

test('a caller that another caller of its batch aborts gets its abort reason, and no value', async t => {
  const { asking, requests, answerAll, run, service, shop } = arrange()
  const gone = new Abort()
  const first = asking('a').then(() => undefined)
  const settled: unknown[] = []
  const send = service.send as NonNullable<typeof service.send>
  send(run.ask(shop.price('b')), {
    resolve: () => gone.abort('gone'),
    reject: error => settled.push(error),
  })
  send(run.ask(shop.price('c'), { abort: gone }), {
    resolve: value => settled.push(value),
    reject: error => settled.push(error),
  })
  await requests()
  answerAll()
  await first
  t.same(settled, ['gone'])
})

test('the request of one key is the request of its call', async t => {
  const { bottom, run, service, shop, requests, answerAll } = arrange()
  const call = run.ask(shop.price('a'), { step: 3, index: 4 })
  const asked = service(call)
  t.same(await requests(), [['a']])
  const request = bottom.held[0]?.call
  t.match(request, { path: call.path, step: 3, index: 4, siblingCount: 1, key: 'a' })
  t.equal(request?.effort, call.effort)
  answerAll()
  await asked
})

test('the request has no deadline, and as much patience as the most patient of its calls', async t => {
  const { bottom, shop, service, requests, answerAll } = arrange()
  const run = testRun({ deadline: 50, headers: { 'x-tenant': 'a' } })
  const patient = { ...run, patience: 400, isWatched: false }
  const first = run.ask(shop.price('a'), { step: 2, index: 1 })
  const second = testRun().ask(shop.price('b'))
  Object.assign(second, { scope: patient })
  const asked = [service(first), service(second)]
  t.same(await requests(), [['a', 'b']])
  const request = bottom.held[0]?.call
  t.match(request?.scope, { deadline: Infinity, headers: run.headers, isWatched: true })
  t.ok(Math.abs((request?.scope.patience ?? 0) - 400) < 20)
  t.equal(request?.scope.admitted, run.admitted)
  request?.scope.emit({
    type: 'attempt started',
    at: request.scope.now(),
    step: 2,
    call: 1,
    upstream: 'shop',
    operation: 'shop.price',
    attempt: 1,
    kind: 'first',
  })
  t.match(run.events, [{ type: 'attempt started' }])
  if (request !== undefined) request.effort.sent = true
  answerAll()
  await Promise.all(asked)
  t.equal(second.effort.sent, true, 'the second call was sent too')
  t.equal(second.effort.attempts, 0)
})

test('the step of each call but the first links to the span of the attempt', async t => {
  const { bottom, shop, service, requests, answerAll } = arrange()
  const shared: unknown[] = []
  const run = testRun()
  const spans = { answerShared: (call: { step: number }, span: unknown) => shared.push([call.step, span]) }
  Object.assign(run, { spans })
  const asked = [0, 1].map(step => service(run.ask(shop.price(`k${step}`), { step })))
  await requests()
  const span = { answered() {}, failed() {} }
  Object.assign((bottom.held[0] as (typeof bottom.held)[0]).call.effort, { span })
  answerAll()
  await Promise.all(asked)
  t.same(shared, [[1, span]])
})

test('an operation without keyBatch is not delayed', async t => {
  const { bottom, shop, service, run } = arrange()
  const asked = service(run.ask(shop.one({ id: 'a' })))
  t.equal(bottom.taken, 1)
  bottom.held[0]?.answer({ id: 'a', cents: 1 })
  t.same(await asked, { value: { id: 'a', cents: 1 }, status: 200 })
})

test('keys that the schemas refuse together fail with the fix', async t => {
  const { run, service } = arrange()
  const small = defineUpstream(
    'small',
    { origin: 'http://127.0.0.1:9' },
    {
      value: operation({
        path: '/values',
        query: z.object({ ids: z.array(z.string()).max(1) }),
        output: z.array(z.string()),
        keyBatch: { maxKeys: 5, call: (ids: readonly string[]) => ({ ids }), pick: ([value]) => value },
      }),
    },
  )
  const asked = ['a', 'b'].map(id => failure(service(run.ask(small.value(id)))))
  const [first, second] = await Promise.all(asked)
  t.match(first, {
    name: 'TypeError',
    message:
      'small.value: each of 2 keys is valid, and keyBatch.call of all of them is not: ' +
      'lower maxKeys to what the schemas accept',
    cause: { code: 'CALL_INPUT_INVALID' },
  })
  t.equal(first, second)
})

test('a key that the schemas refuse fails its own call before anything is sent', t => {
  const { shop } = arrange()
  t.throws(() => shop.price('NOT VALID'), { code: 'CALL_INPUT_INVALID', source: 'shop.price' })
  t.end()
})

test('a call of a key has the request of this key alone', t => {
  const { shop } = arrange()
  const call: Call<unknown> = shop.price('a')
  t.match(call, { path: '/prices?ids=a', body: undefined, operation: 'shop.price', key: 'a' })
  t.equal(shop.price.path, '/prices')
  t.end()
})
