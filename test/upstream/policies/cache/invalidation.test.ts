import { test, type Test } from 'tap'
import { z } from 'zod'
import { Abort } from '../../../../src/core/abort.ts'
import type { Call } from '../../../../src/upstream/call/call.ts'
import { machineClock } from '../../../../src/upstream/policies/cache/entry.ts'
import { Invalidations } from '../../../../src/upstream/policies/cache/invalidations.ts'
import { createMemoryStore } from '../../../../src/upstream/policies/cache/memory-store.ts'
import type { CacheStoreFault } from '../../../../src/upstream/policies/cache/store.ts'
import type { CustomLayer } from '../../../../src/upstream/spec/layer-types.ts'
import { UpstreamError } from '../../../../src/errors.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../../../src/upstream/runtime.ts'
import { until } from '../../../helpers/until.ts'
import { testRun } from '../../../helpers/call.ts'
import { failure } from '../../../helpers/failure.ts'
import { handClock } from '../../../helpers/hand-clock.ts'
import { farStore } from '../../../helpers/far-store.ts'
import { json, rawUpstream, written, type Script } from '../../../helpers/raw-upstream.ts'
import { turn } from '../../../helpers/turn.ts'

const hour = { 'cache-control': 'max-age=3600' }
const id = z.object({ id: z.string() })

function declare(origin: string, options: Partial<UpstreamOptions> = {}) {
  return defineUpstream(
    'cats',
    { origin, retry: false, forwardHeaders: ['x-tenant'], ...options },
    {
      cat: operation({ path: '/cats/{id}', params: id, output: z.unknown(), cache: true }),
      head: operation({
        method: 'HEAD',
        path: '/cats/{id}',
        params: id,
        output: z.unknown(),
        allowEmpty: true,
        cache: true,
      }),
      list: operation({
        path: '/cats',
        query: z.object({ q: z.string().optional() }),
        output: z.unknown(),
        cache: true,
      }),
      put: operation({ method: 'PUT', path: '/cats/{id}', params: id, output: z.unknown() }),
      post: operation({ method: 'POST', path: '/cats', output: z.unknown() }),
      drop: operation({ method: 'DELETE', path: '/cats/{id}', params: id, output: z.unknown(), allowEmpty: true }),
      sure: operation({ method: 'DELETE', path: '/cats/{id}', params: id, output: z.unknown(), nullOn: [404] }),
    },
  )
}

/** The same upstream for those who change it and keep nothing. */
const declareWriter = (origin: string) =>
  defineUpstream(
    'writer',
    { origin, retry: false },
    { put: operation({ method: 'PUT', path: '/cats/{id}', params: id, output: z.unknown() }) },
  )

/** Answers reads with the number of the request, and writes as `write` says. */
const answering =
  (write: (path: string) => Buffer = () => json({})): Script =>
  (socket, { method, path, index }) =>
    socket.write(
      method === 'GET'
        ? json(index, 200, hour)
        : method === 'HEAD'
          ? written(200, { ...hour, 'content-type': 'application/json', 'content-length': '7' }, '')
          : write(path),
    )

/** An upstream that holds its first answer, `old`, and answers later requests with `new`. */
async function holdingOld(t: Test) {
  const held: (() => void)[] = []
  const raw = await rawUpstream(t, (socket, { method, index }) => {
    if (method !== 'GET') socket.write(json({}))
    else if (index === 0) held.push(() => socket.write(json('old', 200, hour)))
    else socket.write(json('new', 200, hour))
  })
  return { raw, held }
}

function open(t: Test, options: RuntimeOptions = {}) {
  const runtime = createRuntime(options)
  t.teardown(() => runtime.close())
  const ask = async (call: Call<unknown>, headers: Record<string, string> = {}, abort = new Abort()) =>
    runtime.send(testRun({ headers }).ask(call, { abort }))
  return {
    runtime,
    ask,
    cacheOf: async (call: Call<unknown>, headers?: Record<string, string>) => (await ask(call, headers)).cached?.cache,
  }
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < 4; turns++) await turn()
}

/** Two runtimes that share a store, as two replicas do; the first has kept an answer. */
async function replicas(t: Test, script: Script = answering()) {
  const raw = await rawUpstream(t, script)
  const cats = declare(raw.origin)
  const far = farStore(60_000)
  const [one, other] = [open(t, { cacheStore: far.store }), open(t, { cacheStore: far.store })]
  const tom = cats.cat({ id: 'tom' })
  await one.ask(tom)
  await settled()
  t.equal(await other.cacheOf(tom), 'hit')
  return { raw, cats, far, one, other, tom }
}

test('an unsafe call through one runtime invalidates what the shared store holds for another (RFC 9111, 4.4)', async t => {
  const { cats, one, other, tom } = await replicas(t)
  const jerry = cats.cat({ id: 'jerry' })
  await one.ask(jerry)
  await settled()
  await other.ask(cats.put({ id: 'tom' }))
  t.equal(await one.cacheOf(tom), 'miss')
  t.equal(await one.cacheOf(jerry), 'hit', 'another URI keeps its entry')
  await settled()
  t.equal(await other.cacheOf(tom), 'hit', 'what is requested since then is kept again')
})

test('every variant of the URI is invalid: other methods and other forwarded headers too', async t => {
  const { cats, one, other, tom } = await replicas(t)
  const variants = [
    [tom, {}],
    [tom, { 'x-tenant': 'a' }],
    [tom, { 'x-tenant': 'b' }],
    [cats.head({ id: 'tom' }), {}],
  ] as const
  for (const [call, headers] of variants) await one.ask(call, headers)
  await settled()
  for (const [call, headers] of variants) t.equal(await one.cacheOf(call, headers), 'hit')
  await other.ask(cats.drop({ id: 'tom' }))
  for (const [call, headers] of variants) t.equal(await one.cacheOf(call, headers), 'miss')
})

test('an invalidation outlives the runtime that made it', async t => {
  const { raw, cats, far, one, other, tom } = await replicas(t)
  await other.ask(cats.put({ id: 'tom' }))
  await Promise.all([one.runtime.close(), other.runtime.close()])
  const later = open(t, { cacheStore: far.store })
  t.equal(await later.cacheOf(tom), 'miss')
  t.equal(raw.requests.length, 3)
})

test('two declarations of one origin share their invalidations, with a store for both and with a store for each', async t => {
  for (const cacheStore of [createMemoryStore(), farStore(60_000).store, undefined]) {
    const raw = await rawUpstream(t, answering())
    const [cats, writer] = [declare(raw.origin), declareWriter(raw.origin)]
    const { ask, cacheOf } = open(t, cacheStore === undefined ? {} : { cacheStore })
    const tom = cats.cat({ id: 'tom' })
    await ask(tom)
    await settled()
    t.equal(await cacheOf(tom), 'hit')
    await ask(writer.put({ id: 'tom' }))
    t.equal(await cacheOf(tom), 'miss')
  }
})

test('each of two declarations of one origin that keep answers in stores of their own knows what the other changes', async t => {
  const raw = await rawUpstream(t, answering())
  const [one, other] = [declare(raw.origin), declare(raw.origin)]
  const { ask, cacheOf } = open(t)
  const [tom, same] = [one.cat({ id: 'tom' }), other.cat({ id: 'tom' })]
  for (const call of [tom, same]) t.equal(await cacheOf(call), 'miss')
  await ask(one.put({ id: 'tom' }))
  for (const call of [tom, same]) t.equal(await cacheOf(call), 'miss')
  await ask(other.put({ id: 'tom' }))
  for (const call of [tom, same]) t.equal(await cacheOf(call), 'miss')
})

test('declarations of other origins do not invalidate anything, though their paths are the same', async t => {
  const [raw, elsewhere] = [await rawUpstream(t, answering()), await rawUpstream(t, answering())]
  const { ask, cacheOf } = open(t)
  const tom = declare(raw.origin).cat({ id: 'tom' })
  await ask(tom)
  await ask(declareWriter(elsewhere.origin).put({ id: 'tom' }))
  t.equal(await cacheOf(tom), 'hit')
})

test('a URI has the prefix of the upstream', async t => {
  const raw = await rawUpstream(
    t,
    answering(() => json({}, 201, { location: '/api/cats/jerry' })),
  )
  const cats = declare(raw.origin)
  const { ask, cacheOf } = open(t, { overrides: { cats: { origin: `${raw.origin}/api` } } })
  const calls = [cats.cat({ id: 'tom' }), cats.cat({ id: 'jerry' })]
  for (const call of calls) await ask(call)
  await ask(cats.put({ id: 'tom' }))
  for (const call of calls) t.equal(await cacheOf(call), 'miss')
})

test('Location and Content-Location of the same origin are invalid too, those of another origin are not', async t => {
  for (const [headers, expected] of [
    [{ location: '/cats/tom' }, 'miss'],
    [{ 'content-location': '/cats/tom' }, 'miss'],
    [{ location: 'cats/tom' }, 'miss'],
    [{ location: '/cats/tom#top' }, 'miss'],
    [{ location: '/cats/tom', 'content-location': '/cats/tom' }, 'miss'],
    [{ location: 'ORIGIN/cats/tom' }, 'miss'],
    [{ location: '//HOST/cats/tom' }, 'miss'],
    [{ location: 'http://127.0.0.1:9/cats/tom' }, 'hit'],
    [{ location: 'https://HOST/cats/tom' }, 'hit'],
    [{ location: '/cats/jerry' }, 'hit'],
    [{ location: '/cats/tom?a=1' }, 'hit'],
    [{ location: 'http://[' }, 'hit'],
    [{}, 'hit'],
  ] as const) {
    let named: Record<string, string> = {}
    const raw = await rawUpstream(
      t,
      answering(() => json({}, 201, named)),
    )
    named = JSON.parse(
      JSON.stringify(headers).replace('ORIGIN', raw.origin).replace('HOST', new URL(raw.origin).host),
    ) as typeof named
    const cats = declare(raw.origin)
    const { ask, cacheOf } = open(t)
    const tom = cats.cat({ id: 'tom' })
    await ask(tom)
    await ask(cats.post())
    t.equal(await cacheOf(tom), expected, JSON.stringify(headers))
  }
})

test('a Location is compared as it is written and as a URL', async t => {
  for (const q of ["it's", 'ä b', 'a+b', '~x']) {
    const paths: string[] = []
    const raw = await rawUpstream(t, (socket, { method, path, index }) => {
      if (method === 'GET') paths.push(path)
      socket.write(method === 'GET' ? json(index, 200, hour) : json({}, 201, { location: paths[0] }))
    })
    const cats = declare(raw.origin)
    const { ask, cacheOf } = open(t)
    const list = cats.list({ q })
    await ask(list)
    await ask(cats.put({ id: 'tom' }))
    t.equal(await cacheOf(list), 'miss', paths[0] ?? '')
  }
})

test('only a status of 2xx or 3xx invalidates, also where the call fails', async t => {
  for (const [status, body, invalid] of [
    [200, '{}', true],
    [201, '{}', true],
    [204, '', true],
    [303, '', true],
    [307, '', true],
    // The answer is refused, and the change was made all the same.
    [200, '{', true],
    [400, '{}', false],
    [404, '{}', false],
    [409, '{}', false],
    [500, '{}', false],
    [503, '{}', false],
  ] as const) {
    const raw = await rawUpstream(
      t,
      answering(() =>
        written(
          status,
          {
            'content-type': 'application/json',
            location: '/cats/jerry',
            ...(status === 204 && { 'content-length': undefined }),
          },
          body,
        ),
      ),
    )
    const cats = declare(raw.origin)
    const { ask, cacheOf } = open(t)
    const calls = [cats.cat({ id: 'tom' }), cats.cat({ id: 'jerry' })]
    for (const call of calls) await ask(call)
    await ask(cats.drop({ id: 'tom' })).catch(() => {})
    for (const call of calls) t.equal(await cacheOf(call), invalid ? 'miss' : 'hit', `${status} ${body}`)
  }
})

test('a call that succeeds by a status of nullOn invalidates its URI: what it was to remove is not there', async t => {
  const raw = await rawUpstream(
    t,
    answering(() => json({}, 404)),
  )
  const cats = declare(raw.origin)
  const { ask, cacheOf } = open(t)
  const tom = cats.cat({ id: 'tom' })
  await ask(tom)
  t.match(await ask(cats.sure({ id: 'tom' })), { value: null, status: 404 })
  t.equal(await cacheOf(tom), 'miss')
})

test('a change whose outcome is unknown invalidates, also where a later attempt or a layer hides it', async t => {
  const raw = await rawUpstream(t, (socket, { method, index }) => {
    if (method === 'GET') socket.write(json(index, 200, hour))
    else if (index === 1) socket.destroy()
    else socket.write(json({}, 409))
  })
  const cats = declare(raw.origin, { retry: { maxAttempts: 2, initialDelay: 0 } })
  const layers = {
    call: [
      (next => async call => {
        try {
          return await next(call)
        } catch {
          throw new UpstreamError('UPSTREAM_STATUS', 'cats', { upstreamStatus: 409 })
        }
      }) satisfies CustomLayer,
    ],
  }
  const { ask, cacheOf } = open(t, { layers })
  const tom = cats.cat({ id: 'tom' })
  await ask(tom)
  t.match(await failure(ask(cats.put({ id: 'tom' }))), { upstreamStatus: 409 })
  t.equal(await cacheOf(tom), 'miss')
})

test('an answer that was requested before an invalidation is not valid after it, wherever it is stored', async t => {
  const { raw, held } = await holdingOld(t)
  const cats = declare(raw.origin)
  const far = farStore(60_000)
  const [one, other, third] = [1, 2, 3].map(() => open(t, { cacheStore: far.store })) as [
    ReturnType<typeof open>,
    ReturnType<typeof open>,
    ReturnType<typeof open>,
  ]
  const tom = cats.cat({ id: 'tom' })
  const asked = one.ask(tom)
  await raw.asked(1)
  await other.ask(cats.put({ id: 'tom' }))
  held[0]?.()
  t.match(await asked, { value: 'old' })
  await settled()
  t.equal(far.held.size, 1, 'it is stored')
  t.match(await third.ask(tom), { value: 'new', cached: { cache: 'miss' } }, 'and not used')
  await settled()
  t.match(await third.ask(tom), { value: 'new', cached: { cache: 'hit' } })
  t.match(await one.ask(tom), { value: 'new', cached: { cache: 'hit' } })
})

test('a call does not share an answer from before an invalidation through another runtime', async t => {
  const { raw, held } = await holdingOld(t)
  const cats = declare(raw.origin)
  const far = farStore(60_000)
  const [one, other] = [open(t, { cacheStore: far.store }), open(t, { cacheStore: far.store })]
  const tom = cats.cat({ id: 'tom' })
  const first = one.ask(tom)
  await raw.asked(1)
  await other.ask(cats.put({ id: 'tom' }))
  const later = await Promise.all([one.ask(tom), one.ask(tom)])
  for (const answer of later) t.match(answer, { value: 'new', cached: { cache: 'miss' } })
  t.equal(raw.requests.length, 3, 'both share one request')
  held[0]?.()
  t.match(await first, { value: 'old' })
  await settled()
  t.match(await one.ask(tom), { value: 'new' })
})

test('an answer whose lookup has failed does not replace a valid entry, and is stored once the store answers', async t => {
  for (const [mode, getTimeout] of [
    ['reject', 60_000],
    ['throw', 60_000],
    ['hang', 5],
  ] as const) {
    const raw = await rawUpstream(t, answering())
    const cats = declare(raw.origin)
    const far = farStore(getTimeout)
    const { ask, cacheOf, runtime } = open(t, { cacheStore: far.store })
    const [tom, jerry] = [cats.cat({ id: 'tom' }), cats.cat({ id: 'jerry' })]
    await ask(tom)
    await until(() => far.held.size === 1)
    const [before] = far.held.values()
    far.mode = mode
    const missed = ask(tom)
    const other = ask(jerry)
    await until(() => runtime.stats()['cats']?.cache?.storeFaults === 2)
    far.mode = 'well'
    t.match(await missed, { cached: { cache: 'miss' } }, mode)
    await other
    await settled()
    t.strictSame([...far.held.values()], [before], 'neither is stored')
    t.equal(await cacheOf(tom), 'hit')
    t.equal(await cacheOf(jerry), 'miss')
    await settled()
    t.equal(await cacheOf(jerry), 'hit')
  }
})

test('a 304 renews the entry beside a call whose lookup has failed and whose answer is not stored', async t => {
  const held: (() => void)[] = []
  const raw = await rawUpstream(t, (socket, { index }) => {
    const head = { 'cache-control': 'max-age=0', etag: '"a"' }
    if (index === 1) held.push(() => socket.write(json(1, 200, head)))
    else socket.write(index === 0 ? json(0, 200, head) : written(304, { etag: '"a"', 'content-length': undefined }, ''))
  })
  const cats = declare(raw.origin)
  const far = farStore(60_000)
  const { ask } = open(t, { cacheStore: far.store })
  const tom = cats.cat({ id: 'tom' })
  await ask(tom)
  await settled()
  const [before] = far.held.values()
  far.mode = 'reject'
  const first = ask(tom)
  await raw.asked(2)
  far.mode = 'well'
  t.match(await ask(tom), { value: 0 })
  held[0]?.()
  t.match(await first, { value: 1 })
  await settled()
  const [after] = far.held.values()
  t.not(after, before)
  t.match(JSON.parse(String(after)), { body: '0' })
})

test('an answer that forbids its storage removes the entry also where the lookup has failed', async t => {
  const raw = await rawUpstream(t, (socket, { index }) =>
    socket.write(json(index, 200, index === 0 ? hour : { 'cache-control': 'no-store' })),
  )
  const far = farStore(60_000)
  const { ask } = open(t, { cacheStore: { ...far.store, get: () => Promise.reject(new Error('down')) } })
  const sure = open(t, { cacheStore: far.store })
  const tom = declare(raw.origin).cat({ id: 'tom' })
  await sure.ask(tom)
  await settled()
  t.equal(far.held.size, 1)
  await ask(tom)
  await settled()
  t.equal(far.held.size, 0)
})

test('an entry that is still being written is invalid after a confirmed invalidation through another runtime', async t => {
  const raw = await rawUpstream(t, answering())
  const cats = declare(raw.origin)
  const far = farStore(60_000)
  const writes: (() => void)[] = []
  const slow = {
    ...far.store,
    set: (...args: Parameters<typeof far.store.set>) =>
      new Promise(resolve => writes.push(() => resolve(far.store.set(...args)))),
  }
  const [one, other] = [open(t, { cacheStore: slow }), open(t, { cacheStore: far.store })]
  const tom = cats.cat({ id: 'tom' })
  await one.ask(tom)
  t.equal(await one.cacheOf(tom), 'hit', 'it is found while it is being written')
  await other.ask(cats.put({ id: 'tom' }))
  t.equal(await one.cacheOf(tom), 'miss')
  for (const write of writes) write()
})

test('more confirmed invalidations than a runtime remembers leave the entries of other URIs valid', async t => {
  const raw = await rawUpstream(t, answering())
  const cats = declare(raw.origin)
  const tom = cats.cat({ id: 'tom' })
  for (const cacheStore of [createMemoryStore(), farStore(60_000).store]) {
    const invalidations = new Invalidations({ shared: cacheStore })
    const { ask, cacheOf } = open(t, { cacheStore })
    const requestedAt = machineClock.steady()
    await ask(tom)
    await settled()
    for (let count = 0; count <= 10_000; count += 100)
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) =>
          invalidations.invalidate({ stores: [cacheStore], listeners: [] }, [`http://elsewhere/${count + index}`]),
        ),
      )
    t.equal(await cacheOf(tom), 'hit')
    t.notOk(invalidations.since(`${raw.origin}/cats/tom`, requestedAt))
  }
})

test('a store that loses the generation of a URI has no valid entry of it', async t => {
  const { far, one, tom } = await replicas(t)
  far.generations.clear()
  t.equal(await one.cacheOf(tom), 'miss')
  await settled()
  t.equal(await one.cacheOf(tom), 'hit')
})

test("an entry under another entry's key is not used, and is dropped", async t => {
  const { far, one, tom } = await replicas(t)
  await one.ask(tom, { 'x-tenant': 'a' })
  await settled()
  const [mine = '', theirs = ''] = far.held.keys()
  const text = far.held.get(mine) ?? ''
  far.held.set(mine, far.held.get(theirs) ?? '')
  far.held.set(theirs, text)
  t.equal(await one.cacheOf(tom), 'miss')
  t.equal(await one.cacheOf(tom, { 'x-tenant': 'a' }), 'miss')
  t.match(one.runtime.stats()['cats']?.cache, { storeFaults: 2 })
  await settled()
  t.equal(await one.cacheOf(tom), 'hit', 'the answer that was asked for instead is stored')
})

test('a store that fails to invalidate fails no call, costs no more than its getTimeout, and is reported', async t => {
  for (const mode of ['reject', 'throw', 'hang'] as const)
    for (const upstream of ['cats', 'writer'] as const) {
      const raw = await rawUpstream(t, answering())
      const [cats, writer] = [declare(raw.origin), declareWriter(raw.origin)]
      const far = farStore(20)
      const faults: CacheStoreFault[] = []
      const { ask, cacheOf, runtime } = open(t, {
        cacheStore: far.store,
        onCacheStoreFault: fault => faults.push(fault) as never,
      })
      const tom = cats.cat({ id: 'tom' })
      await ask(tom)
      await until(() => far.held.size > 0)
      t.equal(await cacheOf(tom), 'hit')
      faults.length = 0
      far.mode = mode
      const began = performance.now()
      t.match(await ask((upstream === 'cats' ? cats : writer).put({ id: 'tom' })), { value: {}, status: 200 }, mode)
      const took = performance.now() - began
      t.ok(took < 1000, `${took} ms`)
      if (mode === 'hang') t.ok(took >= 18)
      t.match(faults, [{ upstream, function: 'invalidate', cause: Error }], mode)
      far.mode = 'well'
      t.equal(await cacheOf(tom), 'miss', 'this runtime knows what it has changed')
      t.match(runtime.stats()['cats']?.cache, { storeFaults: upstream === 'cats' ? 1 : 0 }, mode)
      await runtime.close()
    }
})

test('a call that is given up while a store is asked ends at once with its answer', async t => {
  const raw = await rawUpstream(t, answering())
  const cats = declare(raw.origin)
  const far = farStore(60_000)
  const { ask } = open(t, { cacheStore: far.store })
  far.mode = 'hang'
  const abort = new Abort()
  const asked = ask(cats.put({ id: 'tom' }), {}, abort)
  await until(() => abort.size > 0 && raw.requests.length > 0)
  await settled()
  abort.abort('gone')
  t.match(await asked, { value: {}, status: 200 })
  t.equal(abort.size, 0)

  const before = new Abort()
  const late = ask(cats.put({ id: 'tom' }), {}, before)
  await raw.asked(2)
  before.abort('gone')
  t.match(await late, { value: {}, status: 200 }, 'an unsafe call that has left is not cut')
})

test('a store that rejects after it was late, or after the call was given up, has failed once', async t => {
  const raw = await rawUpstream(t, answering())
  const cats = declare(raw.origin)
  const refusals: ((reason: Error) => void)[] = []
  const faults: CacheStoreFault[] = []
  const { ask } = open(t, {
    cacheStore: {
      ...farStore(5).store,
      invalidate: () => new Promise((_, reject) => refusals.push(reject)),
    },
    onCacheStoreFault: fault => faults.push(fault) as never,
  })
  await ask(cats.put({ id: 'tom' }))
  refusals[0]?.(new Error('late'))
  await settled()
  t.equal(faults.length, 1)
})

test('a store that is late is reported also where the call has ended before', async t => {
  for (const end of ['abort', 'totalTimeout'] as const) {
    const raw = await rawUpstream(t, answering())
    const cats = declare(raw.origin, end === 'totalTimeout' ? { totalTimeout: 30 } : {})
    const far = farStore(60)
    const faults: CacheStoreFault[] = []
    const { ask } = open(t, { cacheStore: far.store, onCacheStoreFault: fault => faults.push(fault) as never })
    far.mode = 'hang'
    const abort = new Abort()
    const asked = ask(cats.put({ id: 'tom' }), {}, abort)
    if (end === 'abort') {
      await until(() => abort.size > 0 && raw.requests.length > 0)
      await settled()
      abort.abort('gone')
    }
    await asked.catch(() => {})
    t.same(faults, [], end)
    await until(() => faults.length > 0)
    t.match(faults, [{ upstream: 'cats', function: 'invalidate', cause: /getTimeout/ }], end)
  }
})

test('closing ends the wait for a store without a report, and leaves no timer', async t => {
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const invalidations = new Invalidations({ shared: farStore(60_000).store })
  await turn()
  const before = timers()
  const ended: string[] = []
  const { promise, reject } = Promise.withResolvers<unknown>()
  invalidations.watch(
    promise,
    () => ended.push('fault'),
    () => ended.push('end'),
  )
  t.equal(timers(), before + 1)
  invalidations.close()
  t.equal(timers(), before)
  reject(new Error('closed'))
  await settled()
  t.same(ended, [])
})

test('unsafe calls do not wait for a store that was late, and wait again once it has answered in time', async t => {
  const raw = await rawUpstream(t, answering())
  const cats = declare(raw.origin)
  const asked: (() => void)[] = []
  const faults: CacheStoreFault[] = []
  const { ask, cacheOf } = open(t, {
    cacheStore: {
      ...createMemoryStore(),
      getTimeout: 200,
      invalidate: () => new Promise<void>(resolve => asked.push(resolve)),
    },
    onCacheStoreFault: fault => faults.push(fault) as never,
  })
  const [tom, put] = [cats.cat({ id: 'tom' }), cats.put({ id: 'tom' })]
  await ask(put)
  t.equal(faults.length, 1, 'the first one has waited')
  await ask(tom)
  await ask(put)
  t.equal(faults.length, 1, 'the second one has not')
  t.equal(asked.length, 2, 'and the store was asked')
  t.equal(await cacheOf(tom), 'miss', 'and this runtime knows what it has changed')
  asked[1]?.()
  await settled()
  let isOver = false
  const third = ask(put).then(() => (isOver = true))
  await until(() => asked.length === 3)
  await settled()
  t.notOk(isOver)
  asked[2]?.()
  await third
  t.equal(faults.length, 1)
})

test('a store counts as late for a second', async t => {
  const clock = handClock()
  const invalidations = new Invalidations({ shared: { ...createMemoryStore(), getTimeout: 1 }, clock })
  t.notOk(invalidations.isLate)
  await new Promise<void>(resolve => invalidations.watch(new Promise(() => {}), () => {}, resolve))
  t.ok(invalidations.isLate)
  clock.pass(999)
  t.ok(invalidations.isLate)
  clock.pass(1)
  t.notOk(invalidations.isLate)
})

test('a call after a confirmed change does not join one from before it, whichever caller made the change', async t => {
  const shared = {
    cat: operation({ path: '/cats/{id}', params: id, output: z.unknown(), coalesce: true }),
    kept: operation({ path: '/cats/{id}', params: id, output: z.unknown(), cache: true }),
    put: operation({ method: 'PUT', path: '/cats/{id}', params: id, output: z.unknown() }),
    post: operation({ method: 'POST', path: '/cats', output: z.unknown() }),
  }
  for (const cacheStore of [undefined, createMemoryStore(), farStore(60_000).store])
    for (const operationName of ['cat', 'kept'] as const)
      for (const [how, isNew] of [
        ['same declaration', true],
        ['other declaration', true],
        ['location', true],
        ['content-location', true],
        ['location with the prefix alone', false],
        ['other path', false],
        ['other origin', false],
      ] as const) {
        const held: (() => void)[] = []
        let head: Record<string, string> = {}
        const raw = await rawUpstream(t, (socket, { method, index }) => {
          if (method !== 'GET') socket.write(json({}, 201, head))
          else if (index === 0) held.push(() => socket.write(json('old', 200, hour)))
          else socket.write(json('new', 200, hour))
        })
        const elsewhere = await rawUpstream(t, answering())
        const origin = `${raw.origin}/api`
        const cats = defineUpstream('cats', { origin: raw.origin, retry: false }, shared)
        const writer = defineUpstream('writer', { origin: raw.origin, retry: false }, { put: shared.put })
        const { ask } = open(t, {
          overrides: { cats: { origin }, writer: { origin: how === 'other origin' ? elsewhere.origin : origin } },
          ...(cacheStore && { cacheStore }),
        })
        const first = ask(cats[operationName]({ id: 'tom' }))
        await raw.asked(1)
        if (how === 'location' || how === 'content-location') head = { [how]: '/api/cats/tom' }
        if (how === 'location with the prefix alone') head = { location: '/cats/tom' }
        const change =
          how === 'other declaration' || how === 'other origin'
            ? writer.put({ id: 'tom' })
            : how === 'same declaration'
              ? cats.put({ id: 'tom' })
              : how === 'other path'
                ? cats.put({ id: 'jerry' })
                : cats.post()
        await ask(change)
        const second = ask(cats[operationName]({ id: 'tom' }))
        if (isNew) t.match(await second, { value: 'new' }, `${operationName} ${how}`)
        await settled()
        held[0]?.()
        t.match(await first, { value: 'old' })
        if (!isNew) t.match(await second, { value: 'old' }, `${operationName} ${how}`)
      }
})

test('an unsafe call where nothing is kept goes on as it is', async t => {
  const raw = await rawUpstream(t, answering())
  const { ask } = open(t)
  t.match(await ask(declareWriter(raw.origin).put({ id: 'tom' })), { value: {}, status: 200 })
})
