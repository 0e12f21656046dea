import cluster from 'node:cluster'
import type { FastifyInstance } from 'fastify'
import type { OpenCatalogue } from '../definitions/catalogue.ts'
import { runtimeOf } from '../http/lifecycle/app-runtime.ts'
import { addExplainRoutes } from '../http/operator/explain-route.ts'
import { processLog } from '../log/process-log.ts'
import { RuntimeMetrics } from '../metrics/runtime-metrics.ts'
import type { Successor } from './cluster/successor.ts'
import { openAdminListener } from './process/admin-listener.ts'
import { bulkSourceOf } from './process/bulk-runs.ts'
import { ownRuns, runRoutes, type ServedOptions } from './process/kept-runs.ts'
import { listenAt } from './process/listen.ts'
import { maxReloads as usualMax } from './process/max-reloads.ts'
import type { OperatorView } from './process/operator-view.ts'
import { ownOverview } from './process/own-overview.ts'
import type { ReloadSignal } from './process/reload-signal.ts'
import { isFaulty, Reloads } from './process/reloads.ts'
import { createServiceApp, routesOf, serviceExplainer } from './process/service-app.ts'
import { serviceListenerOf } from './process/service-listener.ts'
import { exitOnUncaughtErrors, shutDownOnSignals } from './process/shutdown.ts'
import { watchFiles } from './process/watch-files.ts'

export interface SingleOptions extends ServedOptions {
  /** Reloads the definitions when one of their files changes. */
  readonly watch: boolean
  /** The files and folders of the definitions. */
  readonly paths: readonly string[]
  readonly signal: ReloadSignal
  /** Ends the handling of signals of the start. Called when the service handles them. */
  readonly started: () => void
  /** The name of the service among its replicas. */
  readonly service: string
  /** The number of reloads after which a worker serves instead of this process. @default 1000 */
  readonly maxReloads?: number | undefined
}

/**
 * Serves in this process alone. A reload replaces the app behind the listening socket. Upstreams that did not change
 * keep their connections and their state. After many reloads, a worker serves instead of this process.
 */
export async function serveSingle(
  catalogue: OpenCatalogue,
  app: FastifyInstance,
  { flushSpans, keptRuns, service, shared, watch, paths, maxReloads = usualMax, signal, started }: SingleOptions,
): Promise<void> {
  const { config, reload } = catalogue
  const { log } = app
  const listener = serviceListenerOf(app)
  // The runtimes of all definitions count in the same metrics.
  const runtime = runtimeOf(app)
  const { metrics } = RuntimeMetrics.countersOf(runtime)
  const overview = ownOverview(catalogue, app, keptRuns, bulkSourceOf(config, log))
  const view: OperatorView = {
    explainer: serviceExplainer(catalogue, app),
    runs: keptRuns && ownRuns(keptRuns),
    metrics: runtime.metrics,
    lostLogLines: () => processLog().lost,
    files: catalogue,
  }
  let loads = 0
  /** The worker that serves, or that starts in order to serve. */
  let successor: Successor | undefined
  let hasSucceeded = false
  let isClosing = false
  let stopWatching = () => {}

  async function reloadHere(): Promise<object> {
    const next = await (reload as NonNullable<typeof reload>)()
    const nextApp = await createServiceApp(next, { shared: shared?.state }, undefined, keptRuns, listener.app)
    listener.swap(nextApp)
    overview?.define(next)
    view.explainer = serviceExplainer(next, nextApp)
    return { aggregates: routesOf(next), evaluated: next.evaluated }
  }

  /** Resolves with the fields of the log line, or with `undefined` if no worker could be started. */
  async function startSuccessor(): Promise<object | undefined> {
    const { Successor } = await import('./cluster/successor.ts')
    const onRetired = async () => {
      await shared?.state.close()
      await catalogue.close()
    }
    const keepsRuns = keptRuns !== undefined
    successor ??= new Successor({
      catalogue,
      paths,
      listener,
      log,
      metrics,
      overview,
      keepsRuns,
      maxReloads,
      service,
      onRestarted: since => reloads.restarted(since),
      onRetired,
    })
    log.info({ reloads: maxReloads }, 'starting a worker that serves instead of this process')
    try {
      const fields = await successor.start()
      Object.assign(view, successor.view)
      hasSucceeded = true
      if (!isClosing) handleSignalsAsPrimary(successor)
      return fields
    } catch (error) {
      if (isClosing) throw error
      const reason = isFaulty(error) ? { faults: error.message.split('\n') } : { err: error }
      log.error(reason, 'the worker did not start; this process continues to serve')
      return undefined
    }
  }

  const reloads = new Reloads({
    log,
    metrics,
    reload:
      reload &&
      (async () => {
        if (hasSucceeded) return (successor as Successor).reload()
        // A worker of another cluster cannot start workers. Without a worker, this process loads the definitions, also
        // if the worker has found faults: it then knows the state of their files, which `--watch` compares.
        const fields = loads >= maxReloads && cluster.isPrimary ? await startSuccessor() : undefined
        if (fields !== undefined) return fields
        loads++
        return reloadHere()
      }),
    onRefused: refused => {
      if (hasSucceeded) successor?.reloads.refused(refused)
    },
  })
  listener.connections.definitions = () => reloads.definitions
  const admin = await openAdminListener({
    config,
    log,
    metrics: { render: accept => view.metrics.render(accept) },
    routes: [each => addExplainRoutes(each, config.admin, () => view.explainer), ...runRoutes(config, () => view.runs)],
    live: overview?.live,
    lostLogLines: () => view.lostLogLines(),
    definitions: () => reloads.definitions,
  })

  function close(): Promise<boolean> {
    isClosing = true
    stopWatching()
    reloads.end()
    return admin.closeAfter(async () => {
      const isClean = await successor?.stop()
      if (!hasSucceeded) {
        await listener.close()
        await shared?.state.close()
      }
      return isClean ?? true
    })
  }

  /** SIGUSR2 then replaces the worker. */
  function handleSignalsAsPrimary({ workers, restart, stopMs }: Successor): void {
    // The new listeners come first: without a listener, a signal would end the process at once.
    shutDownOnSignals(catalogue, app, close, {
      delay: config.drainMs + stopMs,
      flushSpans,
      skip: ['SIGHUP'],
      onSigusr2: () => void restart(),
      onSecondSignal: () => workers.kill(),
    })
    endSignals()
  }

  exitOnUncaughtErrors(app)
  const endSignals = shutDownOnSignals(catalogue, app, close, { flushSpans, skip: ['SIGHUP'] })
  started()
  await listenAt(config, address => listener.listen(address))
  admin.ready()
  signal.onSignal(() => void reloads.request())
  if (watch) {
    const files = { folders: () => view.files.folders(), changed: () => view.files.changed() }
    stopWatching = await watchFiles(files, reloads, log)
  }
}
