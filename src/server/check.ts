import { openCatalogue, type Catalogue } from '../definitions/catalogue.ts'
import { bulkRoutes, otherRoutes } from '../http/metrics/service-routes.ts'
import { maxSeries } from '../metrics/max-series.ts'
import { processSeriesLimits, type SeriesLimit } from '../metrics/process-metrics.ts'
import { operationsOf } from '../upstream/declared-specs.ts'
import { addressOf, originsText } from '../upstream/override.ts'
import { createServiceApp, routesOf } from './process/service-app.ts'
import { serviceListenerOf } from './process/service-listener.ts'

/** A service that can be served. */
export interface CheckedService {
  /** The method, the URL and the name of each aggregate. */
  readonly aggregates: readonly string[]
  readonly upstreams: readonly CheckedUpstream[]
  /** The operations and aggregates of batches, in numbers; undefined if the service has no route for batches. */
  readonly batch: CheckedBatch | undefined
  /** The number of workers; `auto` is one for each core. */
  readonly workers: number | 'auto'
  /** The largest number of series of each metric family. */
  readonly series: readonly SeriesLimit[]
}

/** The numbers of operations and aggregates that batches may call. */
export interface CheckedBatch {
  readonly operations: number
  readonly aggregates: number
}

export interface CheckedUpstream {
  readonly name: string
  /** The origin that is called, with its path, or several with commas. It has no user and no password. */
  readonly origin: string
  readonly isOff: boolean
}

/**
 * Loads definitions and reads the environment as `serve` does, and builds the app. Listens nowhere, calls no upstream
 * and starts no demo upstream.
 *
 * @param paths Files and folders of definitions. If the list is empty, the built-in aggregates are checked.
 * @param environment The environment variables.
 * @throws `DefinitionsError` or `ConfigError` with all faults.
 */
export async function checkService(
  paths: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<CheckedService> {
  const catalogue = await openCatalogue({ paths, live: true, environment })
  try {
    const { workers = 1 } = catalogue.config
    if (workers !== 1 && workers !== 'auto') {
      const { checkWorkers } = await import('./cluster/plan-workers.ts')
      checkWorkers(catalogue, workers)
    }
    const app = await createServiceApp(catalogue, { logger: false })
    await serviceListenerOf(app).close()
    return {
      aggregates: routesOf(catalogue),
      upstreams: upstreamsOf(catalogue),
      batch: batchOf(catalogue),
      workers,
      series: [...ownSeriesLimits(catalogue), ...(await processSeriesLimits())],
    }
  } finally {
    await catalogue.close()
  }
}

function ownSeriesLimits({ aggregates, specs, overrides }: Catalogue): SeriesLimit[] {
  const upstreams = specs.map(spec => ({
    spec: { ...spec, origins: addressOf(spec, overrides[spec.name] ?? {}).origins },
    operations: operationsOf(spec),
  }))
  const service = {
    aggregates,
    upstreams,
    otherRoutes,
    bulkRoutes: aggregates.some(({ route }) => route.bulk) ? bulkRoutes : 0,
  }
  return maxSeries(service).map(({ family: { name }, series }) => ({ name, series }))
}

function batchOf({ aggregates, batchOperations, config }: Catalogue): CheckedBatch | undefined {
  const own = aggregates.filter(({ route }) => route.batch).length
  if (config.inbound.batch === false || own + batchOperations.length === 0) return undefined
  return { operations: batchOperations.length, aggregates: own }
}

function upstreamsOf({ specs, overrides }: Catalogue): CheckedUpstream[] {
  return specs.map(spec => {
    const override = overrides[spec.name] ?? {}
    return { name: spec.name, origin: originsText(spec, override), isOff: override.off === true }
  })
}
