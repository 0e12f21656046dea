import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { request } from 'undici'
import { startRedis, type RedisServer } from '../../../../test/helpers/redis.ts'
import { TeardownList } from '../../replicas/teardown-list.ts'
import { startBulkRun } from '../bulk-client.ts'
import { checkResults, type CheckedResults } from './check-results.ts'
import { startCountingUpstream } from './counting-upstream.ts'
import { CrashingServices } from './services.ts'

/** The way in which processes share a run. */
export type Sharing = 'queue' | 'disk'

/** A run with its crashes. */
export interface CrashedRun extends CheckedResults {
  readonly sharing: Sharing
  readonly seconds: number
  /** The items that have run more than once. */
  readonly repeated: number
  /** The largest number of runs of one item. */
  readonly most: number
  readonly crashes: readonly string[]
}

interface Crash {
  readonly name: string
  /** The part of the items that are done before it. */
  readonly at: number
  happen(): unknown
}

const pollMs = 200
/** The time for which Redis is down, in ms. */
const downMs = 3000
/** The longest time without a new result, in ms. */
const maxStandstillMs = 120_000

/** Runs items, kills processes meanwhile, and checks the results. */
export async function measureCrashes(sharing: Sharing, items: number): Promise<CrashedRun> {
  const all = new TeardownList()
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-bulk-'))
  all.teardown(() => rmSync(folder, { recursive: true, force: true }))
  try {
    const upstream = await startCountingUpstream(items)
    all.teardown(() => upstream.stop())
    const redis = sharing === 'queue' ? await startRedis(all, { tcp: true }) : undefined
    const services = servicesOf(upstream.port, folder, redis)
    all.teardown(() => services.stop())
    await services.start()
    const startedAt = performance.now()
    const crashes = crashesOf(services, redis)
    const results = await runThrough(services, crashes, items)
    const seconds = (performance.now() - startedAt) / 1000
    return { sharing, seconds, ...results, ...upstream.repetitions(), crashes: crashes.map(({ name }) => name) }
  } finally {
    await all.end()
  }
}

/** With a queue, two services share the run. The first has two workers. Without it, one service has two workers. */
function servicesOf(upstreamPort: number, folder: string, redis: RedisServer | undefined): CrashingServices {
  const variables = {
    HEADWATERS_UPSTREAM_COUNTER_ORIGIN: `http://127.0.0.1:${upstreamPort}`,
    HEADWATERS_BULK_DIR: folder,
    ...(redis !== undefined && { HEADWATERS_BULK_URL: redis.url }),
  }
  const withWorkers = { ...variables, HEADWATERS_WORKERS: '2' }
  return new CrashingServices(redis === undefined ? [withWorkers] : [withWorkers, variables])
}

/** Each crash happens several times, because it can hit a process between two chunks. */
function crashesOf(services: CrashingServices, redis: RedisServer | undefined): Crash[] {
  const times = (name: string, parts: readonly number[], happen: Crash['happen']): Crash[] =>
    parts.map(at => ({ name: `${name} at ${100 * at} %`, at, happen }))
  const crashes = [
    ...times('a worker', [0.1, 0.2, 0.3], () => services.killWorker()),
    ...times('a service', [0.4, 0.5, 0.6], () => services.restart()),
  ]
  if (redis === undefined) return crashes
  const restartEmpty = async () => {
    await redis.stop('SIGKILL')
    await pause(downMs)
    await redis.restart()
  }
  return [...crashes, ...times('Redis', [0.7, 0.8], restartEmpty)]
}

async function runThrough(
  services: CrashingServices,
  crashes: readonly Crash[],
  items: number,
): Promise<CheckedResults> {
  const { path } = await startBulkRun(services.port, items)
  const url = () => `http://127.0.0.1:${services.port}${path}`
  const due = [...crashes]
  let last = { done: 0, at: performance.now() }
  for (;;) {
    await pause(pollMs)
    const run = await readRun(url())
    if (run.done > last.done) last = { done: run.done, at: performance.now() }
    if (performance.now() - last.at > maxStandstillMs)
      throw new Error(`the run stands still at ${run.done} of ${items} items`)
    if (due[0] !== undefined && run.done >= due[0].at * items) await due.shift()?.happen()
    if (run.state === 'completed') break
  }
  if (due.length > 0) throw new Error(`the run ended before '${due[0]?.name}': add --items`)
  const { body } = await request(`${url()}/results`, { headersTimeout: 0 })
  return checkResults(body, items)
}

/** Reads the run. The worker that accepts the connection may have been killed. */
async function readRun(url: string): Promise<{ readonly done: number; readonly state: string }> {
  try {
    const { body } = await request(url)
    return (await body.json()) as { readonly done: number; readonly state: string }
  } catch {
    return { done: 0, state: 'unknown' }
  }
}
