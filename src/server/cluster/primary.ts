import type { FastifyInstance } from 'fastify'
import { requestsRoutes } from '../../admin/requests-routes.ts'
import type { OpenCatalogue } from '../../definitions/catalogue.ts'
import { addExplainRoutes } from '../../http/operator/explain-route.ts'
import { processLog } from '../../log/process-log.ts'
import { collectProcessMetrics } from '../../metrics/process-metrics.ts'
import { openAdminListener } from '../process/admin-listener.ts'
import { shutDownOnSignals } from '../process/shutdown.ts'
import { variablesOfEnvFiles } from './env-files.ts'
import { WorkersExplainer } from './explain-channel.ts'
import { WorkersRuns } from './kept-channel.ts'
import { primaryOverview } from './primary-overview.ts'
import { createWorkers, stopMs } from './workers.ts'

/**
 * Serves with worker processes: this process starts, replaces and stops them, and distributes connections among them.
 *
 * @param app - An app that is ready, which proves that the definitions can be served. Only its log is used, since each
 *   worker builds its own app.
 */
export async function servePrimary(catalogue: OpenCatalogue, app: FastifyInstance, count: number): Promise<void> {
  const { config } = catalogue
  const { host, port, drainMs, heartbeatMs } = config
  const workers = createWorkers({
    log: app.log,
    lostLogLines: () => processLog().lost,
    collectMetrics: collectProcessMetrics,
    count,
    host,
    port,
    demoUpstreams: catalogue.demoUpstreams,
    heartbeatMs,
    omittedVariables: variablesOfEnvFiles(process.execArgv, process.env),
    onGiveUp: () => {
      app.log.fatal('no worker is running and none can be started; exiting')
      process.exit(1)
    },
  })
  // The listener is added before the workers start. Without a listener, SIGHUP ends the process.
  process.on('SIGHUP', () => {
    void workers.restart()
  })
  const explainer = new WorkersExplainer(workers.running)
  const { listener, key, dashboard, keptRuns } = config.admin
  const runs = listener !== undefined && keptRuns > 0 ? new WorkersRuns(workers.running) : undefined
  const admin = await openAdminListener({
    config,
    log: app.log,
    metrics: workers.metrics,
    routes: [
      admin => addExplainRoutes(admin, config.admin, () => explainer),
      ...(runs === undefined ? [] : [requestsRoutes(runs, { key })]),
    ],
    live: listener !== undefined && dashboard ? primaryOverview(catalogue, workers.overview, runs) : undefined,
    lostLogLines: () => workers.lostLogLines,
  })
  await app.close()
  await workers.start()
  admin.ready()
  shutDownOnSignals(
    catalogue,
    app,
    () =>
      admin.closeAfter(async () => {
        if (await workers.stop()) return
        await catalogue.close()
        process.exit(1)
      }),
    { delay: drainMs + stopMs, skip: ['SIGHUP'], onSecondSignal: () => workers.kill() },
  )
}
