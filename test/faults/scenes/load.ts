import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import type { BreakerChange } from '../../../src/upstream/client-events.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { asking } from '../helpers/asking.ts'
import { calm, Id, stage, Word, wordPath, type Reply } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'
import { good, status } from '../helpers/wire.ts'
import { until } from '../../helpers/until.ts'

/** Answers each request after so many ms. */
function after(ms: number) {
  return (socket: Socket, request: { readonly path: string }) =>
    void setTimeout(() => {
      socket.write(good(request))
    }, ms)
}

/** Ten times as many callers as there is room for. */
export async function overloaded(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, after(20))
  const { required } = asking('small', { origin: upstream.origin, concurrency: 4, maxQueue: 8 }, 2000)
  const { get, runtime } = await stage(t, [required])
  for (let times = 0; times < 10; times++) await get('/small?id=warm')
  const before = upstream.requests.length
  const replies = await Promise.all(Array.from({ length: 120 }, (_, index) => get<Reply>(`/small?id=${index}`)))
  const whole = replies.filter(({ status }) => status === 200)
  const refused = replies.filter(({ status }) => status === 503)
  t.equal(whole.length + refused.length, replies.length, 'each is answered or refused')
  t.ok(whole.length >= 12, `${whole.length} are answered: the concurrency and the queue at least`)
  t.ok(
    refused.every(({ headers, body }) => Number(headers.get('retry-after')) >= 1 && body.code === 'BULKHEAD_FULL'),
    'who is refused hears why, and when to come again',
  )
  t.equal(upstream.requests.length - before, whole.length, 'and nothing was asked for him')
  const tookMs = refused.map(({ body }) => body.sources['part']?.ms ?? NaN).sort((a, b) => a - b)
  t.ok((tookMs[Math.floor(tookMs.length / 2)] ?? 0) < 5, `a refusal takes ${tookMs[Math.floor(tookMs.length / 2)]} ms`)
  t.match(await get('/small?id=after'), { status: 200 }, 'the next one gets in')
  t.match(runtime.stats(), { small: { active: 0, queued: 0, failed: 0, breaker: 'closed' } })
}

/** More runs than the service takes. */
export async function tooManyRuns(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, after(20))
  const { required } = asking('small', { origin: upstream.origin })
  const { get, runtime } = await stage(t, [required], { pressure: { ...calm, runs: 8 } })
  const replies = await Promise.all(Array.from({ length: 120 }, (_, index) => get<Reply>(`/small?id=${index}`)))
  const whole = replies.filter(({ status }) => status === 200)
  const refused = replies.filter(({ status }) => status === 503)
  t.ok(
    whole.length >= 8 && whole.length + refused.length === replies.length,
    `${whole.length} are answered, ${refused.length} refused`,
  )
  t.ok(refused.every(({ headers, body }) => body.code === 'OVERLOADED' && Number(headers.get('retry-after')) >= 1))
  t.equal(upstream.requests.length, whole.length)
  t.match(await get('/small?id=after'), { status: 200 })
  t.match(runtime.stats(), { small: { active: 0, queued: 0, ignored: 0 } })
}

/** An upstream at which everybody waits, beside one that is well. */
export async function oneSlow(t: Test): Promise<void> {
  const slow = await rawUpstream(t, () => {})
  const fine = await rawUpstream(t, well)
  const stuck = asking(
    'stuck',
    { origin: slow.origin, concurrency: 2, maxQueue: 4, attemptTimeout: 2000, retry: false },
    2000,
  )
  const sound = asking('sound', { origin: fine.origin, concurrency: 4 })
  const { get, runtime } = await stage(t, [stuck.required, sound.required])
  const waiting = Array.from({ length: 30 }, () => get<Reply>('/stuck?id=a'))
  await until(() => (runtime.stats()['stuck']?.ignored ?? 0) >= 24)
  t.match(runtime.stats(), { stuck: { active: 2, queued: 4 } }, 'its queue is bounded')
  for (let times = 0; times < 50; times++) t.match((await get('/sound?id=a')).status, 200)
  t.match(runtime.stats(), { sound: { ok: 50, queuedMs: 0 } }, 'others do not wait for it')
  const codes = (await Promise.all(waiting)).map(({ body }) => body.code)
  t.equal(codes.filter(code => code === 'BULKHEAD_FULL').length, 24)
  t.equal(codes.filter(code => code === 'UPSTREAM_TIMEOUT' || code === 'DEADLINE_EXCEEDED').length, 6)
  // Calls that got a permit at the very end hold it until their connection has opened, and are aborted.
  await until(() => runtime.stats()['stuck']?.active === 0, { withinMs: 5000 })
  t.match(runtime.stats(), { stuck: { active: 0, queued: 0 } })
}

/** An upstream that fails every time is asked little more than if it did not. */
export async function allRetried(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, socket => socket.write(status(500)))
  const failing = defineUpstream(
    'failing',
    {
      origin: upstream.origin,
      retry: { maxAttempts: 3, initialDelay: 1, maxDelay: 1 },
      breaker: false,
      attemptTimeout: 10_000,
    },
    { word: operation(wordPath) },
  )
  const many = aggregate('many', { url: '/many', query: Id, deadline: 20_000 })
    .each('words', () => Array.from({ length: 100 }, (_, index) => failing.word({ id: String(index) })), {
      minSuccess: 0,
      fallback: { word: '' },
    })
    .reply(z.unknown(), ({ words }) => words)
  const { get, runtime } = await stage(t, [many])
  const calls = 2000
  for (let made = 0; made < calls; made += 100) t.equal((await get('/many?id=a')).status, 200)
  const asked = upstream.requests.length
  // 20 % of the calls, and 10 a second over 10 s.
  t.ok(asked <= 1.2 * calls + 100 + 10, `${asked} attempts for ${calls} calls`)
  t.ok(asked > calls, 'though it was tried again')
  t.match(runtime.stats(), { failing: { calls, failed: calls, attempts: asked, active: 0 } })
}

/** An upstream that is slower than ever for all at once. */
export async function allSlow(t: Test): Promise<void> {
  let ms = 0
  const upstream = await rawUpstream(
    t,
    (socket, request) =>
      void setTimeout(() => {
        socket.write(good(request))
      }, ms),
  )
  const hedged = defineUpstream(
    'hedged',
    { origin: upstream.origin, hedge: { delay: 30, maxRatio: 0.02 }, retry: false, attemptTimeout: 10_000 },
    { word: operation(wordPath) },
  )
  const many = aggregate('many', { url: '/many', query: Id, deadline: 20_000 })
    .each('words', () => Array.from({ length: 100 }, (_, index) => hedged.word({ id: String(index) })), {
      concurrency: 32,
    })
    .reply(z.array(Word), ({ words }) => words)
  const { get, runtime } = await stage(t, [many])
  const calls = 2000
  for (let made = 0; made < calls; made += 100) {
    if (made === calls / 2) ms = 80
    t.equal((await get('/many?id=a')).status, 200)
  }
  const extra = upstream.requests.length - calls
  t.ok(extra <= 0.02 * calls, `${extra} extra attempts for ${calls} calls, half of which were slow`)
  t.match(runtime.stats(), { hedged: { ok: calls, active: 0, queued: 0 } })
}

/** An upstream that answers 503 beyond a few calls, with adaptive concurrency. */
export async function shrinking(t: Test): Promise<void> {
  const takes = 4
  let busy = 0
  let refused = 0
  const upstream = await rawUpstream(t, (socket, request) => {
    if (busy >= takes) {
      refused++
      return socket.write(status(503))
    }
    busy++
    setTimeout(() => {
      busy--
      socket.write(good(request))
    }, 5)
  })
  const learning = defineUpstream(
    'learning',
    {
      origin: upstream.origin,
      concurrency: 'adaptive',
      maxQueue: 1000,
      retry: false,
      breaker: false,
      attemptTimeout: 10_000,
    },
    { word: operation(wordPath) },
  )
  const many = aggregate('many', { url: '/many', query: Id, deadline: 20_000 })
    .each('words', () => Array.from({ length: 100 }, (_, index) => learning.word({ id: String(index) })), {
      concurrency: 50,
      minSuccess: 0,
      fallback: { word: '' },
    })
    .reply(z.unknown(), ({ words }) => words)
  const { get, runtime } = await stage(t, [many])
  const before = runtime.stats()['learning']?.concurrency ?? Infinity
  for (let times = 0; times < 8; times++) await get('/many?id=a')
  refused = 0
  for (let times = 0; times < 4; times++) await get('/many?id=a')
  const { concurrency } = runtime.stats()['learning'] ?? { concurrency: NaN }
  t.ok(
    concurrency < 16 && concurrency < before,
    `its concurrency is down to ${concurrency} for an upstream that takes ${takes}`,
  )
  t.ok(refused < 200, `${refused} of 400 calls are refused`)
  t.match(runtime.stats(), { learning: { active: 0, queued: 0 } })
}

/** An upstream that says 503 to everybody. */
export async function storm(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, socket => socket.write(status(503)))
  const changes: BreakerChange[] = []
  const stormy = defineUpstream(
    'stormy',
    { origin: upstream.origin, concurrency: 16, breaker: { openDuration: 10_000 } },
    { word: operation(wordPath) },
  )
  const many = aggregate('many', { url: '/many', query: Id, deadline: 10_000 })
    .each('words', () => Array.from({ length: 100 }, (_, index) => stormy.word({ id: String(index) })), {
      minSuccess: 0,
      fallback: { word: '' },
    })
    .reply(z.unknown(), ({ words }) => words)
  const { get, runtime } = await stage(t, [many], {
    onBreakerChange: change => {
      changes.push(change)
    },
  })
  await Promise.all(Array.from({ length: 10 }, () => get('/many?id=a')))
  t.same(changes, [{ upstream: 'stormy', from: 'closed', to: 'open' }], 'it opens once, and says so once')
  t.ok(upstream.requests.length <= 20 + 16 + 10, `${upstream.requests.length} requests for 1000 calls`)
  t.match(runtime.stats(), { stormy: { calls: 1000, ok: 0, active: 0, queued: 0, breaker: 'open' } })
}
