import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { latencyBucketOf } from '../../src/metrics/latency-counts.ts'
import { RuntimeMetrics } from '../../src/metrics/runtime-metrics.ts'
import { isCallersFault, isEvidence } from '../../src/overview/failed-attempt.ts'
import {
  aggregateCountNames,
  breakerStates,
  upstreamCountNames,
  upstreamGaugeNames,
  type ProcessSample,
} from '../../src/overview/process-sample.ts'
import { Sampler } from '../../src/overview/sampler.ts'
import { labelValues } from '../../src/overview/series-counts.ts'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { failure } from '../helpers/failure.ts'
import { numbered, originList } from '../helpers/origin-list.ts'
import { json } from '../helpers/raw-upstream.ts'
import { until } from '../helpers/until.ts'

const Cat = z.object({ name: z.string() })
const cat = { name: 'Tom' }

/** An upstream `up`, a runtime with a sampler, and a function that runs calls of one aggregate. */
async function arrange(t: Test, options: Partial<UpstreamOptions> = {}) {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  const up = defineUpstream(
    'up',
    { origin: upstream.origin, retry: false, ...options },
    {
      cat: operation({ path: '/cats/{id}', params: z.object({ id: z.string() }), output: Cat }),
      kept: operation({ path: '/kept', output: Cat, cache: { ttl: 60_000 } }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const sampler = new Sampler(RuntimeMetrics.countersOf(runtime).metrics)
  const cats = (...ids: readonly string[]) =>
    fanOut(
      aggregate('cats', { url: '/cats', deadline: 5000 })
        .each('calls', () => ids.map(id => up.cat({ id })), { minSuccess: 0, fallback: [] })
        .reply(z.unknown(), ({ calls }) => calls),
      {},
      { runtime },
    )
  return { upstream, runtime, sampler, up, cats }
}

/** The row of `up` by names. */
function upstreamOf({ upstreams }: ProcessSample): Readonly<Record<string, unknown>> | undefined {
  const [row] = upstreams
  if (row === undefined) return undefined
  const { counts, gauges, ...rest } = row
  return {
    ...rest,
    ...Object.fromEntries(upstreamCountNames.map((name, at) => [name, counts[at]])),
    ...Object.fromEntries(upstreamGaugeNames.map((name, at) => [name, gauges[at]])),
  }
}

/** The row of the first aggregate by names. */
function aggregateOf({ aggregates }: ProcessSample) {
  const [row] = aggregates
  return row && { ...row, ...Object.fromEntries(aggregateCountNames.map((name, at) => [name, row.counts[at]])) }
}

test('a sample has the attempts, calls and runs since the sample before', async t => {
  const { upstream, sampler, cats } = await arrange(t)
  t.same(sampler.take(), { upstreams: [], aggregates: [] }, 'nothing was called')
  upstream.answer('/cats/1', cat).status('/cats/2', 404).status('/cats/3', 503).reset('/cats/4')
  await cats('1', '2', '3', '4')
  const first = sampler.take()
  t.match(upstreamOf(first), { name: 'up', attempts: 4, failedAttempts: 2, calls: 4, lostCalls: 3, retries: 0 })
  t.same(
    new Map(first.upstreams[0]?.failures),
    new Map([
      ['503', 1],
      ['UPSTREAM_RESET', 1],
    ]),
    'a 404 is no evidence',
  )
  t.match(aggregateOf(first), { name: 'cats', complete: 0, partial: 1, failed: 0 })
  t.same(sampler.take(), { upstreams: [], aggregates: [] })
  upstream.answer('/cats/1', cat)
  await cats('1')
  const second = sampler.take()
  t.match(upstreamOf(second), { attempts: 1, failedAttempts: 0, failures: [] })
  t.match(aggregateOf(second), { complete: 1, partial: 0 })
})

test('a sample has the durations of attempts and runs', async t => {
  const { upstream, sampler, cats } = await arrange(t)
  upstream.answer('/cats/1', cat, { delay: 100 })
  await cats('1')
  const { upstreams, aggregates } = sampler.take()
  for (const { latency } of [...upstreams, ...aggregates]) {
    t.equal(latency.length, 2)
    t.ok((latency[0] as number) >= latencyBucketOf(99), `bucket ${latency[0]}`)
    t.equal(latency[1], 1)
  }
})

test('a sample has the retries', async t => {
  const { upstream, sampler, cats } = await arrange(t, { retry: { initialDelay: 1 } })
  upstream.status('/cats/1', 503).answer('/cats/1', cat)
  await cats('1')
  t.match(upstreamOf(sampler.take()), { attempts: 2, failedAttempts: 1, calls: 1, lostCalls: 0, retries: 1, hedges: 0 })
})

test('a sample has the hedges, and those that won', async t => {
  const { upstream, sampler, cats } = await arrange(t, { hedge: { delay: 20, maxRatio: 1 } })
  upstream.hang('/cats/2').answer('/cats/2', cat)
  await cats('2')
  t.match(upstreamOf(sampler.take()), { failedAttempts: 0, retries: 0, hedges: 1, hedgesWon: 1 })
})

test('a sample has the use of the cache', async t => {
  const { upstream, sampler, up, runtime } = await arrange(t)
  upstream.answer('/kept', cat)
  const kept = aggregate('kept', { url: '/kept' })
    .required('it', () => up.kept())
    .reply(Cat, ({ it }) => it)
  for (let count = 0; count < 3; count++) await fanOut(kept, {}, { runtime })
  t.match(upstreamOf(sampler.take()), { attempts: 1, cacheAsked: 3, cacheHits: 2 })
})

test('a sample has the retries that were not sent', async t => {
  const { upstream, sampler, cats } = await arrange(t, {
    retry: { initialDelay: 1 },
    retryBudget: { minPerSecond: 0, ratio: 0 },
  })
  upstream.status('/cats/1', 503)
  await cats('1')
  t.match(upstreamOf(sampler.take()), { attempts: 1, retries: 0, refusedResends: 1 })
  t.same(sampler.take().upstreams, [])
})

test('a sample has the present permits and queue, and a row when they change', async t => {
  const { upstream, sampler, cats } = await arrange(t, { concurrency: 1 })
  upstream.hang('/cats/1').answer('/cats/2', cat)
  const run = cats('1', '2')
  await upstream.called(1)
  await until(() => upstreamOf(sampler.take())?.queued === 1)
  t.same(sampler.take().upstreams, [], 'nothing has changed')
  await upstream.close()
  await run
  t.match(upstreamOf(sampler.take()), {
    permits: 0,
    permitLimit: 1,
    queued: 0,
    breaker: breakerStates.indexOf('closed'),
  })
})

test('a sample has the code of a run that fails, and of one that is partial', async t => {
  const { upstream, sampler, up, runtime } = await arrange(t)
  upstream.status('/cats/1', 500).status('/cats/1', 500)
  const failing = aggregate('failing', { url: '/failing' })
    .required('it', () => up.cat({ id: '1' }))
    .reply(Cat, ({ it }) => it)
  await failure(fanOut(failing, {}, { runtime }))
  t.match(aggregateOf(sampler.take()), { name: 'failing', failed: 1, refused: 0, codes: [['UPSTREAM_STATUS', 1]] })
  const partial = aggregate('partial', { url: '/partial' })
    .optional('it', () => up.cat({ id: '1' }), { fallback: null })
    .reply(z.unknown(), ({ it }) => it)
  await fanOut(partial, {}, { runtime })
  t.match(aggregateOf(sampler.take()), { name: 'partial', partial: 1, codes: [['UPSTREAM_STATUS', 1]] })
})

test('a sample has the statuses with which an aggregate was answered', async t => {
  const { sampler, runtime } = await arrange(t)
  const { requests } = RuntimeMetrics.countersOf(runtime)
  for (const status of [200, 404, 502, 502]) requests.route('/cats', 'cats').ended(0, 'http', status, 3, undefined)
  requests.route('/metrics', '').ended(0, 'http', 500, 3, undefined)
  const { aggregates } = sampler.take()
  t.same(
    aggregates.map(({ name, statuses }) => [name, statuses]),
    [['cats', [['502', 2]]]],
  )
})

test('a change of a breaker is reported at once', async t => {
  const { upstream, sampler, cats } = await arrange(t, { breaker: { minimumCalls: 2, openDuration: 60_000 } })
  const changes: string[][] = []
  sampler.onBreakerChange = (...change) => changes.push(change)
  upstream.status('/cats/1', 500).status('/cats/2', 500)
  await cats('1', '2')
  t.same(changes, [['up', 'closed', 'open']])
  t.match(upstreamOf(sampler.take()), { breaker: breakerStates.indexOf('open') })
})

test('a sample has the numbers of the origins of an upstream with several', async t => {
  const { runtime, cats, ask } = await originList(t, [numbered(0), json('bad', 503)], {
    balance: { ejection: { consecutiveFailures: 1, duration: 60_000 } },
  })
  const sampler = new Sampler(RuntimeMetrics.countersOf(runtime).metrics)
  for (let id = 0; id < 20; id++) await ask(cats.cat({ id: String(id) })).catch(() => {})
  t.match(upstreamOf(sampler.take()), { origins: 2, originsOut: 1 })
  await ask(cats.cat({ id: '20' }))
  t.match(upstreamOf(sampler.take()), { origins: 2, originsOut: 1 }, 'the numbers are those of the moment')
})

test('a runtime without a sampler counts no durations', async t => {
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  t.equal(RuntimeMetrics.countersOf(runtime).metrics.live, undefined)
})

test('only failures that the breaker counts are evidence', async t => {
  for (const type of ['500', '503', '429', '408', '302', 'UPSTREAM_RESET', 'UPSTREAM_TIMEOUT'])
    t.ok(isEvidence(type), type)
  for (const type of ['', '404', '401', 'CANCELLED', 'BULKHEAD_FULL', 'BREAKER_OPEN', 'toString', 'other'])
    t.notOk(isEvidence(type), type)
  for (const code of ['REFUSED', 'INPUT_INVALID']) t.ok(isCallersFault(code), code)
  for (const code of ['INTERNAL', 'UPSTREAM_STATUS', 'toString', '']) t.notOk(isCallersFault(code), code)
})

test('the values of labels are read with their escapes', async t => {
  t.same(labelValues(''), [])
  t.same(labelValues('upstream="cats",operation="",code="OK"'), ['cats', '', 'OK'])
  t.same(labelValues(String.raw`a="say \"hi\", \\n",b="x\ny"`), ['say "hi", \\n', 'x\ny'])
})
