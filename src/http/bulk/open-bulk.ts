import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { BulkListener } from '../../bulk/bulk-listener.ts'
import { ClaimedChunks } from '../../bulk/claimed-chunks.ts'
import type { ChunkSource } from '../../bulk/chunk-source.ts'
import { DiskClaims } from '../../bulk/disk/disk-claims.ts'
import { DiskStore } from '../../bulk/disk/disk-store.ts'
import { BulkExecutor } from '../../bulk/executor.ts'
import { GivenStore } from '../../bulk/given-store.ts'
import { Journal } from '../../bulk/journal.ts'
import type { BulkStore } from '../../bulk/object-store.ts'
import { Pacer } from '../../bulk/pacer.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { OnEvent } from '../../fanout/events.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { BulkMetrics } from '../../metrics/bulk-metrics.ts'
import type { Runtime } from '../../upstream/runtime.ts'
import type { PressureGauge } from '../guard/pressure.ts'
import { countRunEnd } from '../reply/run-counts.ts'
import type { BulkSettings } from './bulk-options.ts'
import { BulkService } from './bulk-service.ts'

/** The services and settings that the bulk runs of an app use. */
export interface OpenBulkOptions {
  readonly aggregates: readonly AnyAggregate[]
  readonly settings: BulkSettings
  readonly runtime: Runtime
  readonly sources: SourcesLevel
  readonly onEvent: OnEvent | undefined
  readonly gauge: PressureGauge
  /** Returns the calls that wait for a permit, per permit of their upstream. */
  readonly permitBacklog: () => number
  readonly metrics: BulkMetrics
  readonly log: FastifyBaseLogger
  readonly keyOf: (request: FastifyRequest) => string | undefined
}

/** From this number of waiting calls per permit on, no item starts. */
const maxBacklog = 1

/**
 * Opens the store and creates the executor, which has not started.
 *
 * @throws `TypeError` if the queue cannot be used with the packages or the server as they are
 */
export async function openBulk(options: OpenBulkOptions): Promise<BulkService> {
  const { aggregates, settings, runtime, sources, onEvent, metrics, log, keyOf } = options
  const { dir, store: given } = settings.place
  const store = given === undefined ? await DiskStore.open(dir) : new GivenStore(given)
  metrics.storeOpened()
  const journal = new Journal(store)
  const offered = new Map(aggregates.filter(({ route }) => route.bulk).map(each => [each.name, each]))
  const executor: BulkExecutor = new BulkExecutor({
    journal,
    chunks: await chunksOf(options, store, () => executor.wake()),
    aggregates: offered,
    services: { runtime, level: sources, onEvent, concurrency: settings.concurrency, ...loadOf(options) },
    listener: listenerOf(log, metrics),
  })
  return new BulkService({ journal, executor, metrics, settings, names: new Set(offered.keys()), keyOf })
}

/** Returns the distribution of chunks: by a queue, or over the processes of this machine. */
async function chunksOf(
  { settings: { queue: address }, metrics, log }: OpenBulkOptions,
  store: BulkStore,
  onAvailable: () => void,
): Promise<ChunkSource> {
  if (address === undefined) return new ClaimedChunks(new DiskClaims(store))
  const { openQueuedChunks } = await import('../../bulk/queue/open-queued-chunks.ts')
  metrics.queueChanged(false)
  return openQueuedChunks(store, {
    address,
    option: 'app: bulk.queue.url',
    onChange({ isAvailable, reason }) {
      metrics.queueChanged(isAvailable)
      if (isAvailable) {
        log.info('bulk queue available')
        onAvailable()
      } else log.warn({ reason }, 'bulk queue unavailable; bulk runs pause until it is available again')
    },
  })
}

/** Returns the pacer, and the counter of the runs of items. The runs of callers are all others of the gauge. */
function loadOf({ gauge, permitBacklog }: OpenBulkOptions) {
  let ownRuns = 0
  const pacer = new Pacer({
    now: () => performance.now(),
    busyMs: () => performance.eventLoopUtilization().active,
    isPressed: () => gauge.level !== 'calm' || permitBacklog() >= maxBacklog,
    liveRuns: () => gauge.served + gauge.refused + gauge.runs - ownRuns,
  })
  const countRun = () => {
    ownRuns++
    gauge.runs++
    return (error?: unknown) => countRunEnd(gauge, error)
  }
  return { pacer, countRun }
}

function listenerOf(log: FastifyBaseLogger, metrics: BulkMetrics): BulkListener {
  return {
    itemsEnded: counts => metrics.itemsEnded(counts),
    runsRead: counts => metrics.runsRead(counts),
    runStarted({ id, aggregate, items }) {
      log.info({ bulk: id, aggregate, items }, 'bulk run started')
    },
    runCompleted({ id, aggregate, items, createdAt }, counts) {
      metrics.runEnded('completed')
      log.info({ bulk: id, aggregate, items, ...counts, ms: Date.now() - createdAt }, 'bulk run completed')
    },
    aggregateMissing({ id, aggregate }) {
      log.warn({ bulk: id, aggregate }, 'bulk run waits: no aggregate with this name has bulk: true')
    },
    storeFailed(err, pauseMs) {
      metrics.storeFailed()
      log.error({ err, pauseMs }, 'bulk store failed; bulk runs continue after a pause')
    },
  }
}
