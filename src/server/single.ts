import type { FastifyInstance } from 'fastify'
import type { OpenCatalogue } from '../definitions/catalogue.ts'
import { runtimeOf } from '../http/lifecycle/app-runtime.ts'
import { addExplainRoutes } from '../http/operator/explain-route.ts'
import { processLog } from '../log/process-log.ts'
import { RuntimeMetrics } from '../metrics/runtime-metrics.ts'
import { openAdminListener } from './process/admin-listener.ts'
import { bulkSourceOf } from './process/bulk-runs.ts'
import { ownRunRoutes, type ServedOptions } from './process/kept-runs.ts'
import { listenAt } from './process/listen.ts'
import { ownOverview } from './process/own-overview.ts'
import type { ReloadSignal } from './process/reload-signal.ts'
import { Reloads } from './process/reloads.ts'
import { createServiceApp, routesOf, serviceExplainer } from './process/service-app.ts'
import { serviceListenerOf } from './process/service-listener.ts'
import { shutDownOnSignals } from './process/shutdown.ts'
import { watchFiles } from './process/watch-files.ts'

export interface SingleOptions extends ServedOptions {
  /** Reloads the definitions when one of their files changes. */
  readonly watch: boolean
  readonly signal: ReloadSignal
}

/**
 * Serves in this process alone. A reload replaces the app behind the listening socket. Upstreams that did not change
 * keep their connections and their state.
 */
export async function serveSingle(
  catalogue: OpenCatalogue,
  app: FastifyInstance,
  { flushSpans, keptRuns, shared, watch, signal }: SingleOptions,
): Promise<void> {
  const { config, reload } = catalogue
  const listener = serviceListenerOf(app)
  // The runtimes of all definitions count in the same metrics.
  const runtime = runtimeOf(app)
  const overview = ownOverview(catalogue, app, keptRuns, bulkSourceOf(config, app.log))
  let explainer = serviceExplainer(catalogue, app)
  const reloads = new Reloads({
    log: app.log,
    metrics: RuntimeMetrics.countersOf(runtime).metrics,
    reload:
      reload &&
      (async () => {
        const next = await reload()
        const nextApp = await createServiceApp(next, { shared: shared?.state }, undefined, keptRuns, listener.app)
        listener.swap(nextApp)
        overview?.define(next)
        explainer = serviceExplainer(next, nextApp)
        return { aggregates: routesOf(next), evaluated: next.evaluated }
      }),
  })
  listener.connections.definitions = () => reloads.definitions
  const admin = await openAdminListener({
    config,
    log: app.log,
    metrics: runtime.metrics,
    routes: [admin => addExplainRoutes(admin, config.admin, () => explainer), ...ownRunRoutes(config, keptRuns)],
    live: overview?.live,
    lostLogLines: () => processLog().lost,
    definitions: () => reloads.definitions,
  })
  let stopWatching = () => {}
  const close = async () => {
    stopWatching()
    await admin.closeAfter(() => listener.close())
    await shared?.state.close()
  }
  shutDownOnSignals(catalogue, app, close, { flushSpans, skip: ['SIGHUP'] })
  await listenAt(config, address => listener.listen(address))
  admin.ready()
  signal.onSignal(() => void reloads.request())
  if (watch) stopWatching = await watchFiles(catalogue, reloads)
}
