import type { FastifyInstance } from 'fastify'
import type { OpenCatalogue } from '../definitions/catalogue.ts'
import { runtimeOf } from '../http/lifecycle/app-runtime.ts'
import { addExplainRoutes } from '../http/operator/explain-route.ts'
import { processLog } from '../log/process-log.ts'
import { openAdminListener } from './process/admin-listener.ts'
import { ownRunRoutes, type ServedOptions } from './process/kept-runs.ts'
import { listenAt } from './process/listen.ts'
import { ownOverview } from './process/own-overview.ts'
import { serviceExplainer } from './process/service-app.ts'
import { shutDownOnSignals } from './process/shutdown.ts'

/** Serves in this process alone, with the definitions as they were at the start. */
export async function serveSingle(
  catalogue: OpenCatalogue,
  app: FastifyInstance,
  { flushSpans, keptRuns }: ServedOptions,
): Promise<void> {
  const { config } = catalogue
  const overview = ownOverview(catalogue, app, keptRuns)
  const explainer = serviceExplainer(catalogue, app)
  const admin = await openAdminListener({
    config,
    log: app.log,
    metrics: runtimeOf(app).metrics,
    routes: [admin => addExplainRoutes(admin, config.admin, () => explainer), ...ownRunRoutes(config, keptRuns)],
    live: overview?.live,
    lostLogLines: () => processLog().lost,
  })
  shutDownOnSignals(catalogue, app, () => admin.closeAfter(() => app.close()), { flushSpans })
  await listenAt(config, address => app.listen(address))
  admin.ready()
}
