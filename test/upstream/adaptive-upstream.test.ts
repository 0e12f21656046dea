import { createServer } from 'node:http'
import { test, type Test } from 'tap'
import { z } from 'zod'
import type { UpstreamError } from '../../src/errors.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime, type BreakerChange } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveHttp } from '../helpers/serve-http.ts'

/** An upstream that works at so many calls at once, each for some ms, and answers 503 to one more. */
async function upstreamThatTakes(t: Test, capacity: number) {
  const seen = { capacity, busy: 0, answered: 0, refused: 0, busySum: 0 }
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    if (seen.busy >= seen.capacity) {
      seen.refused++
      response.writeHead(503).end('{}')
      return
    }
    seen.busySum += ++seen.busy
    seen.answered++
    setTimeout(() => {
      seen.busy--
      response.end('{}')
    }, 10)
  })
  return { seen, origin: await serveHttp(t, server) }
}

test('adaptive concurrency finds the number of calls beyond which an upstream answers 503, and follows it down and up', async t => {
  const { seen, origin } = await upstreamThatTakes(t, 10)
  const limited = defineUpstream(
    'limited',
    { origin, concurrency: 'adaptive', maxQueue: 1000, attemptTimeout: 20_000, retry: false, breaker: false },
    { ask: operation({ path: '/', output: z.unknown() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())

  /** Sixty callers who ask again as soon as they have an answer. */
  async function ask(calls: number): Promise<void> {
    let left = calls
    await Promise.all(
      Array.from({ length: 60 }, async () => {
        while (left-- > 0) await runtime.send(testRun().ask(limited.ask())).catch(() => {})
      }),
    )
  }

  for (const capacity of [10, 4, 30]) {
    seen.capacity = capacity
    await ask(60 * capacity)
    Object.assign(seen, { answered: 0, refused: 0, busySum: 0 })
    await ask(60 * capacity)
    const { concurrency } = runtime.stats()['limited'] ?? { concurrency: 0 }
    const refused = seen.refused / (seen.answered + seen.refused)
    const busy = seen.busySum / seen.answered
    t.comment(
      `capacity ${capacity}: ${concurrency} permits, ${busy.toFixed(1)} busy on average, ${(refused * 100).toFixed(1)} % refused`,
    )
    t.ok(
      concurrency >= capacity * 0.7 && concurrency <= capacity + 2,
      `${concurrency} permits for a capacity of ${capacity}`,
    )
    t.ok(busy >= capacity * 0.4, `${busy.toFixed(1)} of ${capacity} are busy`)
    t.ok(refused <= 0.25, `${(refused * 100).toFixed(1)} % are refused`)
  }
})

test('an upstream that answers 503 to everything is left a few permits, its breaker opens once, and no event comes twice', async t => {
  const { seen, origin } = await upstreamThatTakes(t, 0)
  const changes: BreakerChange[] = []
  const limited = defineUpstream(
    'limited',
    { origin, concurrency: 'adaptive', maxQueue: 1000, breaker: { openDuration: 60_000 } },
    { ask: operation({ path: '/', output: z.unknown() }) },
  )
  const runtime = createRuntime({
    onBreakerChange: change => {
      changes.push(change)
    },
  })
  t.teardown(() => runtime.close())

  const runs = Array.from({ length: 300 }, () => testRun())
  for (const error of await Promise.all(runs.map(run => failure(runtime.send(run.ask(limited.ask()))))))
    t.match(error, { code: /^(?:UPSTREAM_BUSY|BREAKER_OPEN)$/ })
  const sent = seen.refused
  t.ok(sent < 60, `${sent} were sent: those that waited for a permit were turned away`)
  for (const error of await Promise.all(runs.map(run => failure(runtime.send(run.ask(limited.ask()))))))
    t.match(error, { code: 'BREAKER_OPEN' })
  t.equal(seen.refused, sent, 'what comes later is not sent')
  t.same(changes, [{ upstream: 'limited', from: 'closed', to: 'open' }])
  for (const { events } of runs) {
    t.equal(events.filter(({ type }) => type === 'call ended').length, 2)
    t.equal(
      events.filter(({ type }) => type === 'attempt started').length,
      events.filter(({ type }) => type === 'attempt ended').length,
    )
  }
  const stats = runtime.stats()['limited'] ?? { concurrency: 20, active: 1, queued: 1 }
  t.match(stats, { breaker: 'open', active: 0, queued: 0 })
  t.ok(stats.concurrency < 20, `${stats.concurrency} permits are left`)
  t.comment(`300 calls at once were sent ${sent} times, and ${stats.concurrency} permits are left`)
})

test('an upstream that is stuck keeps to its permits and its queue, and takes nothing from another', async t => {
  for (const permits of [4, 'adaptive'] as const) {
    const [raw, quick] = await Promise.all([rawUpstream(t, () => {}), rawUpstream(t, json({}))])
    const operations = { ask: operation({ path: '/', output: z.unknown() }) }
    const stuck = defineUpstream(
      'stuck',
      { origin: raw.origin, concurrency: permits, maxQueue: 30, attemptTimeout: 30_000 },
      operations,
    )
    const well = defineUpstream('well', { origin: quick.origin, concurrency: 4 }, operations)
    const runtime = createRuntime()
    const ends: string[] = []
    const asked = Array.from({ length: 200 }, () =>
      runtime.send(testRun().ask(stuck.ask())).catch((error: UpstreamError) => {
        ends.push(error.code)
      }),
    )
    const most = permits === 'adaptive' ? 20 : permits
    await raw.asked(most)
    t.match(runtime.stats(), { stuck: { active: most, queued: 30 } })
    t.same(
      ends,
      Array.from({ length: 170 - most }, () => 'BULKHEAD_FULL'),
      'the others know it at once',
    )
    for (let call = 0; call < 100; call++) await runtime.send(testRun().ask(well.ask()))
    t.match(runtime.stats(), { well: { ok: 100, queuedMs: 0 } })
    t.equal(raw.requests.length, most)
    await runtime.close()
    await Promise.all(asked)
  }
})
