import { test } from 'tap'
import { z } from 'zod'
import { ConfigError, readConfig } from '../../../src/config.ts'
import { openCatalogue } from '../../../src/definitions/catalogue.ts'
import { defineUpstream, operation, specOf } from '../../../src/upstream/declare.ts'
import {
  checkWorkers,
  partitionInbound,
  partitionThreads,
  planWorkers,
} from '../../../src/server/cluster/plan-workers.ts'

const operations = { ask: operation({ path: '/', output: z.unknown() }) }
const origin = 'http://127.0.0.1:9'
const few = specOf(defineUpstream('few', { origin, concurrency: 3 }, operations))
const learning = specOf(defineUpstream('learning', { origin, concurrency: 'adaptive', connections: 5 }, operations))
const { inbound, threads } = readConfig({}, [])
const shared = { specs: [few, learning], overrides: {}, config: { inbound, threads } }

test('more workers than a bound can be partitioned among are refused by upstream, option and fix', async t => {
  checkWorkers(shared, 3)
  t.throws(
    () => checkWorkers(shared, 4),
    new ConfigError(
      "upstream 'few': concurrency is 3, too few for 4 workers: raise it to 4 or more, or start at most 3 workers",
    ),
  )
  t.throws(
    () => checkWorkers(shared, 6),
    /^upstream 'few': concurrency is 3.*\nupstream 'learning': connections is 5, .*raise it to 6 or more, or start at most 5 workers$/,
  )
  checkWorkers({ ...shared, overrides: { few: { concurrency: 6 }, learning: { off: true } } }, 6)
  t.throws(() => checkWorkers({ ...shared, overrides: { few: { concurrency: 1 } } }, 2), /or start at most one worker/)
})

test('as many runs are needed as there are workers, where they are limited', async t => {
  const withRuns = (runs: string) => ({ specs: [], overrides: {}, config: readConfig({ MAX_RUNS: runs }, []) })
  t.throws(() => checkWorkers(withRuns('2'), 3), /^the service: MAX_RUNS is 2, too few for 3 workers/)
  checkWorkers(withRuns('0'), 3)
  t.throws(
    () => checkWorkers({ specs: [], overrides: {}, config: readConfig({ MAX_BODIES_BYTES: '2' }, []) }, 3),
    /^the service: MAX_BODIES_BYTES is 2, too few for 3 workers/,
  )
  checkWorkers({ specs: [], overrides: {}, config: readConfig({ MAX_BODIES_BYTES: '0' }, []) }, 3)
  t.same(planWorkers(withRuns('2'), 3), { workers: 2, limitedBy: 'the service: MAX_RUNS is 2' })
})

test('as many as there are cores, but never more than can be partitioned', async t => {
  t.same(planWorkers(shared, 2), { workers: 2 })
  t.same(planWorkers(shared, 3), { workers: 3 })
  t.same(planWorkers(shared, 16), { workers: 3, limitedBy: "upstream 'few': concurrency is 3" })
  t.same(planWorkers({ ...shared, specs: [] }, 2000).workers, 1000, 'there are as many runs')
})

test('runs in flight and the bytes of bodies are divided; what is of a process, a request or a connection is not', async t => {
  const parts = [0, 1, 2].map(index => partitionInbound(inbound, { index, count: 3 }))
  t.same(
    parts.map(({ pressure }) => pressure.runs),
    [334, 333, 333],
  )
  t.same(
    parts.map(({ pressure }) => pressure.bodiesBytes),
    [22_369_622, 22_369_621, 22_369_621],
  )
  for (const part of parts)
    t.same(
      {
        ...part,
        pressure: { ...part.pressure, runs: inbound.pressure.runs, bodiesBytes: inbound.pressure.bodiesBytes },
      },
      inbound,
    )
  t.equal(
    partitionInbound({ ...inbound, pressure: { ...inbound.pressure, runs: 0 } }, { index: 1, count: 2 }).pressure.runs,
    0,
    'none is no limit',
  )
})

test('threads and their queue are partitioned; with as many threads as spare cores each worker has one at least', async t => {
  const parts = [0, 1, 2].map(index => ({ index, count: 3 }))
  t.same(
    parts.map(part => partitionThreads({ count: 8, queue: 256 }, part)),
    [
      { count: 3, queue: 86 },
      { count: 3, queue: 85 },
      { count: 2, queue: 85 },
    ],
  )
  t.same(
    parts.map(part => partitionThreads(threads, part, 9).count),
    [3, 3, 2],
  )
  t.same(
    parts.map(part => partitionThreads(threads, part, 2).count),
    [1, 1, 1],
  )
  t.same(partitionThreads({ count: 3 }, { index: 0, count: 3 }), { count: 1 })
  t.throws(
    () => checkWorkers({ specs: [], overrides: {}, config: readConfig({ OFFLOAD_THREADS: '2' }, []) }, 3),
    /^the service: OFFLOAD_THREADS is 2, too few for 3 workers/,
  )
})

test('the number of workers is read from the environment', async t => {
  t.same(
    [undefined, '1', '4', 'auto'].map(value => readConfig({ HEADWATERS_WORKERS: value }, []).workers),
    [undefined, undefined, 4, 'auto'],
  )
  for (const value of ['0', '-1', '1025', '1.5', 'all'])
    t.throws(
      () => readConfig({ HEADWATERS_WORKERS: value }, []),
      new ConfigError('HEADWATERS_WORKERS: must be an integer from 1 to 1024, or auto'),
    )
})

test('demo upstreams of another process are called, and none are started', async t => {
  const demoUpstreams = { meowfacts: 'http://127.0.0.1:1', wikipedia: 'http://127.0.0.1:2' }
  const catalogue = await openCatalogue({
    paths: [],
    live: false,
    environment: { HEADWATERS_UPSTREAM_WIKIPEDIA_ORIGIN: 'http://127.0.0.1:3' },
    demoUpstreams,
  })
  t.same(catalogue.overrides, {
    meowfacts: { origin: 'http://127.0.0.1:1' },
    wikipedia: { origin: 'http://127.0.0.1:3' },
  })
  t.same([catalogue.upstreams, catalogue.demoUpstreams], ['demo', demoUpstreams])
  await catalogue.close()
})
