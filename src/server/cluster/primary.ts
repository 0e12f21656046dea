import type { FastifyInstance } from 'fastify'
import { requestsRoutes } from '../../admin/requests-routes.ts'
import type { Catalogue, OpenCatalogue } from '../../definitions/catalogue.ts'
import { addExplainRoutes } from '../../http/operator/explain-route.ts'
import { processLog } from '../../log/process-log.ts'
import { Metrics } from '../../metrics/metrics.ts'
import { collectProcessMetrics } from '../../metrics/process-metrics.ts'
import { openAdminListener } from '../process/admin-listener.ts'
import { bulkSourceOf } from '../process/bulk-runs.ts'
import type { ReloadSignal } from '../process/reload-signal.ts'
import { Reloads } from '../process/reloads.ts'
import { createServiceApp, routesOf } from '../process/service-app.ts'
import { serviceListenerOf } from '../process/service-listener.ts'
import { closeMsOf, shutDownOnSignals } from '../process/shutdown.ts'
import { watchFiles } from '../process/watch-files.ts'
import { watchedOf } from '../process/watched-names.ts'
import { variablesOfEnvFiles } from './env-files.ts'
import { WorkersExplainer } from './explain-channel.ts'
import { WorkersRuns } from './kept-channel.ts'
import { checkWorkers } from './plan-workers.ts'
import { primaryOverview } from './primary-overview.ts'
import { createWorkers, stopMsOf } from './workers.ts'
import { WorkersReload } from './workers-reload.ts'

export interface PrimaryOptions {
  /** The number of workers. */
  readonly count: number
  /** Reloads the definitions when one of their files changes. */
  readonly watch: boolean
  readonly signal: ReloadSignal
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
  { count, watch, signal }: PrimaryOptions,
): Promise<void> {
  const { config, reload } = catalogue
  const { host, port, drainMs, heartbeatMs } = config
  const closeMs = closeMsOf(config)
  const own = new Metrics()
  const workers = createWorkers({
    log: app.log,
    lostLogLines: () => processLog().lost,
    collectMetrics: async () => [...(await collectProcessMetrics()), ...own.collect()],
    count,
    host,
    port,
    demoUpstreams: catalogue.demoUpstreams,
    heartbeatMs,
    closeMs,
    omittedVariables: variablesOfEnvFiles(process.execArgv, process.env),
    onGiveUp: () => {
      app.log.fatal('no worker is running and none can be started; exiting')
      process.exit(1)
    },
  })
  const restart = () => void workers.restart()
  // The listener is added before the workers start. Without a listener, SIGUSR2 ends the process.
  process.on('SIGUSR2', restart)
  const workersReload = new WorkersReload({ running: workers.running, log: app.log, restart })
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
    reload:
      reload &&
      (async () => {
        const next = await reload()
        await checkDefinitions(next, count)
        await workersReload.reload()
        live?.define(watchedOf(next))
        return { aggregates: routesOf(next), evaluated: next.evaluated }
      }),
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
  shutDownOnSignals(
    catalogue,
    app,
    () => {
      stopWatching()
      return admin.closeAfter(async () => {
        if (await workers.stop()) return
        await catalogue.close()
        process.exit(1)
      })
    },
    { delay: drainMs + stopMsOf({ closeMs }), skip: ['SIGHUP', 'SIGUSR2'], onSecondSignal: () => workers.kill() },
  )
  signal.onSignal(() => void reloads.request())
  if (watch) stopWatching = await watchFiles(catalogue, reloads)
}

/** Throws an error if the workers could not serve the definitions. */
async function checkDefinitions(catalogue: Catalogue, count: number): Promise<void> {
  checkWorkers(catalogue, count)
  const app = await createServiceApp(catalogue)
  await serviceListenerOf(app).close()
}
