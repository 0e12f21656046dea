import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import * as families from '../../src/metrics/families.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { UpstreamMetrics } from '../../src/metrics/upstream-metrics.ts'
import type { UpstreamReadings } from '../../src/metrics/upstream-readings.ts'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { loopTurns } from '../helpers/loop-turns.ts'
import { isExact } from '../helpers/timing.ts'
import { longestTurnMs } from './helpers/longest-turn.ts'

/** The values of an upstream with two permits in use. */
const readings: UpstreamReadings = {
  permits: { concurrency: 8, active: 2, queued: 0 },
  retryBudgetBalance: 10,
  connections: { active: 2, idle: 1, opened: 3 },
  breaker: 'closed',
  cache: undefined,
}

/** Metrics that read upstreams. Each reading takes the time of a piece. */
function slowMetrics() {
  const metrics = new Metrics()
  const add = (name: string, readingsOf: () => UpstreamReadings) =>
    new UpstreamMetrics(
      metrics,
      { name, retry: false, hedge: false, breaker: {} },
      new URL('http://upstream.example'),
    ).read(() => {
      const until = performance.now() + 1.5
      while (performance.now() < until);
      return readingsOf()
    })
  const permits = metrics.table(families.permitsInUse)
  /** The permits in use of each upstream that has a series. */
  const inUse = () => [...permits.values.subarray(0, permits.labels.length)]
  return { metrics, add, inUse }
}

const withActive = (active: number): UpstreamReadings => ({
  ...readings,
  permits: { concurrency: 8, active, queued: 0 },
})

test('values are read in several turns, and all change in the last one', async t => {
  const { metrics, add, inUse } = slowMetrics()
  let active = 2
  for (let at = 0; at < 5; at++) add(`up-${at}`, () => withActive(active))
  metrics.collect()
  t.same(inUse(), [2, 2, 2, 2, 2])
  active = 3
  const turns = loopTurns()
  const seen = new Set<string>()
  let isOver = false
  const look = () => {
    seen.add(inUse().join(' '))
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  t.same(await metrics.collectInPieces(), metrics.collect())
  isOver = true
  turns.stop()
  t.ok(turns.count >= 5, 'each reading has a turn')
  t.same([...seen][0], '2 2 2 2 2')
  t.ok([...seen].every(values => values === '2 2 2 2 2' || values === '3 3 3 3 3'))
  t.same(inUse(), [3, 3, 3, 3, 3])
})

test('a new series has its value from the turn on in which it is added', async t => {
  const { metrics, add, inUse } = slowMetrics()
  for (let at = 0; at < 5; at++) add(`up-${at}`, () => readings)
  const limits = metrics.table(families.permitsLimit)
  const collected = metrics.collectInPieces()
  let isOver = false
  const look = () => {
    if (isOver) return
    t.ok(inUse().every(value => value === 2))
    t.ok(limits.labels.every((_, slot) => limits.isUsed(slot) && limits.values[slot] === 8))
    setImmediate(look)
  }
  setImmediate(look)
  await collected
  isOver = true
  t.equal(limits.labels.length, 5)
})

test('collections at the same time do not add up', async t => {
  const { metrics, add, inUse } = slowMetrics()
  for (let at = 0; at < 4; at++) add(`up-${at}`, () => readings)
  const both = [metrics.collectInPieces(), metrics.collectInPieces()]
  await new Promise(resolve => {
    setImmediate(resolve)
  })
  metrics.collect()
  t.same(inUse(), [2, 2, 2, 2])
  await Promise.all(both)
  t.same(inUse(), [2, 2, 2, 2])
})

test('two clients of the same name have the sum of their values', async t => {
  const { metrics, add, inUse } = slowMetrics()
  add('up', () => withActive(2))
  add('up', () => withActive(3))
  await metrics.collectInPieces()
  t.same(inUse(), [5])
  await metrics.collectInPieces()
  t.same(inUse(), [5])
})

test('an upstream that is added between two pieces is read, and one that is removed then has no value', async t => {
  const { metrics, add, inUse } = slowMetrics()
  const table = metrics.table(families.queueLength)
  let end = () => {}
  add('up-0', () => {
    // Runs in the turn after this one.
    setImmediate(() => {
      end()
      add('up-2', () => withActive(7))
    })
    return readings
  })
  end = metrics.onCollect(() => table.addRead(table.slot('gone'), 9))
  add('up-1', () => readings)
  await metrics.collectInPieces()
  t.same(inUse(), [2, 2, 7])
  t.notOk(table.isUsed(table.slot('gone')), 'its gauge is not rendered')
})

test('a reading that fails rejects the collection, and the values stay', async t => {
  const { metrics, add, inUse } = slowMetrics()
  let fault: Error | undefined
  let active = 2
  add('up-0', () => withActive(active))
  add('up-1', () => {
    if (fault !== undefined) throw fault
    return readings
  })
  await metrics.collectInPieces()
  fault = new Error('no')
  active = 3
  await t.rejects(metrics.collectInPieces(), fault)
  t.same(inUse(), [2, 2])
  fault = undefined
  await metrics.collectInPieces()
  t.same(inUse(), [3, 2])
})

test('the size of a store that is known at times only is 0 meanwhile', async t => {
  const { metrics, add } = slowMetrics()
  const counts = { hits: 0, stale: 0, misses: 0, revalidated: 0, refreshes: 0, storeFaults: 0 }
  let size: { readonly entries?: number; readonly bytes?: number } = {}
  add('up', () => ({ ...readings, cache: { ...counts, ...size } }))
  const entries = metrics.table(families.cacheEntries)
  await metrics.collectInPieces()
  t.equal(entries.labels.length, 0)
  size = { entries: 4, bytes: 400 }
  await metrics.collectInPieces()
  t.equal(entries.values[0], 4)
  size = {}
  await metrics.collectInPieces()
  t.equal(entries.values[0], 0)
  t.equal(entries.labels.length, 1)
})

test('metrics of 500 upstreams are rendered with no turn above 5 ms of CPU time', { timeout: 120_000 }, async t => {
  const server = await scriptedUpstream()
  t.teardown(() => server.close())
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const operations = { ok: operation({ path: '/ok', output: z.number(), cache: { ttl: 60_000 } }) }
  for (let at = 0; at < 500; at++) server.answer('/ok', 1)
  for (let first = 0; first < 500; first += 50) {
    const upstreams = Array.from({ length: 50 }, (_, at) =>
      defineUpstream(`upstream-${first + at}`, { origin: server.origin }, operations),
    )
    const run = aggregate('run', { url: '/run', deadline: 20_000 })
      .each('calls', () => upstreams.map(upstream => upstream.ok()))
      .reply(z.number(), ({ calls }) => calls.length)
    await fanOut(run, {}, { runtime })
  }
  const turns: number[] = []
  for (let time = 0; time < 15; time++) {
    let body = ''
    turns.push(
      await longestTurnMs(async () => {
        ;({ body } = await runtime.metrics.render('application/openmetrics-text'))
      }),
    )
    t.ok(body.split('\n').filter(line => line !== '' && !line.startsWith('#')).length > 10_000)
  }
  const median = turns.sort((a, b) => a - b)[7] as number
  t.ok(median <= (isExact ? 5 : 15), `the longest turn takes ${median} ms`)
})
