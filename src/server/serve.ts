import cluster from 'node:cluster'
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { ConfigError } from '../config.ts'
import { openCatalogue, type OpenCatalogue } from '../definitions/catalogue.ts'
import { processLog } from '../log/process-log.ts'
import { divertStreams } from '../log/standard-streams.ts'
import type { WorkerPlan } from './cluster/plan-workers.ts'
import { readAssignment } from './cluster/read-message.ts'
import { disablePretenuring } from './disable-pretenuring.ts'
import { configurationOf } from './process/configuration.ts'
import { endOnEarlySignals } from './process/early-end.ts'
import { openKeptRuns } from './process/kept-runs.ts'
import { receiveReloadSignal } from './process/reload-signal.ts'
import { createServiceApp, routesOf } from './process/service-app.ts'
import { openSharedState } from './process/shared-state.ts'
import { serveSingle } from './single.ts'
import { assignmentVariable } from './cluster/messages.ts'

export interface ServeOptions {
  /** Files and folders of definitions. @default the built-in aggregates */
  readonly paths?: readonly string[]
  /** Calls the public upstreams instead of the demo upstreams. @default false */
  readonly live?: boolean
  /** Reloads the definitions when one of their files changes. @default false */
  readonly watch?: boolean
  /** Number of worker processes; `auto` is one for each core. @default `HEADWATERS_WORKERS`, or else 1 */
  readonly workers?: number | 'auto' | undefined
  /** Sends the last spans before the process ends. @default there are no spans */
  readonly flushSpans?: (() => Promise<void>) | undefined
  /** A module whose default export receives the events of all runs. @default no module */
  readonly events?: string | undefined
  /** The number of reloads after which a process is replaced. Tests set it. @default 1000 */
  readonly maxReloads?: number | undefined
}

/**
 * Runs the service: listens, and on SIGTERM or SIGINT drains the requests in flight before the process exits. Throws a
 * `DefinitionsError` or a `ConfigError` for definitions or a configuration that cannot be served.
 */
export async function serve(options: ServeOptions = {}): Promise<void> {
  const { paths = [], live = false, watch = false, workers, events, flushSpans, maxReloads } = options
  disablePretenuring()
  // Redirect the streams before definitions are loaded. A module that stores `process.stdout`, or uses `console`, keeps
  // the stream that exists at that time.
  const flushOutput = divertStreams(processLog())
  const assignment = cluster.isWorker ? readAssignment(process.env[assignmentVariable]) : undefined
  if (assignment !== undefined) {
    const { serveAssigned } = await import('./cluster/worker-main.ts')
    return serveAssigned(assignment, { paths, live, events, flushOutput, flushSpans })
  }
  const started = endOnEarlySignals()
  const signal = receiveReloadSignal()
  const catalogue = await openCatalogue({ paths, live, events, environment: process.env })
  const plan = await planFor(catalogue, workers)
  // With workers the primary serves no aggregates.
  const hasWorkers = plan !== undefined && plan.workers > 1
  const keptRuns = hasWorkers ? undefined : openKeptRuns(catalogue.config)
  const service = randomUUID()
  const shared = hasWorkers ? undefined : await openSharedState(catalogue.config, service, 1)
  const app = await createServiceApp(catalogue, { shared: shared?.state }, undefined, keptRuns)
  shared?.logTo(app.log)
  if (hasWorkers) {
    const { servePrimary } = await import('./cluster/primary.ts')
    await servePrimary(catalogue, app, { count: plan.workers, watch, paths, signal, started, maxReloads })
  } else {
    const state = { keptRuns, service, shared }
    await serveSingle(catalogue, app, { flushSpans, ...state, watch, paths, maxReloads, signal, started })
  }
  const configuration = configurationOf(catalogue, plan?.workers ?? 1)
  app.log.info(configuration, 'configuration')
  app.log.info({ upstreams: catalogue.upstreams, aggregates: routesOf(catalogue), ...plan }, 'serving')
}

/** Returns the number of workers, or `undefined` if one process serves alone. */
async function planFor(
  catalogue: OpenCatalogue,
  workers = catalogue.config.workers ?? 1,
): Promise<WorkerPlan | undefined> {
  if (workers === 1) return undefined
  if (!cluster.isPrimary)
    throw new ConfigError(
      '--workers and HEADWATERS_WORKERS: this process is already a worker of a ' +
        'cluster: start more workers in its primary',
    )
  const { checkWorkers, planWorkers } = await import('./cluster/plan-workers.ts')
  if (workers === 'auto') return planWorkers(catalogue, availableParallelism())
  checkWorkers(catalogue, workers)
  return { workers }
}
