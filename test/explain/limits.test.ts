import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import type { ExplainOptions } from '../../src/explain/explain.ts'
import { explained, stepOf } from './helpers/explained.ts'

const variableOf: ExplainOptions['variableOf'] = (upstream, option) => `${upstream}.${option}`

function calling(options: Partial<UpstreamOptions>, cache = false) {
  const api = defineUpstream(
    'api',
    { origin: 'https://api.example/v1', ...options },
    {
      get: operation({ path: '/', output: z.unknown(), cache }),
    },
  )
  return aggregate('calling', { url: '/calling', deadline: 900, criticality: 'high' })
    .required('it', () => api.get())
    .reply(z.unknown(), () => 1)
}

/** Returns the limits of the upstream by name. */
async function limitsOf(each: ReturnType<typeof calling>, options: Partial<ExplainOptions> = {}) {
  const { upstreams } = await explained(each, {}, { variableOf, ...options })
  return Object.fromEntries((upstreams['api']?.limits ?? []).map(({ name, ...limit }) => [name, limit]))
}

test('a limit says whether it is a default or was declared', async t => {
  const limits = await limitsOf(
    calling({
      concurrency: 8,
      attemptTimeout: 500,
      retry: { maxAttempts: 3 },
      hedge: { delay: 40 },
      totalTimeout: 600,
    }),
  )
  t.match(limits, {
    concurrency: { value: 8, from: 'declared' },
    connections: { value: 24, from: 'default' },
    maxQueue: { value: 2048, from: 'default' },
    attemptTimeout: { value: 500, unit: 'ms', from: 'declared', note: undefined },
    totalTimeout: { value: 600, unit: 'ms', from: 'declared' },
    'retry.maxAttempts': { value: 3, from: 'declared' },
    'retry.initialDelay': { value: 25, unit: 'ms', from: 'default' },
    'hedge.delay': { value: 40, from: 'declared' },
    'hedge.percentile': { value: 98, from: 'default' },
    maxResponseBytes: { value: 5 * 2 ** 20, unit: 'bytes', from: 'default' },
  })
  t.notOk('maxCacheBytes' in limits, 'an upstream without a cache has no limit of it')
  t.match(await limitsOf(calling({}, true)), { maxCacheBytes: { value: 32 * 2 ** 20 } })
})

test('a policy that is off is one limit', async t => {
  const limits = await limitsOf(calling({ retry: false, breaker: false }))
  t.match(limits, {
    retry: { value: false, from: 'declared' },
    breaker: { value: false },
    hedge: { value: false, from: 'default' },
  })
  t.same(
    Object.keys(limits).filter(name => name.startsWith('retry.') || name.startsWith('breaker.')),
    [],
  )
})

test('an option from the environment names its variable, and an override of code is named so', async t => {
  const overrides = { api: { concurrency: 16, attemptTimeout: 2000, origin: 'http://127.0.0.1:1/below' } }
  t.match(await limitsOf(calling({}), { overrides }), {
    concurrency: { value: 16, from: 'api.concurrency' },
    connections: { value: 32, from: 'api.concurrency' },
    attemptTimeout: {
      value: 2000,
      from: 'api.attemptTimeout',
      note: 'the deadline of the run, 900 ms, ends it before',
    },
    connectTimeout: { from: 'default' },
  })
  t.match(await limitsOf(calling({}), { overrides, variableOf: () => undefined }), {
    concurrency: { from: 'override' },
  })
  const { upstreams } = await explained(calling({}), {}, { overrides })
  t.equal(upstreams['api']?.origin, 'http://127.0.0.1:1', 'the base path is part of the paths of calls')
})

test('a partition names the workers, and a scale names the file descriptors', async t => {
  const partition = { index: 0, count: 4 }
  t.match(await limitsOf(calling({ concurrency: 8 }), { partition }), {
    concurrency: { value: 2, whole: 8, reducedBy: '1 of 4 workers', from: 'declared' },
    'retryBudget.minPerSecond': { value: 2.5, whole: 10, reducedBy: '1 of 4 workers' },
    attemptTimeout: { value: 1000, whole: undefined },
  })
  t.match(await limitsOf(calling({ concurrency: 8 }), { partition, scale: 0.5 }), {
    concurrency: { value: 1, whole: 8, reducedBy: '1 of 4 workers, file descriptors' },
  })
  t.match(await limitsOf(calling({ concurrency: 8 }), { scale: 0.5 }), {
    concurrency: { value: 4, whole: 8, reducedBy: 'file descriptors' },
    connections: { value: 12, whole: 24 },
  })
})

test('limits that replicas share say so, and a shared retry budget is not divided among the workers', async t => {
  const shared = calling({ concurrency: 8, divideConcurrency: true, retryBudget: { shared: true } })
  const partition = { index: 0, count: 4 }
  const settings = { partition, sharesState: true }
  t.match(await limitsOf(shared, settings), {
    concurrency: { value: 2, whole: 8 },
    divideConcurrency: { value: true, from: 'declared', note: 'among the live replicas' },
    'retryBudget.minPerSecond': { value: 10, whole: undefined },
    'retryBudget.shared': { value: true, from: 'declared', note: 'by all replicas and workers' },
  })
  t.match(await limitsOf(shared, { partition }), {
    divideConcurrency: { note: 'no effect: the replicas share no state' },
    'retryBudget.minPerSecond': { value: 2.5, whole: 10, reducedBy: '1 of 4 workers' },
    'retryBudget.shared': { note: 'no effect: the replicas share no state' },
  })
  const own = await limitsOf(calling({ concurrency: 8 }), settings)
  t.match(own, { 'retryBudget.minPerSecond': { value: 2.5 } })
  t.notOk('divideConcurrency' in own || 'retryBudget.shared' in own, 'without them nothing is shared')
})

test('an adaptive limit shows its start, and measured values say so', async t => {
  t.match(await limitsOf(calling({ concurrency: 'adaptive', hedge: true })), {
    concurrency: { value: 'adaptive', note: '20 at first, then measured' },
    connections: { value: 200, from: 'default' },
    'hedge.delay': { value: null, note: 'measured: the percentile of the latest calls' },
    totalTimeout: { value: null, note: 'the rest of the deadline' },
  })
  t.match(await limitsOf(calling({ concurrency: 'adaptive' }), { partition: { index: 0, count: 2 } }), {
    concurrency: { value: 'adaptive', note: '10 at first, then measured' },
  })
})

test('the deadline of a caller that is shorter is the deadline of the run', async t => {
  const limits = async (deadline?: number) => (await explained(calling({}), {}, { deadline })).limits
  t.match(await limits(), [
    { name: 'deadline', value: 900, unit: 'ms', from: 'declared' },
    { name: 'criticality', value: 'high', from: 'declared', note: 'weight 4' },
  ])
  t.match(await limits(300), [{ value: 300, from: 'caller' }])
  t.match(await limits(1000), [{ value: 900, from: 'declared' }])
})

test('the limits of a step are those of its kind', async t => {
  const one = defineUpstream(
    'one',
    { origin: 'https://a.example' },
    { get: operation({ path: '/', output: z.unknown() }) },
  )
  const each = aggregate('kinds', { url: '/kinds' })
    .required('plain', () => one.get())
    .required('timed', () => one.get(), { timeout: 50 })
    .each('list', () => [one.get()], { concurrency: 3, minSuccess: 0, fallback: null, overflow: 'truncate' })
    .firstOf('first', () => [one.get(), one.get()], { count: 2 })
    .reply(z.unknown(), () => 1)
  const explanation = await explained(each)
  const limits = (name: string) =>
    stepOf(explanation, name).limits.map(({ name: own, value, from }) => [own, value, from])
  t.same(limits('plain'), [])
  t.same(limits('timed'), [['timeout', 50, 'declared']])
  t.same(limits('list'), [
    ['maxItems', 100, 'default'],
    ['overflow', 'truncate', 'declared'],
    ['concurrency', 3, 'declared'],
    ['minSuccess', 0, 'declared'],
  ])
  t.same(limits('first'), [['count', 2, 'declared']])
  t.match(explanation.limits, [{ from: 'default' }, { from: 'default' }])
})

test('an upstream that was called has its present state', async t => {
  const now = { breaker: 'open', permits: 64, active: 3, queued: 1 }
  const { upstreams } = await explained(calling({}), {}, { stateOf: name => (name === 'api' ? now : undefined) })
  t.same(upstreams['api']?.now, now)
  t.notOk('now' in ((await explained(calling({}))).upstreams['api'] ?? {}))
})
