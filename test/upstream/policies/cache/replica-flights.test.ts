import { getActiveResourcesInfo } from 'node:process'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { Abort } from '../../../../src/core/abort.ts'
import { UpstreamError } from '../../../../src/errors.ts'
import type { Call } from '../../../../src/upstream/call/call.ts'
import { stack, type Layer, type Service } from '../../../../src/upstream/call/layer.ts'
import { defineUpstream, operation } from '../../../../src/upstream/declare.ts'
import { cache } from '../../../../src/upstream/policies/cache/cache.ts'
import { invalidate } from '../../../../src/upstream/policies/cache/invalidate.ts'
import { Invalidations } from '../../../../src/upstream/policies/cache/invalidations.ts'
import { createLeaseAdapter } from '../../../../src/upstream/policies/cache/lease-adapter.ts'
import type {
  CacheLease,
  CacheLeases,
  CacheStore,
  CacheStoreFault,
} from '../../../../src/upstream/policies/cache/store.ts'
import { coalesce } from '../../../../src/upstream/policies/coalesce.ts'
import { keyOf } from '../../../../src/upstream/transport/dispatch.ts'
import { testRun } from '../../../helpers/call.ts'
import { failure } from '../../../helpers/failure.ts'
import { farStore, type FarStore } from '../../../helpers/far-store.ts'
import { handClock } from '../../../helpers/hand-clock.ts'
import { heldService } from '../../../helpers/held-service.ts'
import { until } from '../../../helpers/until.ts'

const origin = 'http://127.0.0.1:9'
const params = z.object({ id: z.string() })
const shared = { path: '/cats/{id}', params, output: z.unknown(), cache: true, coalesce: 'replicas' } as const
const cats = defineUpstream(
  'cats',
  { origin, attemptTimeout: 60_000 },
  {
    cat: operation(shared),
    old: operation({ ...shared, path: '/old/{id}', cache: { staleWhileRevalidate: 60_000 } }),
    own: operation({ ...shared, path: '/own/{id}', coalesce: true }),
    tell: operation({ method: 'PUT', path: '/cats/{id}', params, body: z.unknown(), output: z.unknown() }),
  },
)
const hasty = defineUpstream('hasty', { origin, attemptTimeout: 40 }, { cat: operation(shared) })
const cat = cats.cat({ id: 'tom' })
const minute = { 'cache-control': 'max-age=60' }

const leasesOf = ({ store }: FarStore): CacheLeases => store.leases as CacheLeases

interface Replica {
  /** The store as the replica sees it. @default the store itself */
  readonly store?: CacheStore
  /** In place of an upstream that answers when the test says so. */
  readonly service?: Service
  /** @default true */
  readonly coalesces?: boolean
}

/** Three replicas that share a store. Each has an upstream of its own, so that a test sees which of them sends. */
function arrange(t: Test, { far = farStore(), b = {} }: { far?: FarStore; b?: Replica } = {}) {
  const clock = handClock()
  const faults: CacheStoreFault['function'][] = []
  function replica({ store = far.store, service, coalesces = true }: Replica = {}) {
    const upstream = heldService()
    const invalidations = new Invalidations({ shared: store, clock })
    const onFault = (failed: CacheStoreFault['function']) => void faults.push(failed)
    const options = {
      upstream: 'cats',
      store,
      keyOf,
      base: origin,
      invalidations,
      refreshLimit: 30_000,
      clock,
      onFault,
    }
    const kept = cache(options)
    t.teardown(kept.close)
    const changing = invalidate({ origin, base: origin, invalidations, onFault: cause => t.fail(String(cause)) })
    const layers = [changing, kept.layer, ...(coalesces ? [coalesce({ keyOf })] : []), kept.replicaFlights as Layer]
    const send = stack(layers, service ?? upstream.service)
    return {
      upstream,
      gauge: kept.gauge,
      ask: (call: Call<unknown> = cat, { abort = new Abort(), deadline = 60_000 } = {}) =>
        send(testRun({ deadline }).ask(call, { abort })),
    }
  }
  return { far, clock, faults, a: replica(), b: replica(b), c: replica() }
}

test('equal calls of two replicas are one call to the upstream', async t => {
  const { far, a, b } = arrange(t)
  const first = a.ask()
  await a.upstream.arrived(1)
  const second = b.ask()
  await until(() => far.polls > 0)
  a.upstream.held[0]?.answer({ name: 'Tom' }, 200, minute)
  t.match(await first, { value: { name: 'Tom' }, cached: { cache: 'miss' } })
  t.match(await second, { value: { name: 'Tom' }, status: 200, cached: { cache: 'hit', age: 0, ttl: 60 } })
  t.equal(b.upstream.taken, 0)
  t.match(a.gauge(), { hits: 0, misses: 1 })
  t.match(b.gauge(), { hits: 1, misses: 0 })
  t.equal(far.leases.size, 0)
})

test('two replicas with the same stale answer send one request with its condition', async t => {
  const { far, clock, a, b } = arrange(t)
  const asked = a.ask()
  await a.upstream.arrived(1)
  a.upstream.held[0]?.answer('Tom', 200, { ...minute, etag: '"1"' })
  await asked
  clock.pass(60_000)
  const first = a.ask()
  await a.upstream.arrived(2)
  const second = b.ask()
  await until(() => far.polls > 0)
  a.upstream.held[0]?.answer(undefined, 304, { ...minute, etag: '"1"' })
  t.match(await first, { value: 'Tom', cached: { cache: 'miss' } })
  t.match(await second, { value: 'Tom', cached: { cache: 'hit' } })
  t.equal(b.upstream.taken, 0)
})

test('a refresh in the background is one call of all replicas', async t => {
  const { far, clock, a, b } = arrange(t)
  const old = cats.old({ id: 'tom' })
  const asked = a.ask(old)
  await a.upstream.arrived(1)
  a.upstream.held[0]?.answer('Tom', 200, minute)
  await asked
  clock.pass(60_000)
  t.match(await a.ask(old), { cached: { cache: 'stale' } })
  await a.upstream.arrived(2)
  t.match(await b.ask(old), { cached: { cache: 'stale' } })
  await until(() => far.polls > 0)
  a.upstream.held[0]?.answer('Tim', 200, minute)
  await until(() => b.gauge().hits === 1)
  t.match(await b.ask(old), { value: 'Tim', cached: { cache: 'hit' } })
  t.equal(b.upstream.taken, 0)
})

test('the followers of a call that fails send their calls at once, without a lease', async t => {
  const { far, a, b, c } = arrange(t)
  const first = a.ask()
  await a.upstream.arrived(1)
  const others = [b.ask(), c.ask()]
  await until(() => far.polls > 1)
  const error = new UpstreamError('UPSTREAM_RESET', 'cats')
  a.upstream.held[0]?.fail(error)
  t.equal(await failure(first), error)
  for (const { upstream } of [b, c]) {
    await upstream.arrived(1)
    t.equal(far.leases.size, 0)
    upstream.held[0]?.answer('Tim', 200, minute)
  }
  for (const other of others) t.match(await other, { value: 'Tim', cached: { cache: 'miss' } })
  t.same([...far.unshared.values()], [1000])
})

for (const [name, head] of [
  ['that may not be stored', { 'cache-control': 'no-store' }],
  ['that is not fresh', { 'cache-control': 'no-cache', etag: '"1"' }],
  ['that a layer has created', undefined],
] as const)
  test(`all followers of an answer ${name} send their calls at once, without a lease`, async t => {
    const { far, a, b, c } = arrange(t)
    const first = a.ask()
    await a.upstream.arrived(1)
    const others = [b.ask(), c.ask()]
    await until(() => far.polls > 1)
    a.upstream.held[0]?.answer('Tom', 200, head)
    t.match(await first, { value: 'Tom' })
    await Promise.all([b.upstream.arrived(1), c.upstream.arrived(1)])
    for (const { upstream } of [b, c]) upstream.held[0]?.answer('Tim', 200, head)
    for (const other of others) t.match(await other, { value: 'Tim', cached: { cache: 'miss' } })
    t.equal(far.leases.size, 0)
    t.same([...far.unshared.values()], [10_000])
  })

test('no call waits for another one for a time after an answer that may not be stored', async t => {
  const { far, a, b } = arrange(t)
  const head = { 'cache-control': 'no-store' }
  const first = a.ask()
  await a.upstream.arrived(1)
  a.upstream.held[0]?.answer('Tom', 200, head)
  await first
  const calls = [a.ask(), b.ask()]
  await Promise.all([a.upstream.arrived(2), b.upstream.arrived(1)])
  t.equal(far.polls, 0)
  for (const { upstream } of [a, b]) upstream.held[0]?.answer('Tim', 200, minute)
  for (const call of calls) t.match(await call, { value: 'Tim' })
})

for (const [name, set] of [
  ['has not stored', () => Promise.resolve(false)],
  ['fails to store', () => Promise.reject(new Error('the store is down'))],
] as const)
  test(`no follower waits longer for an answer that the store ${name}`, async t => {
    const far = farStore()
    const { a, b } = arrange(t, { far, b: { store: { ...far.store, set } } })
    const first = b.ask()
    await b.upstream.arrived(1)
    const second = a.ask()
    await until(() => far.polls > 0)
    b.upstream.held[0]?.answer('Tom', 200, minute)
    await first
    await a.upstream.arrived(1)
    t.equal(far.leases.size, 0)
    a.upstream.held[0]?.answer('Tim', 200, minute)
    t.match(await second, { value: 'Tim', cached: { cache: 'miss' } })
  })

test('an answer that a store has written at once is used by the followers', async t => {
  const far = farStore()
  const set: CacheStore['set'] = (...entry) => void far.store.set(...entry)
  const { a, b } = arrange(t, { far, b: { store: { ...far.store, set } } })
  const first = b.ask()
  await b.upstream.arrived(1)
  const second = a.ask()
  await until(() => far.polls > 0)
  b.upstream.held[0]?.answer('Tom', 200, minute)
  await first
  t.match(await second, { value: 'Tom', cached: { cache: 'hit' } })
  t.equal(far.unshared.size, 0)
})

test('a 304 for another answer releases the lease before the call is sent without its condition', async t => {
  const { far, clock, a } = arrange(t)
  const asked = a.ask()
  await a.upstream.arrived(1)
  a.upstream.held[0]?.answer('Tom', 200, { ...minute, etag: '"1"' })
  await asked
  clock.pass(60_000)
  const again = a.ask()
  await a.upstream.arrived(2)
  a.upstream.held[0]?.answer(undefined, 304, { ...minute, etag: '"2"' })
  await a.upstream.arrived(3)
  t.equal(far.leases.size, 1)
  a.upstream.held[0]?.answer('Tim', 200, minute)
  t.match(await again, { value: 'Tim', cached: { cache: 'miss' } })
  await until(() => far.leases.size === 0)
})

test('the lease is released after the store has written the answer', async t => {
  const far = farStore(60_000)
  const written = Promise.withResolvers<void>()
  const set: CacheStore['set'] = async (...entry) => {
    await written.promise
    return far.store.set(...entry)
  }
  const { a, b } = arrange(t, { far, b: { store: { ...far.store, set } } })
  const first = b.ask()
  await b.upstream.arrived(1)
  b.upstream.held[0]?.answer('Tom', 200, minute)
  t.match(await first, { value: 'Tom' })
  const second = a.ask()
  await until(() => far.polls > 0)
  t.equal(far.leases.size, 1)
  written.resolve()
  t.match(await second, { value: 'Tom', cached: { cache: 'hit' } })
})

test('a leader uses an answer that was stored between its lookup and its lease', async t => {
  const far = farStore(60_000)
  const mayTake = Promise.withResolvers<void>()
  const { promise: looked, resolve: hasLooked } = Promise.withResolvers<void>()
  const leases = {
    ...leasesOf(far),
    async take(...lease: Parameters<CacheLeases['take']>) {
      hasLooked()
      await mayTake.promise
      return leasesOf(far).take(...lease)
    },
  }
  const { a, b } = arrange(t, { far, b: { store: { ...far.store, leases } } })
  const second = b.ask()
  await looked
  const first = a.ask()
  await a.upstream.arrived(1)
  a.upstream.held[0]?.answer('Tom', 200, minute)
  await first
  await until(() => far.leases.size === 0)
  mayTake.resolve()
  t.match(await second, { value: 'Tom', cached: { cache: 'hit' } })
  t.equal(b.upstream.taken, 0)
  t.equal(far.leases.size, 0)
})

test('a follower does not use an answer from before a change of its URI', async t => {
  const { far, a, b } = arrange(t)
  const first = a.ask()
  await a.upstream.arrived(1)
  const second = b.ask()
  await until(() => far.polls > 0)
  const changed = b.ask(cats.tell({ id: 'tom', body: {} }))
  await b.upstream.arrived(1)
  b.upstream.held[0]?.answer()
  await changed
  a.upstream.held[0]?.answer('old', 200, minute)
  t.match(await first, { value: 'old' })
  await b.upstream.arrived(2)
  b.upstream.held[0]?.answer('new', 200, minute)
  t.match(await second, { value: 'new', cached: { cache: 'miss' } })
})

test('a follower waits at most for attemptTimeout while the usual time is not known', async t => {
  const { far, a, b } = arrange(t)
  const hurried = hasty.cat({ id: 'tom' })
  void a.ask(hurried)
  await a.upstream.arrived(1)
  const startedAt = performance.now()
  const second = b.ask(hurried)
  await b.upstream.arrived(1)
  t.ok(performance.now() - startedAt > 35, 'it waits')
  t.equal(far.leases.size, 1, 'the lease is that of the leader')
  b.upstream.held[0]?.answer('Tim', 200, minute)
  t.match(await second, { value: 'Tim', cached: { cache: 'miss' } })
})

/** Sends calls until the usual time of the operation is known. */
async function learn({ upstream, ask }: ReturnType<typeof arrange>['b'], passMs: () => void) {
  for (let id = 0; id < 100; id++) {
    const known = ask(cats.cat({ id: String(id) }))
    await upstream.arrived(id + 1)
    passMs()
    upstream.held[0]?.answer('known', 200, minute)
    await known
  }
}

test('a follower waits for the usual time of a call, and then sends the call without a lease', async t => {
  const { far, clock, a, b } = arrange(t)
  await learn(b, () => clock.pass(100))
  void a.ask()
  await a.upstream.arrived(1)
  const startedAt = performance.now()
  const second = b.ask()
  await b.upstream.arrived(101)
  const waitedMs = performance.now() - startedAt
  t.ok(waitedMs > 145 && waitedMs < 30_000, `100 ms and 50 ms for the store, not 60 s; waited ${waitedMs} ms`)
  t.equal(far.leases.size, 1, 'the lease is that of the leader')
  b.upstream.held[0]?.answer('Tim', 200, minute)
  t.match(await second, { value: 'Tim', cached: { cache: 'miss' } })
})

test('the time that a follower has waited is not part of the usual time', async t => {
  const { far, clock, a, b } = arrange(t)
  await learn(b, () => clock.pass(10))
  for (let id = 0; id < 5; id++) {
    const place = cats.cat({ id: `hanging ${id}` })
    void a.ask(place)
    await a.upstream.arrived(id + 1)
    const polls = far.polls
    const follows = b.ask(place)
    await until(() => far.polls > polls)
    clock.pass(20_000)
    await b.upstream.arrived(101 + id)
    clock.pass(10)
    b.upstream.held[0]?.answer('Tim', 200, minute)
    await follows
  }
  void a.ask()
  await a.upstream.arrived(6)
  const startedAt = performance.now()
  const last = b.ask()
  await b.upstream.arrived(106)
  t.ok(performance.now() - startedAt < 15_000, 'it waits for 60 ms and not for 20 s')
  b.upstream.held[0]?.answer('Tim', 200, minute)
  await last
})

test('a follower with a near deadline stops its wait in time to send the call', async t => {
  const { far, a, b } = arrange(t)
  void a.ask()
  await a.upstream.arrived(1)
  const startedAt = performance.now()
  const second = b.ask(cat, { deadline: 2000 })
  await b.upstream.arrived(1)
  const waitedMs = performance.now() - startedAt
  t.ok(waitedMs > 990, `half of the time, waited ${waitedMs} ms`)
  t.equal(far.leases.size, 1)
  b.upstream.held[0]?.answer('Tim', 200, minute)
  t.match(await second, { value: 'Tim' })
})

test('a follower whose remaining time is the usual time of a call does not wait', async t => {
  const { far, clock, a, b } = arrange(t)
  await learn(b, () => clock.pass(1000))
  void a.ask()
  await a.upstream.arrived(1)
  const second = b.ask(cat, { deadline: 900 })
  await b.upstream.arrived(101)
  t.equal(far.polls, 0)
  b.upstream.held[0]?.answer('Tim', 200, minute)
  t.match(await second, { value: 'Tim' })
})

test('a follower asks for the lease less often the longer it waits', async t => {
  const { far, a, b } = arrange(t)
  void a.ask()
  await a.upstream.arrived(1)
  const second = b.ask(cat, { deadline: 4000 })
  await b.upstream.arrived(1)
  t.ok(far.polls < 60, `${far.polls} times in 2 s`)
  b.upstream.held[0]?.answer('Tim', 200, minute)
  await second
})

test('a follower uses an answer that is stored although the lease is still taken', async t => {
  const far = farStore(60_000)
  const take: CacheLeases['take'] = async (...args) => {
    const lease = await leasesOf(far).take(...args)
    return typeof lease === 'object' ? { release() {} } : lease
  }
  const { a, b } = arrange(t, { far, b: { store: { ...far.store, leases: { ...leasesOf(far), take } } } })
  const first = b.ask()
  await b.upstream.arrived(1)
  const second = a.ask()
  await until(() => far.polls > 0)
  b.upstream.held[0]?.answer('Tom', 200, minute)
  await first
  t.match(await second, { value: 'Tom', cached: { cache: 'hit' } })
  t.equal(far.leases.size, 1)
})

test('a call after a change of its URI does not wait for a call from before it', async t => {
  const { far, a, b, c } = arrange(t)
  void a.ask()
  await a.upstream.arrived(1)
  const changed = b.ask(cats.tell({ id: 'tom', body: {} }))
  await b.upstream.arrived(1)
  b.upstream.held[0]?.answer()
  await changed
  const second = b.ask()
  await b.upstream.arrived(2)
  t.equal(far.polls, 0)
  const third = c.ask()
  await until(() => far.polls > 0)
  b.upstream.held[0]?.answer('new', 200, minute)
  t.match(await second, { value: 'new', cached: { cache: 'miss' } })
  t.match(await third, { value: 'new', cached: { cache: 'hit' } })
})

test('a leader that finds its URI changed takes the lease of the new generation', async t => {
  const far = farStore()
  const take: CacheLeases['take'] = async (name, ...times) => {
    if (name.generation === undefined) await far.store.invalidate(name.uri)
    return leasesOf(far).take(name, ...times)
  }
  const { a, b } = arrange(t, { far, b: { store: { ...far.store, leases: { ...leasesOf(far), take } } } })
  const first = b.ask()
  await b.upstream.arrived(1)
  const second = a.ask()
  await until(() => far.polls > 0)
  b.upstream.held[0]?.answer('Tom', 200, minute)
  t.match(await first, { value: 'Tom', cached: { cache: 'miss' } })
  t.match(await second, { value: 'Tom', cached: { cache: 'hit' } })
  t.equal(far.leases.size, 0)
})

test('a leader whose lease says that nothing is stored does not look again', async t => {
  const far = farStore()
  const take: CacheLeases['take'] = async (...args) => {
    const lease = await leasesOf(far).take(...args)
    return typeof lease === 'object' ? { ...lease, isEmpty: true } : lease
  }
  const { a, b } = arrange(t, { far, b: { store: { ...far.store, leases: { ...leasesOf(far), take } } } })
  const first = b.ask()
  await b.upstream.arrived(1)
  t.equal(far.asked, 1)
  b.upstream.held[0]?.answer('Tom', 200, minute)
  await first
  t.match(await a.ask(), { value: 'Tom', cached: { cache: 'hit' } })
})

test('a call whose callers have no time left takes no lease', async t => {
  const { far, a } = arrange(t)
  const asked = a.ask(cat, { deadline: 0 })
  await a.upstream.arrived(1)
  t.equal(far.leases.size, 0)
  a.upstream.held[0]?.answer('Tom', 200, minute)
  t.match(await asked, { value: 'Tom' })
})

test('the deadline of the run is the time of a call that no other one joins', async t => {
  const { far, a, b } = arrange(t, { b: { coalesces: false } })
  void a.ask()
  await a.upstream.arrived(1)
  const second = b.ask(cat, { deadline: 20 })
  await b.upstream.arrived(1)
  t.equal(far.leases.size, 1)
  b.upstream.held[0]?.answer('Tim', 200, minute)
  t.match(await second, { value: 'Tim' })
})

test('a caller that leaves while it follows is rejected at once and leaves no timer', async t => {
  const { far, a, b } = arrange(t)
  void a.ask()
  await a.upstream.arrived(1)
  const abort = new Abort()
  const second = b.ask(cat, { abort })
  await until(() => far.polls > 1)
  abort.abort('left')
  t.equal(await failure(second), 'left')
  t.notOk(getActiveResourcesInfo().includes('Timeout'))
})

test('the lease is released when the last caller leaves', async t => {
  const { far, a } = arrange(t)
  const abort = new Abort()
  const asked = a.ask(cat, { abort })
  await a.upstream.arrived(1)
  t.equal(far.leases.size, 1)
  abort.abort('left')
  t.equal(await failure(asked), 'left')
  await until(() => far.leases.size === 0)
})

for (const when of ['before', 'after'] as const)
  test(`a lease that the store gives ${when} the last caller leaves is released`, async t => {
    const far = farStore(60_000)
    const given = Promise.withResolvers<void>()
    const took = Promise.withResolvers<void>()
    const leases = {
      ...leasesOf(far),
      async take(...lease: Parameters<CacheLeases['take']>) {
        const early = when === 'before' ? await leasesOf(far).take(...lease) : undefined
        took.resolve()
        await given.promise
        return early ?? leasesOf(far).take(...lease)
      },
    }
    const { b } = arrange(t, { far, b: { store: { ...far.store, leases } } })
    const abort = new Abort()
    const asked = b.ask(cat, { abort })
    await took.promise
    abort.abort('left')
    t.equal(await failure(asked), 'left')
    given.resolve()
    await until(() => far.leases.size === 0)
    t.equal(b.upstream.taken, 0)
  })

test('the lease is released if the last caller leaves while the leader looks into the cache again', async t => {
  const far = farStore(60_000)
  const looked = Promise.withResolvers<void>()
  let lookups = 0
  const store: CacheStore = {
    ...far.store,
    get(...names) {
      if (++lookups === 1) return far.store.get(...names)
      looked.resolve()
      return new Promise(() => {})
    },
  }
  const { b } = arrange(t, { far, b: { store } })
  const abort = new Abort()
  const asked = b.ask(cat, { abort })
  await looked.promise
  t.equal(far.leases.size, 1)
  abort.abort('left')
  t.equal(await failure(asked), 'left')
  await until(() => far.leases.size === 0)
  t.equal(b.upstream.taken, 0)
})

test('the store is asked once to release a lease', async t => {
  const far = farStore()
  let releases = 0
  const take = () => ({ release: () => void releases++ })
  const adapter = createLeaseAdapter(far.store, { ...leasesOf(far), take: async () => take() }, (failed, cause) =>
    t.fail(`${failed}: ${String(cause)}`),
  )
  const call = testRun({ deadline: 60_000 }).ask(cat, { abort: new Abort() })
  const lease = await adapter({ key: 'key', uri: 'uri' }, undefined, call).take(400, 1000)
  if (typeof lease !== 'object') return t.fail('the lease is held')
  lease.release(0)
  lease.release(0)
  t.equal(releases, 1)
})

test('the lease is released if the last caller leaves at any moment around the answer', async t => {
  for (let turns = 0; turns < 12; turns++) {
    const far = farStore()
    const abort = new Abort()
    const answer = { value: 'Tom', status: 200 }
    const service = (() => {
      let left = Promise.resolve()
      for (let each = 0; each < turns; each++) left = left.then(() => {})
      if (turns === 0) abort.abort('left')
      else void left.then(() => abort.abort('left'))
      return Promise.resolve(answer)
    }) as Service
    const { b } = arrange(t, { far, b: { service } })
    await b.ask(cat, { abort }).catch((reason: unknown) => t.equal(reason, 'left'))
    await until(() => far.leases.size === 0)
  }
})

for (const [mode, faults] of [
  ['hang', ['leases.take']],
  ['reject', ['leases.take']],
  ['throw', ['leases.take']],
  ['unknown', []],
] as const)
  test(`a call continues without a lease if the leases of the store do this: ${mode}`, async t => {
    const far = farStore(20)
    far.leaseMode = mode
    const { a, faults: reported } = arrange(t, { far })
    const asked = a.ask()
    await a.upstream.arrived(1)
    a.upstream.held[0]?.answer('Tom', 200, minute)
    t.match(await asked, { value: 'Tom', cached: { cache: 'miss' } })
    t.strictSame(reported, faults)
  })

for (const [mode, faults] of [
  ['hang', ['leases.stateOf']],
  ['reject', ['leases.stateOf']],
  ['throw', ['leases.stateOf']],
  ['unknown', []],
] as const)
  test(`a follower sends the call when the leases of the store do this: ${mode}`, async t => {
    const { far, a, b, faults: reported } = arrange(t, { far: farStore(50) })
    void a.ask()
    await a.upstream.arrived(1)
    const second = b.ask()
    await until(() => far.polls > 1)
    far.leaseMode = mode
    await b.upstream.arrived(1)
    b.upstream.held[0]?.answer('Tim', 200, minute)
    t.match(await second, { value: 'Tim', cached: { cache: 'miss' } })
    t.strictSame(reported, faults)
  })

test('a lease whose fields cannot be read costs no caller an error', async t => {
  const unreadable = (): never => {
    throw new Error('the field cannot be read')
  }
  for (const lease of [
    Object.defineProperty({}, 'release', { get: unreadable }),
    Object.defineProperty({ release() {} }, 'isEmpty', { get: unreadable }),
  ]) {
    const far = farStore()
    const take = async () => lease as CacheLease
    const { b } = arrange(t, { far, b: { store: { ...far.store, leases: { ...leasesOf(far), take } } } })
    const asked = b.ask()
    await b.upstream.arrived(1)
    b.upstream.held[0]?.answer('Tom', 200, minute)
    t.match(await asked, { value: 'Tom' })
  }
})

for (const [failure, mode] of [
  ['throws', 'throw'],
  ['rejects', 'reject'],
] as const)
  test(`a release of a lease that ${failure} is a fault, and no caller sees it`, async t => {
    const { far, a, faults } = arrange(t)
    const asked = a.ask()
    await a.upstream.arrived(1)
    far.leaseMode = mode
    a.upstream.held[0]?.answer('Tom', 200, minute)
    t.match(await asked, { value: 'Tom' })
    await until(() => faults.length > 0)
    t.strictSame(faults, ['leases.release'])
  })

test('no lease is taken for an operation that does not ask for it', async t => {
  const { far, a } = arrange(t)
  const own = a.ask(cats.own({ id: 'tom' }))
  await a.upstream.arrived(1)
  t.equal(far.leases.size, 0)
  a.upstream.held[0]?.answer('Tom', 200, minute)
  t.match(await own, { value: 'Tom', cached: { cache: 'miss' } })
})

test('a call whose lookup has failed is sent without a lease', async t => {
  const far = farStore()
  const get: CacheStore['get'] = () => Promise.reject(new Error('late'))
  const { b, faults } = arrange(t, { far, b: { store: { ...far.store, get } } })
  const first = b.ask()
  await b.upstream.arrived(1)
  t.equal(far.leases.size, 0)
  b.upstream.held[0]?.answer('Tom', 200, minute)
  t.match(await first, { value: 'Tom', cached: { cache: 'miss' } })
  t.strictSame(faults, ['get'])
})

test('the answer of a leader is stored if its URI was changed while it waited', async t => {
  const { far, a, b } = arrange(t)
  const abort = new Abort()
  const first = failure(a.ask(cat, { abort }))
  await a.upstream.arrived(1)
  const second = b.ask()
  await until(() => far.polls > 0)
  const changed = a.ask(cats.tell({ id: 'tom', body: {} }))
  await a.upstream.arrived(2)
  a.upstream.held[1]?.answer()
  await changed
  abort.abort('left')
  t.equal(await first, 'left')
  await b.upstream.arrived(1)
  b.upstream.held[0]?.answer('new', 200, minute)
  t.match(await second, { value: 'new' })
  t.match(await a.ask(), { value: 'new', cached: { cache: 'hit' } })
})

test('one follower takes the lease when the callers of the leader have left', async t => {
  const { far, a, b, c } = arrange(t)
  const abort = new Abort()
  const first = failure(a.ask(cat, { abort }))
  await a.upstream.arrived(1)
  const others = [b.ask(), c.ask()]
  await until(() => far.polls > 1)
  abort.abort('left')
  t.equal(await first, 'left')
  await until(() => b.upstream.taken + c.upstream.taken > 0)
  t.equal(far.leases.size, 1)
  for (const { upstream } of [b, c]) upstream.held[0]?.answer('Tim', 200, minute)
  t.match(await Promise.all(others), [{ value: 'Tim' }, { value: 'Tim' }])
  t.equal(b.upstream.taken + c.upstream.taken, 1)
})
