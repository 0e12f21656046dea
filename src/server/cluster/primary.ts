import type { FastifyInstance } from 'fastify'
import { requestsRoutes } from '../../admin/requests-routes.ts'
import type { OpenCatalogue } from '../../definitions/catalogue.ts'
import { RemoteFiles } from '../../definitions/files-state.ts'
import { addExplainRoutes } from '../../http/operator/explain-route.ts'
import { Metrics } from '../../metrics/metrics.ts'
import { collectProcessMetrics } from '../../metrics/process-metrics.ts'
import { openAdminListener } from '../process/admin-listener.ts'
import { bulkSourceOf } from '../process/bulk-runs.ts'
import type { ReloadSignal } from '../process/reload-signal.ts'
import { Reloads } from '../process/reloads.ts'
import { serviceListenerOf } from '../process/service-listener.ts'
import { closeMsOf, exitOnUncaughtErrors, shutDownOnSignals } from '../process/shutdown.ts'
import { watchFiles } from '../process/watch-files.ts'
import { WorkersExplainer } from './explain-channel.ts'
import { WorkersRuns } from './kept-channel.ts'
import { ownWorkerOptions } from './own-worker-options.ts'
import { primaryOverview } from './primary-overview.ts'
import { reloadWorkers } from './reload-workers.ts'
import { createWorkers, stopMsOf } from './workers.ts'
import { WorkersReload } from './workers-reload.ts'

export interface PrimaryOptions {
  /** The number of workers. */
  readonly count: number
  /** Reloads the definitions when one of their files changes. */
  readonly watch: boolean
  /** The files and folders of the definitions. */
  readonly paths: readonly string[]
  readonly signal: ReloadSignal
  /** Ends the handling of signals of the start. Called when the service handles them. */
  readonly started: () => void
  /** The number of reloads of a worker after which the workers are replaced. @default 1000 */
  readonly maxReloads?: number | undefined
}

/**
 * Serves with worker processes: this process starts, replaces and stops them, and distributes connections among them.
 *
 * @param app - An app that is ready, which proves that the definitions can be served. Only its log is used, since each
 *   worker builds its own app.
 */
export async function servePrimary(
  catalogue: OpenCatalogue,
  app: FastifyInstance,
  { count, watch, paths, signal, started, maxReloads }: PrimaryOptions,
): Promise<void> {
  const { config } = catalogue
  const { drainMs } = config
  const own = new Metrics()
  const workers = createWorkers({
    ...ownWorkerOptions(catalogue, app.log),
    collectMetrics: async () => [...(await collectProcessMetrics()), ...own.collect()],
    count,
  })
  const restart = async () => {
    const since = Date.now()
    if (await workers.restart()) reloads.restarted(since)
  }
  // The listener is added before the workers start. Without a listener, SIGUSR2 ends the process.
  process.on('SIGUSR2', () => void restart())
  const files = new RemoteFiles(paths, catalogue.files())
  const workersReload = new WorkersReload({
    running: workers.running,
    nextWorker: () => workers.running.next(),
    log: app.log,
    restart,
    onFiles: state => files.follow(state),
    max: maxReloads,
  })
  const explainer = new WorkersExplainer(workers.running)
  const { listener, key, dashboard, keptRuns } = config.admin
  const runs = listener !== undefined && keptRuns > 0 ? new WorkersRuns(workers.running) : undefined
  const live =
    listener !== undefined && dashboard
      ? primaryOverview(catalogue, workers.overview, runs, bulkSourceOf(config, app.log))
      : undefined
  const reloads = new Reloads({
    log: app.log,
    metrics: own,
    reload: catalogue.reload && reloadWorkers(workersReload, files, live),
    onRefused: refused => workersReload.refused(refused),
  })
  const admin = await openAdminListener({
    config,
    log: app.log,
    metrics: workers.metrics,
    routes: [
      admin => addExplainRoutes(admin, config.admin, () => explainer),
      ...(runs === undefined ? [] : [requestsRoutes(runs, { key })]),
    ],
    live,
    lostLogLines: () => workers.lostLogLines,
    definitions: () => reloads.definitions,
  })
  await serviceListenerOf(app).close()
  await workers.start()
  admin.ready()
  let stopWatching = () => {}
  exitOnUncaughtErrors(app)
  shutDownOnSignals(
    catalogue,
    app,
    () => {
      stopWatching()
      reloads.end()
      return admin.closeAfter(async () => {
        if (await workers.stop()) return
        await catalogue.close()
        process.exit(1)
      })
    },
    {
      delay: drainMs + stopMsOf({ closeMs: closeMsOf(config) }),
      skip: ['SIGHUP', 'SIGUSR2'],
      onSecondSignal: () => workers.kill(),
    },
  )
  started()
  signal.onSignal(() => void reloads.request())
  if (watch) stopWatching = await watchFiles(files, reloads, app.log)
}
