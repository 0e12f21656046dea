import { getActiveResourcesInfo } from 'node:process'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { Abort } from '../../../src/core/abort.ts'
import { createMemoryStore } from '../../../src/upstream/policies/cache/memory-store.ts'
import type { CacheStore } from '../../../src/upstream/policies/cache/store.ts'
import type { Call } from '../../../src/upstream/call/call.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { keyOf } from '../../../src/upstream/transport/dispatch.ts'
import { Invalidations } from '../../../src/upstream/policies/cache/invalidations.ts'
import { cache } from '../../../src/upstream/policies/cache/cache.ts'
import { coalesce } from '../../../src/upstream/policies/coalesce.ts'
import { stack } from '../../../src/upstream/call/layer.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { handClock } from '../../helpers/hand-clock.ts'
import { heldService } from '../../helpers/held-service.ts'
import { turn } from '../../helpers/turn.ts'
import { elapsed } from '../../helpers/until.ts'

const get = (staleAfter?: number) =>
  operation({
    path: '/',
    output: z.unknown(),
    cache: { ttl: 1000, staleIfError: 60_000, ...(staleAfter !== undefined && { staleAfter }) },
  })
const cats = defineUpstream('cats', { origin: 'http://127.0.0.1:9' }, { soon: get(1), late: get(60_000), unset: get() })

function arrange(t: Test, store: CacheStore = createMemoryStore()) {
  const bottom = heldService()
  const clock = handClock()
  const kept = cache({
    upstream: 'cats',
    store,
    keyOf,
    base: 'http://127.0.0.1:9',
    invalidations: new Invalidations(),
    refreshLimit: 30_000,
    clock,
  })
  t.teardown(kept.close)
  const service = stack([kept.layer, coalesce({ keyOf })], bottom.service)
  const ask = (call: Call<unknown>, abort = new Abort()) => service(testRun().ask(call, { abort }))
  /** Has an answer kept, and lets it become stale. */
  const fill = async (call: Call<unknown>) => {
    const asked = ask(call)
    bottom.held[0]?.answer('old', 200, {})
    await asked
    clock.pass(2000)
  }
  return { ...kept, bottom, clock, service, ask, fill }
}

test('a call gets the kept answer after the soft limit, and says for which failure it stands', async t => {
  const { ask, fill, gauge, bottom } = arrange(t)
  await fill(cats.soon())
  t.match(await ask(cats.soon()), {
    value: 'old',
    cached: {
      cache: 'stale',
      age: 2,
      ttl: -1,
      insteadOf: {
        code: 'UPSTREAM_TIMEOUT',
        verdict: 'ignored',
        message: 'cats did not answer in time: a stale cached response is used after 1 ms',
      },
    },
  })
  t.equal(bottom.taken, 2)
  t.match(gauge(), { stale: 1, refreshes: 1 })
})

test('the refresh goes on without its caller and is kept; until it ends, other callers get the kept answer at once', async t => {
  const { service, ask, fill, gauge, bottom } = arrange(t)
  await fill(cats.soon())
  const run = testRun()
  await service(run.ask(cats.soon()))
  t.equal(run.abort.size, 0, 'nothing of the run is left')
  run.abort.abort('over')
  const refresh = bottom.held[0]?.call
  t.equal(refresh?.abort.aborted, false)
  refresh?.scope.emit({
    type: 'attempt started',
    at: 1,
    step: 0,
    call: 0,
    upstream: 'any',
    operation: 'any.one',
    attempt: 1,
    kind: 'first',
  })
  t.same(run.events, [], 'its run has no more events')
  const others = await Promise.all(Array.from({ length: 100 }, () => ask(cats.soon())))
  t.ok(others.every(({ value, cached }) => value === 'old' && cached?.insteadOf?.code === 'UPSTREAM_TIMEOUT'))
  t.equal(bottom.taken, 2)
  bottom.held[0]?.answer('new', 200, {})
  await turn()
  t.match(await ask(cats.soon()), { value: 'new', cached: { cache: 'hit' } })
  t.match(gauge(), { stale: 101, refreshes: 1, misses: 2 })
})

test('many that wait together share one call, and each gets the kept answer after its own soft limit', async t => {
  const { ask, fill, gauge, bottom } = arrange(t)
  await fill(cats.soon())
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(cats.soon())))
  t.ok(answers.every(({ value }) => value === 'old'))
  t.equal(bottom.taken, 2)
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_TIMEOUT', 'cats'))
  await turn()
  t.match(gauge(), { stale: 50, refreshes: 1 }, 'the end of the refresh counts none of them again')
  const again = ask(cats.soon())
  t.equal(bottom.taken, 3, 'the refresh has ended, so the upstream is asked again')
  t.match(await again, { value: 'old' })
})

test('an upstream that answers or fails within the soft limit decides, and leaves no timer', async t => {
  const { ask, fill, bottom } = arrange(t)
  await fill(cats.late())
  const timers = () => getActiveResourcesInfo().filter(each => each === 'Timeout').length
  const before = timers()
  const failing = ask(cats.late())
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_RESET', 'cats'))
  t.match(await failing, { value: 'old', cached: { cache: 'stale', insteadOf: { code: 'UPSTREAM_RESET' } } })
  const answered = ask(cats.late())
  bottom.held[0]?.answer('new', 200, {})
  t.match(await answered, { value: 'new', cached: { cache: 'miss' } })
  t.equal(timers(), before)
})

test('a caller that leaves before the soft limit ends the call', async t => {
  const { ask, fill, bottom } = arrange(t)
  await fill(cats.late())
  const abort = new Abort()
  const asked = failure(ask(cats.late(), abort))
  t.equal(bottom.held.length, 1)
  abort.abort('gone')
  t.equal(await asked, 'gone')
  t.equal(bottom.held.length, 0)
  t.equal(abort.size, 0)
})

test('after the window of staleIfError nothing stands in, also when it ends while the upstream is asked', async t => {
  const { ask, fill, clock, bottom } = arrange(t)
  await fill(cats.soon())
  clock.pass(58_998)
  const asked = ask(cats.soon())
  clock.pass(1)
  clock.pass(60_000)
  // Comes after the timer of the soft limit, which was set before and for less.
  await elapsed(2)
  await turn()
  bottom.held[0]?.answer('new', 200, {})
  t.match(await asked, { value: 'new', cached: { cache: 'miss' } })
})

test('the soft limit is 100 ms until 100 answers are known, and then the time within which 98 % of them came', async t => {
  const { ask, fill, clock, bottom } = arrange(t)
  const { unset } = cats
  for (let answers = 0; answers < 99; answers++) await fill(unset())
  t.match(await ask(unset()), { cached: { insteadOf: { message: /after 100 ms/ } } })
  clock.pass(7)
  bottom.held[0]?.answer('new', 200, {})
  await turn()
  clock.pass(2000)
  t.match(await ask(unset()), { cached: { insteadOf: { message: /after 1 ms/ } } }, '99 of 100 took no time')
  bottom.held[0]?.answer('new', 200, {})
  await turn()
  for (let answers = 0; answers < 5; answers++) {
    clock.pass(2000)
    const asked = ask(unset())
    clock.pass(7)
    bottom.held[0]?.answer('new', 200, {})
    await asked
  }
  clock.pass(2000)
  t.match(
    await ask(unset()),
    { cached: { insteadOf: { message: /after 8 ms/ } } },
    'six of 106 took 7 ms, in a bucket that ends below 8',
  )
})

test('closing ends a refresh without waiting callers', async t => {
  const { ask, fill, close, bottom } = arrange(t)
  await fill(cats.soon())
  await ask(cats.soon())
  t.equal(bottom.held.length, 1)
  close()
  t.equal(bottom.held.length, 0)
})

test('a call that is given up as its kept answer is found asks nothing', async t => {
  const far = createMemoryStore()
  const abort = new Abort()
  let isLast = false
  const store: CacheStore = {
    ...far,
    get(key, uri) {
      const found = Promise.resolve(far.get(key, uri))
      // After the layer has taken what was found, and before it goes on with it.
      if (isLast) queueMicrotask(() => void found.then(() => abort.abort('gone')))
      return found
    },
  }
  const { ask, fill, bottom } = arrange(t, store)
  const filled = fill(cats.soon())
  await bottom.arrived(1)
  bottom.held[0]?.answer('old', 200, {})
  await filled
  isLast = true
  t.equal(await failure(ask(cats.soon(), abort)), 'gone')
  t.equal(bottom.taken, 1)
})

test('a soft limit must be a whole number of ms, and is refused where nothing may stand in', t => {
  const declare = (options: object) => () =>
    defineUpstream(
      'x',
      { origin: 'http://127.0.0.1:9' },
      { get: operation({ path: '/', output: z.unknown(), cache: options }) },
    )
  t.throws(declare({ staleIfError: 10, staleAfter: 0 }), {
    message: 'x.get: cache.staleAfter must be a whole number of ms from 1 to 2147483647, got 0',
  })
  t.throws(declare({ staleIfError: 0, staleAfter: 10 }), {
    message: 'x.get: cache.staleAfter has no effect if cache.staleIfError is 0: remove one',
  })
  t.doesNotThrow(declare({ staleAfter: 10 }), 'the headers of an answer may allow it')
  t.end()
})

test('a call whose soft limit passes after the cache was closed gets the kept answer, and its refresh ends', async t => {
  const { ask, fill, close, bottom } = arrange(t)
  await fill(cats.soon())
  const asked = ask(cats.soon())
  t.equal(bottom.held.length, 1)
  close()
  t.match(await asked, { value: 'old', cached: { cache: 'stale' } })
  t.equal(bottom.held.length, 0)
})
