import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { BulkListener } from '../../bulk/bulk-listener.ts'
import { DiskClaims } from '../../bulk/disk/disk-claims.ts'
import { DiskStore } from '../../bulk/disk/disk-store.ts'
import { BulkExecutor } from '../../bulk/executor.ts'
import { Journal } from '../../bulk/journal.ts'
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

/** Opens the store and creates the executor, which has not started. */
export async function openBulk(options: OpenBulkOptions): Promise<BulkService> {
  const { aggregates, settings, runtime, sources, onEvent, metrics, log, keyOf } = options
  const store = await DiskStore.open(settings.dir)
  const journal = new Journal(store)
  const offered = new Map(aggregates.filter(({ route }) => route.bulk).map(each => [each.name, each]))
  const executor = new BulkExecutor({
    journal,
    claims: new DiskClaims(store),
    aggregates: offered,
    services: { runtime, level: sources, onEvent, concurrency: settings.concurrency, ...loadOf(options) },
    listener: listenerOf(log, metrics),
  })
  return new BulkService({ journal, executor, metrics, settings, names: new Set(offered.keys()), keyOf })
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
      log.error({ err, pauseMs }, 'bulk store failed; bulk runs continue after a pause')
    },
  }
}
