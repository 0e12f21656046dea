import { createHook } from 'node:async_hooks'
import { getActiveResourcesInfo } from 'node:process'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { UpstreamError, type ErrorCode } from '../../../../src/errors.ts'
import { Abort } from '../../../../src/core/abort.ts'
import { createMemoryStore } from '../../../../src/upstream/policies/cache/memory-store.ts'
import type { Call } from '../../../../src/upstream/call/call.ts'
import { defineUpstream, operation } from '../../../../src/upstream/declare.ts'
import { keyOf } from '../../../../src/upstream/transport/dispatch.ts'
import type { ResponseHeaders } from '../../../../src/upstream/transport/response-headers.ts'
import { invalidate } from '../../../../src/upstream/policies/cache/invalidate.ts'
import { Invalidations } from '../../../../src/upstream/policies/cache/invalidations.ts'
import { cache } from '../../../../src/upstream/policies/cache/cache.ts'
import { coalesce } from '../../../../src/upstream/policies/coalesce.ts'
import { stack } from '../../../../src/upstream/call/layer.ts'
import { testRun } from '../../../helpers/call.ts'
import { failure } from '../../../helpers/failure.ts'
import { handClock } from '../../../helpers/hand-clock.ts'
import { heldService } from '../../../helpers/held-service.ts'
import { turn } from '../../../helpers/turn.ts'
import { until } from '../../../helpers/until.ts'

const params = z.object({ id: z.string() })
const cats = defineUpstream(
  'cats',
  { origin: 'http://127.0.0.1:9', forwardHeaders: ['authorization'] },
  {
    cat: operation({ path: '/cats/{id}', params, output: z.unknown(), cache: true }),
    fact: operation({
      path: '/fact',
      output: z.unknown(),
      cache: { ttl: 10_000, staleWhileRevalidate: 5000, staleIfError: 60_000 },
    }),
    headed: operation({
      path: '/headed',
      output: z.unknown(),
      responseHeaders: z.object({ 'x-total': z.coerce.number(), link: z.string().optional() }),
      cache: true,
    }),
    plain: operation({ path: '/plain', output: z.unknown() }),
    tell: operation({ method: 'PUT', path: '/cats/{id}', params, body: z.unknown(), output: z.unknown() }),
  },
)
const cat = cats.cat({ id: 'tom' })

function arrange(t: Test, { refreshLimit = 30_000, refreshWidth = 16 } = {}) {
  const bottom = heldService()
  const clock = handClock()
  const origin = 'http://127.0.0.1:9'
  const store = createMemoryStore()
  const invalidations = new Invalidations({ clock })
  invalidations.add(origin, store)
  const kept = cache({
    upstream: 'cats',
    store,
    keyOf,
    base: origin,
    invalidations,
    refreshLimit,
    refreshWidth,
    clock,
  })
  t.teardown(kept.close)
  const changing = invalidate({ origin, base: origin, invalidations, onFault: cause => t.fail(String(cause)) })
  const service = stack([changing, kept.layer, coalesce({ keyOf })], bottom.service)
  const ask = (
    call: Call<unknown> = cat,
    { abort = new Abort(), headers = {} }: { abort?: Abort; headers?: Record<string, string> } = {},
  ) => service(testRun({ headers }).ask(call, { abort }))
  return {
    ...kept,
    bottom,
    clock,
    service,
    ask,
    /** Asks, and lets the upstream answer with these headers. */
    fill: async (head: ResponseHeaders, value: unknown = 'old', call: Call<unknown> = cat) => {
      const asked = ask(call)
      bottom.held[0]?.answer(value, 200, head)
      return asked
    },
    fail: (code: ErrorCode, upstreamStatus?: number) => {
      const error = new UpstreamError(code, 'cats', upstreamStatus === undefined ? {} : { upstreamStatus })
      bottom.held[0]?.fail(error)
      return error
    },
  }
}

const minute = { 'cache-control': 'max-age=60' }

test('a fresh entry is returned without a call, as the same value and with its age', async t => {
  const { bottom, clock, ask, fill, gauge } = arrange(t)
  t.strictSame(await fill(minute, { name: 'Tom' }), { value: { name: 'Tom' }, status: 200, cached: { cache: 'miss' } })
  clock.pass(12_900)
  const answer = await ask()
  t.strictSame(answer, { value: { name: 'Tom' }, status: 200, cached: { cache: 'hit', age: 12, ttl: 47 } })
  t.ok(Object.isFrozen(answer.value))
  t.equal((await ask()).value, answer.value)
  t.equal(bottom.taken, 1)
  t.match(gauge(), { hits: 2, misses: 1, stale: 0, revalidated: 0, refreshes: 0, storeFaults: 0, entries: 1 })
})

test('a stale entry is requested again', async t => {
  const { bottom, clock, ask, fill } = arrange(t)
  await fill(minute)
  clock.pass(59_999)
  t.match(await ask(), { cached: { cache: 'hit', ttl: 0 } })
  clock.pass(1)
  t.match(await fill(minute, 'new'), { value: 'new', cached: { cache: 'miss' } })
  t.equal(bottom.taken, 2)
  t.match(await ask(), { value: 'new', cached: { cache: 'hit', age: 0 } })
})

test('an operation without cache is asked each time, and its answer is its own', async t => {
  const { bottom, ask } = arrange(t)
  for (const value of [1, 2]) {
    const asked = ask(cats.plain())
    bottom.held[0]?.answer(value, 200, minute)
    t.match(await asked, { value, cached: undefined })
  }
})

test('an answer without a lifetime is stored for the ttl of its operation', async t => {
  const { bottom, clock, ask, fill } = arrange(t)
  await fill({})
  await fill({}, 'fact', cats.fact())
  clock.pass(9999)
  t.match(await ask(cats.fact()), { value: 'fact', cached: { cache: 'hit' } })
  void failure(ask())
  t.equal(bottom.taken, 3, 'the one without a ttl is asked again')
})

test('a hit adds no promise beyond the one it answers with', async t => {
  const { bottom, layer, fill } = arrange(t)
  await fill(minute)
  const service = layer(bottom.service)
  const call = testRun().ask(cat)
  const made: object[] = []
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === 'PROMISE') made.push(resource)
    },
  })
  hook.enable()
  const answer = service(call)
  hook.disable()
  t.equal(made.length, 1)
  t.match(await answer, { cached: { cache: 'hit' } })
})

test('different questions and different credentials share nothing', async t => {
  const { bottom, ask, fill } = arrange(t)
  const shared = { 'cache-control': 'public, max-age=60' }
  await fill(shared, "nobody's")
  for (const authorization of ['one', 'two']) {
    const asked = ask(cat, { headers: { authorization } })
    bottom.held[0]?.answer(authorization, 200, shared)
    await asked
  }
  t.equal((await fill(shared, 'other', cats.cat({ id: 'jerry' }))).value, 'other')
  t.equal(bottom.taken, 4)
  for (const [headers, value] of [
    [{}, "nobody's"],
    [{ authorization: 'one' }, 'one'],
    [{ authorization: 'two' }, 'two'],
  ] as const)
    t.match(await ask(cat, { headers }), { value, cached: { cache: 'hit' } })
})

test('an answer to credentials is not kept unless it says that it may be', async t => {
  const { bottom, ask } = arrange(t)
  for (const head of [minute, minute, { 'cache-control': 'max-age=60, public' }]) {
    const asked = ask(cat, { headers: { authorization: 'one' } })
    bottom.held[0]?.answer('mine', 200, head)
    t.match(await asked, { cached: { cache: 'miss' } })
  }
  t.match(await ask(cat, { headers: { authorization: 'one' } }), { cached: { cache: 'hit' } })
})

test('credentials of our own count as such, however they are written', async t => {
  const bottom = heldService()
  const own = defineUpstream(
    'own',
    { origin: 'http://127.0.0.1:9', headers: { Authorization: 'Bearer x' } },
    { get: operation({ path: '/', output: z.unknown(), cache: true }) },
  )
  const base = 'http://127.0.0.1:9'
  const invalidations = new Invalidations()
  const store = createMemoryStore()
  const service = cache({ upstream: 'own', store, keyOf, base, invalidations, refreshLimit: 1000 }).layer(
    bottom.service,
  )
  for (const head of [minute, { 'cache-control': 's-maxage=60' }]) {
    const asked = service(testRun().ask(own.get()))
    bottom.held[0]?.answer(1, 200, head)
    t.match(await asked, { cached: { cache: 'miss' } })
  }
  t.match(await service(testRun().ask(own.get())), { cached: { cache: 'hit' } })
})

test('a stale entry is revalidated with its validators, and a 304 makes it fresh again', async t => {
  const { bottom, clock, ask, fill, gauge } = arrange(t)
  const first = await fill(
    { ...minute, etag: '"a"', 'last-modified': 'Sun, 01 Mar 2026 11:00:00 GMT' },
    { name: 'Tom' },
  )
  t.equal(bottom.held.length, 0)
  clock.pass(61_000)
  const asked = ask()
  t.strictSame(bottom.held[0]?.call.headers, {
    'if-none-match': '"a"',
    'if-modified-since': 'Sun, 01 Mar 2026 11:00:00 GMT',
  })
  bottom.held[0]?.answer(null, 304, { 'cache-control': 'max-age=30' })
  const confirmed = await asked
  t.strictSame(confirmed, { value: { name: 'Tom' }, status: 304, cached: { cache: 'miss' } })
  t.equal(confirmed.value, first.value)
  clock.pass(29_000)
  t.match(await ask(), { value: { name: 'Tom' }, status: 200, cached: { cache: 'hit', age: 29, ttl: 1 } })
  t.match(gauge(), { misses: 2, revalidated: 1, hits: 1 })
  clock.pass(1001)
  void ask()
  t.match(bottom.held[0]?.call.headers, { 'if-none-match': '"a"' }, 'it still has its name')
})

test('a 304 that says not to keep it is answered, and it is gone', async t => {
  const { bottom, clock, ask, fill, gauge } = arrange(t)
  await fill({ 'cache-control': 'max-age=1', etag: '"a"' })
  clock.pass(2000)
  const asked = ask()
  bottom.held[0]?.answer(null, 304, { 'cache-control': 'no-store' })
  t.match(await asked, { value: 'old', status: 304 })
  t.match(gauge(), { entries: 0 })
})

test('a 304 for another answer is not used: the request is sent again without a condition', async t => {
  const { bottom, clock, ask, fill } = arrange(t)
  await fill({ 'cache-control': 'max-age=1', etag: '"a"' })
  clock.pass(2000)
  const asked = [ask(), ask()]
  bottom.held[0]?.answer(null, 304, { etag: '"b"' })
  await bottom.arrived(3)
  t.equal(bottom.held[0]?.call.headers, undefined)
  bottom.held[0]?.answer('new', 200, { ...minute, etag: '"b"' })
  t.match(await Promise.all(asked), [
    { value: 'new', status: 200 },
    { value: 'new', status: 200 },
  ])
  t.equal(bottom.taken, 3)
})

test('an operation that reads response headers is asked under a condition, and a 304 updates them', async t => {
  const { bottom, clock, ask, fill } = arrange(t)
  const body = { name: 'Tom' }
  await fill(
    { 'cache-control': 'max-age=1', etag: '"a"', 'x-total': '7', link: 'old' },
    { body, headers: { 'x-total': 7, link: 'old' } },
    cats.headed(),
  )
  clock.pass(2000)
  const asked = ask(cats.headed())
  t.match(bottom.held[0]?.call.headers, { 'if-none-match': '"a"' })
  bottom.held[0]?.answer(null, 304, { ...minute, 'x-total': '8', 'content-length': '99' })
  const renewed = { body, headers: { 'x-total': 8, link: 'old' } }
  t.strictSame(await asked, { value: renewed, status: 304, cached: { cache: 'miss' } })
  t.match(await ask(cats.headed()), { value: renewed, status: 200, cached: { cache: 'hit' } })
  clock.pass(61_000)
  const again = ask(cats.headed())
  bottom.held[0]?.answer(null, 304, { ...minute, link: 'new' })
  t.match(await again, { value: { body, headers: { 'x-total': 8, link: 'new' } } }, 'what the first 304 said stays')
})

test('a 304 whose headers the operation refuses is not used: the request is sent again without a condition', async t => {
  const { bottom, clock, ask, fill } = arrange(t)
  await fill(
    { 'cache-control': 'max-age=1', etag: '"a"', 'x-total': '7' },
    { body: 1, headers: { 'x-total': 7 } },
    cats.headed(),
  )
  clock.pass(2000)
  const asked = ask(cats.headed())
  bottom.held[0]?.answer(null, 304, { ...minute, 'x-total': 'many' })
  await bottom.arrived(3)
  t.equal(bottom.held[0]?.call.headers, undefined)
  bottom.held[0]?.answer({ body: 2, headers: { 'x-total': 8 } }, 200, minute)
  t.match(await asked, { value: { body: 2 }, status: 200 })
})

test('an answer that must not be kept takes the one before it along', async t => {
  const { bottom, clock, ask, fill, gauge } = arrange(t)
  await fill({ ...minute, etag: '"a"' })
  clock.pass(61_000)
  t.match(await fill({ 'cache-control': 'no-store' }, 'new'), { value: 'new' })
  t.match(gauge(), { entries: 0 })
  void ask()
  t.equal(bottom.held[0]?.call.headers, undefined)
})

const swr = { 'cache-control': 'max-age=60, stale-while-revalidate=30' }

test('1000 callers at the expiry of a hot key: all get the old answer at once, and one refresh asks the upstream', async t => {
  const { bottom, clock, ask, fill, gauge } = arrange(t)
  await fill(swr)
  clock.pass(70_000)
  const answers = await Promise.all(Array.from({ length: 1000 }, () => ask()))
  t.ok(
    answers.every(
      ({ value, cached }) =>
        value === 'old' &&
        cached?.cache === 'stale' &&
        cached.age === 70 &&
        cached.ttl === -10 &&
        cached.insteadOf === undefined,
    ),
  )
  t.equal(bottom.taken, 2)
  bottom.held[0]?.answer('new', 200, swr)
  await turn()
  t.match(await ask(), { value: 'new', cached: { cache: 'hit' } })
  t.equal(bottom.taken, 2)
  t.match(gauge(), { stale: 1000, refreshes: 1, misses: 2 })
})

test('1000 callers at the expiry of a hot key that may not be given stale: one call asks the upstream, and all get its answer', async t => {
  const { bottom, clock, ask, fill } = arrange(t)
  await fill({ 'cache-control': 'max-age=60', etag: '"a"' })
  clock.pass(70_000)
  const asked = Array.from({ length: 1000 }, () => ask())
  t.equal(bottom.taken, 2)
  bottom.held[0]?.answer(null, 304, minute)
  t.ok((await Promise.all(asked)).every(({ value, cached }) => value === 'old' && cached?.cache === 'miss'))
  t.match(await ask(), { cached: { cache: 'hit' } })
  t.equal(bottom.taken, 2)
})

test('1000 callers of an answer that is not cached share one call, and the first to leave does not abort it', async t => {
  const { bottom, ask, gauge } = arrange(t)
  const gone = new Abort()
  const first = failure(ask(cat, { abort: gone }))
  const others = Array.from({ length: 999 }, () => ask())
  gone.abort('gone')
  t.equal(await first, 'gone')
  bottom.held[0]?.answer('well', 200, minute)
  t.ok((await Promise.all(others)).every(({ value }) => value === 'well'))
  t.equal(bottom.taken, 1)
  t.match(gauge(), { misses: 999, entries: 1 })
})

test('a refresh belongs to no run: it outlives its caller, has no deadline and no events, and sends the same request', async t => {
  const { bottom, clock, service, fill, ask } = arrange(t)
  await fill({ ...swr, etag: '"a"' })
  clock.pass(70_000)
  const run = testRun({ deadline: 50, headers: { accept: 'x' } })
  t.match(await service(run.ask(cat)), { cached: { cache: 'stale' } })
  run.abort.abort('over')
  const refresh = bottom.held[0]?.call
  t.match(refresh, {
    path: '/cats/tom',
    headers: { 'if-none-match': '"a"' },
    scope: { deadline: Infinity, headers: { accept: 'x' } },
  })
  t.equal(refresh?.abort.aborted, false)
  t.ok((refresh?.scope.now() ?? 0) > 0)
  refresh?.scope.emit({
    type: 'attempt started',
    at: 1,
    step: 0,
    call: 0,
    upstream: 'cats',
    operation: 'cats.one',
    attempt: 1,
    kind: 'first',
  })
  t.same(run.events, [])
  bottom.held[0]?.answer(null, 304, swr)
  await turn()
  t.match(await ask(), { cached: { cache: 'hit' } })
})

test('a refresh that fails leaves what is kept, and the next caller tries again', async t => {
  const { bottom, clock, ask, fill, fail, gauge } = arrange(t)
  await fill(swr)
  clock.pass(70_000)
  await ask()
  fail('UPSTREAM_RESET')
  await turn()
  t.match(await ask(), { value: 'old', cached: { cache: 'stale' } })
  t.equal(bottom.taken, 3)
  t.match(gauge(), { refreshes: 2 })
})

test('a caller that comes after the window waits for the refresh that is under way', async t => {
  const { bottom, clock, ask, fill } = arrange(t)
  await fill(swr)
  clock.pass(70_000)
  await ask()
  clock.pass(30_000)
  const asked = ask()
  t.equal(bottom.taken, 2)
  bottom.held[0]?.answer('new', 200, swr)
  t.match(await asked, { value: 'new', cached: { cache: 'miss' } })
})

test('a refresh takes as long as it may, and no longer', async t => {
  const { bottom, clock, ask, fill } = arrange(t, { refreshLimit: 1 })
  await fill(swr)
  clock.pass(70_000)
  await ask()
  await until(() => bottom.held.length === 0)
  t.match(await ask(), { cached: { cache: 'stale' } })
  t.equal(bottom.taken, 3)
})

test('at most refreshWidth refreshes run at once, and the others in their turn', async t => {
  const { bottom, clock, ask, fill, gauge } = arrange(t, { refreshWidth: 1 })
  const calls = ['tom', 'kit', 'ada'].map(id => cats.cat({ id }))
  for (const call of calls) await fill(swr, 'old', call)
  clock.pass(70_000)
  for (const call of calls) t.match(await ask(call), { value: 'old', cached: { cache: 'stale' } })
  for (const path of ['/cats/tom', '/cats/kit', '/cats/ada']) {
    t.same(
      bottom.held.map(({ call }) => call.path),
      [path],
    )
    bottom.held[0]?.answer('new', 200, swr)
    await turn()
  }
  for (const call of calls) t.match(await ask(call), { value: 'new', cached: { cache: 'hit' } })
  t.match(gauge(), { refreshes: 3 })
})

test('closing ends refreshes, and begins none', async t => {
  const timers = () => getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const { bottom, clock, ask, fill, close } = arrange(t)
  await fill(swr)
  const before = timers()
  clock.pass(70_000)
  await ask()
  t.equal(timers(), before + 1)
  close()
  t.equal(bottom.held.length, 0)
  await turn()
  t.equal(timers(), before)
  t.match(await ask(), { cached: { cache: 'stale' } })
  t.equal(bottom.taken, 2)
})

const sie = { 'cache-control': 'max-age=60, stale-if-error=600' }

test('an old answer replaces a failure, and carries the code of that failure', async t => {
  const { clock, ask, fill, fail, gauge } = arrange(t)
  await fill(sie)
  clock.pass(100_000)
  const asked = ask()
  const error = fail('UPSTREAM_STATUS', 503)
  t.strictSame(await asked, {
    value: 'old',
    status: 200,
    cached: { cache: 'stale', age: 100, ttl: -40, insteadOf: error },
  })
  t.match(gauge(), { stale: 1 })
})

test('a stale answer stands for a failure until its window ends, also when that is while the upstream is asked', async t => {
  const { clock, ask, fill, fail } = arrange(t)
  await fill(sie)
  clock.pass(659_000)
  const late = ask()
  clock.pass(1000)
  const error = fail('UPSTREAM_TIMEOUT')
  t.equal(await failure(late), error)
  const after = ask()
  const another = fail('UPSTREAM_TIMEOUT')
  t.equal(await failure(after), another)
})

test('without that allowance a failure is a failure', async t => {
  const { clock, ask, fill, fail } = arrange(t)
  await fill(minute)
  clock.pass(61_000)
  const asked = ask()
  const error = fail('UPSTREAM_RESET')
  t.equal(await failure(asked), error)
})

test('a 4xx says that it is so no longer: it fails, and no failure after it brings the old answer back', async t => {
  const { clock, ask, fill, fail, gauge } = arrange(t)
  await fill(sie)
  clock.pass(100_000)
  const asked = ask()
  const error = fail('UPSTREAM_STATUS', 404)
  t.equal(await failure(asked), error)
  t.match(gauge(), { entries: 0 })
})

test('a caller that goes gets its own reason, and what is kept stays', async t => {
  const { clock, ask, fill, gauge } = arrange(t)
  await fill(sie)
  clock.pass(100_000)
  for (const reason of [
    'gone',
    new UpstreamError('UPSTREAM_RESET', 'another step'),
    new UpstreamError('UPSTREAM_STATUS', 'another step', { upstreamStatus: 404 }),
  ]) {
    const abort = new Abort()
    const asked = failure(ask(cat, { abort }))
    abort.abort(reason)
    t.equal(await asked, reason)
  }
  t.match(gauge(), { entries: 1 })
})

test('at the deadline a stored answer is used if stale-if-error allows it', async t => {
  const { clock, ask, fill } = arrange(t)
  await fill(sie)
  clock.pass(100_000)
  const abort = new Abort()
  const asked = ask(cat, { abort })
  const reason = new UpstreamError('DEADLINE_EXCEEDED', 'run')
  abort.abort(reason)
  t.match(await asked, { value: 'old', cached: { cache: 'stale', insteadOf: reason } })
})

test('a change that we make at the upstream ends what is kept of it, and what was asked for before it', async t => {
  const { bottom, clock, ask, fill } = arrange(t)
  await fill(minute)
  clock.pass(10)
  const tell = (id: string) => ask(cats.tell({ id, body: 1 }))
  const other = tell('jerry')
  bottom.held[0]?.answer()
  await other
  t.match(await ask(), { cached: { cache: 'hit' } })
  const told = tell('tom')
  bottom.held[0]?.answer()
  await told
  clock.pass(10)
  t.match(await fill(minute, 'new'), { value: 'new', cached: { cache: 'miss' } })
  t.match(await ask(), { value: 'new', cached: { cache: 'hit' } })

  clock.pass(10)
  const refused = failure(tell('tom'))
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_STATUS', 'cats', { upstreamStatus: 409 }))
  await refused
  t.match(await ask(), { cached: { cache: 'hit' } }, 'a refused change is none')
  const unknown = failure(tell('tom'))
  bottom.held[0]?.fail(new UpstreamError('OUTCOME_UNKNOWN', 'cats'))
  await unknown
  void failure(ask())
  t.match(bottom.held[0]?.call, { path: '/cats/tom' }, 'one that may have been made counts')
})

test('an answer that some layer below has made is handed on and not kept', async t => {
  const { bottom, ask, gauge } = arrange(t)
  const asked = ask()
  bottom.held[0]?.answer('made')
  t.strictSame(await asked, { value: 'made', status: 200, cached: { cache: 'miss' } })
  t.match(gauge(), { entries: 0 })
})

test('an answer that some layer below has changed is not kept, and one that a layer above gave headers has them in its key', async t => {
  const { bottom, layer, clock, gauge } = arrange(t)
  const changing = layer(call => bottom.service(call).then(answer => ({ ...answer, value: 'changed' as never })))
  const asked = changing(testRun().ask(cat))
  bottom.held[0]?.answer('came', 200, minute)
  t.match(await asked, { value: 'changed', cached: { cache: 'miss' } })
  t.match(gauge(), { entries: 0 })

  const given = layer(bottom.service)
  const signed = (name: string) => testRun().ask(cat).withHeaders({ 'x-signed': name, authorization: 'ours' })
  for (const name of ['a', 'b']) {
    const miss = given(signed(name))
    bottom.held[0]?.answer(name, 200, { 'cache-control': 'max-age=60' })
    t.match(await miss, { value: name, cached: { cache: 'miss' } })
    t.match(gauge(), { entries: 0 }, 'Authorization that it was given on its way counts too')
    const kept = given(signed(name))
    bottom.held[0]?.answer(name, 200, { 'cache-control': 'public, max-age=1, stale-while-revalidate=9', etag: '"a"' })
    await kept
    clock.pass(2000)
    t.match(await given(signed(name)), { value: name, cached: { cache: 'stale' } })
    t.match(
      bottom.held[0]?.call.headers,
      { 'x-signed': name, authorization: 'ours', 'if-none-match': '"a"' },
      'a refresh has what its caller was given',
    )
    bottom.held[0]?.answer(null, 304, { 'cache-control': 'no-store' })
    await turn()
  }
})

test('the answer to an unsafe operation cannot be cached, and an invalid time is refused', async t => {
  const declare = (options: object) =>
    defineUpstream(
      'bad',
      { origin: 'http://127.0.0.1:9' },
      { op: operation({ path: '/', output: z.unknown(), ...options }) },
    )
  t.throws(
    () => declare({ method: 'POST', cache: true }),
    new TypeError('bad.op: the response to a POST cannot be cached: remove cache, or set safe: true if it only reads'),
  )
  t.throws(
    () => declare({ method: 'OPTIONS', cache: { ttl: 1 } }),
    /bad\.op: the response to a OPTIONS cannot be cached/,
  )
  for (const option of ['ttl', 'staleWhileRevalidate', 'staleIfError']) {
    t.throws(() => declare({ cache: { [option]: -1 } }), {
      name: 'TypeError',
      message: `bad.op: cache.${option} must be a whole number of ms from 0 to 2147483647, got -1`,
    })
  }
  t.throws(
    () => declare({ cache: { maxAge: 1 } }),
    new TypeError("bad.op: unknown option 'cache.maxAge': use ttl, staleWhileRevalidate, staleIfError"),
  )
  t.throws(
    () => defineUpstream('bad', { origin: 'http://127.0.0.1:9', maxCacheBytes: 0 }, {}),
    /upstream 'bad': maxCacheBytes must be .*, got 0$/,
  )
})
