import type { FastifyInstance } from 'fastify'
import { ConfigError } from '../config.ts'
import type { OpenCatalogue } from '../definitions/catalogue.ts'
import { DefinitionsError } from '../definitions/definitions-error.ts'
import { watch } from '../definitions/watch.ts'
import { runtimeOf } from '../http/lifecycle/app-runtime.ts'
import { addExplainRoutes } from '../http/operator/explain-route.ts'
import { processLog } from '../log/process-log.ts'
import { createHotSwapServer } from './hot-swap-server.ts'
import { openAdminListener } from './process/admin-listener.ts'
import { ownRunRoutes, type ServedOptions } from './process/kept-runs.ts'
import { listenAt } from './process/listen.ts'
import { ownOverview } from './process/own-overview.ts'
import { createServiceApp, routesOf, serviceExplainer } from './process/service-app.ts'
import { shutDownOnSignals } from './process/shutdown.ts'

/**
 * Serves in this process and reloads the definitions after each change of a file. The listening socket stays open. A
 * failed reload leaves the previous definitions in place.
 */
export async function serveWatched(
  catalogue: OpenCatalogue,
  app: FastifyInstance,
  { flushSpans, keptRuns }: ServedOptions,
): Promise<void> {
  const { config } = catalogue
  const server = createHotSwapServer({ limits: config.inbound.limits, drainMs: config.drainMs })
  let stopWatching = () => {}
  let runtime = runtimeOf(app)
  const overview = ownOverview(catalogue, app, keptRuns)
  let explainer = serviceExplainer(catalogue, app)
  const admin = await openAdminListener({
    config,
    log: app.log,
    metrics: { render: accept => runtime.metrics.render(accept) },
    routes: [admin => addExplainRoutes(admin, config.admin, () => explainer), ...ownRunRoutes(config, keptRuns)],
    live: overview?.live,
    lostLogLines: () => processLog().lost,
  })
  server.swap(app)
  const close = async () => {
    stopWatching()
    await admin.closeAfter(server.close)
  }
  shutDownOnSignals(catalogue, app, close, { flushSpans })
  app.log.info(`Server listening at ${await listenAt(config, server.listen)}`)
  admin.ready()
  const onError = (error: unknown) => {
    const isUserFault = error instanceof DefinitionsError || error instanceof ConfigError
    app.log.error(
      isUserFault ? { faults: error.message.split('\n') } : { err: error },
      'reload failed; the previous definitions are still served',
    )
  }
  async function reload(): Promise<void> {
    try {
      const next = await catalogue.reload()
      const nextApp = await createServiceApp(next, {}, undefined, keptRuns)
      server.swap(nextApp)
      runtime = runtimeOf(nextApp)
      overview?.swap(next, nextApp)
      explainer = serviceExplainer(next, nextApp)
      app.log.info({ aggregates: routesOf(next) }, 'definitions reloaded')
    } catch (error) {
      onError(error)
    }
  }
  stopWatching = watch(catalogue, reload, onError)
}
