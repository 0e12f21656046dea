import cluster, { type Worker } from 'node:cluster'
import { hostname } from 'node:os'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { openCatalogue, type Catalogue, type CatalogueOptions } from '../../definitions/catalogue.ts'
import { processLog } from '../../log/process-log.ts'
import { runtimeOf } from '../../http/lifecycle/app-runtime.ts'
import { collectProcessMetrics } from '../../metrics/process-metrics.ts'
import { RuntimeMetrics } from '../../metrics/runtime-metrics.ts'
import { listenAt } from '../process/listen.ts'
import { openKeptRuns } from '../process/kept-runs.ts'
import { createServiceApp } from '../process/service-app.ts'
import { serviceListenerOf } from '../process/service-listener.ts'
import { openSharedState } from '../process/shared-state.ts'
import { closeMsOf, exitOnUncaughtErrors } from '../process/shutdown.ts'
import { openChannel } from './channel.ts'
import { closeAfterResponse, keepAliveGraceMs } from './close-after-response.ts'
import { assignmentVariable, type StopMode, type WorkerAssignment } from './messages.ts'
import { watchWorker } from './watch-worker.ts'
import { WorkerReload } from './worker-reload.ts'
import { checkWorkers, partitionInbound, partitionThreads } from './plan-workers.ts'

export interface ServeAssignedOptions extends Pick<CatalogueOptions, 'paths' | 'live' | 'events'> {
  /** Writes the remaining output for stdout and stderr. */
  readonly flushOutput: () => void
  /** Sends the last spans before the worker exits; undefined if there are no spans. */
  readonly flushSpans: (() => Promise<void>) | undefined
}

/** Serves as one worker, with its partition of the limits, until the primary stops it or exits. */
export async function serveAssigned(
  assignment: WorkerAssignment,
  { paths, live, events, flushOutput, flushSpans }: ServeAssignedOptions,
): Promise<void> {
  // Definitions must not see the mark of the channel.
  delete process.env[assignmentVariable]
  // A terminal and a service manager send signals to all processes at once. Only the primary acts on them.
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR2'] as const) process.on(signal, () => {})

  const stopped = Promise.withResolvers<StopMode>()
  const drainNow = new AbortController()
  const stop = (mode: StopMode) => {
    if (mode === 'drain') drainNow.abort()
    stopped.resolve(mode)
  }
  const channel = openChannel(cluster.worker as Worker, {
    ...assignment,
    stop,
    ownLostLogLines: () => processLog().lost,
  })
  try {
    const { demoUpstreams, host, port, count, index } = assignment
    const catalogue = await openCatalogue({ paths, live, events, environment: process.env, demoUpstreams })
    const { inbound, threads, drainMs } = catalogue.config
    checkWorkers(catalogue, count)
    const keptRuns = openKeptRuns(catalogue.config, assignment)
    const shared = await openSharedState(catalogue.config, assignment.service, count)
    const build = (built: Catalogue, previous?: FastifyInstance) =>
      createServiceApp(
        built,
        {
          partition: assignment,
          shared: shared?.state,
          countRequest: shared === undefined ? channel.count : undefined,
          lostLogLines: channel.lostLogLines,
          metricsSource: channel.metrics.source,
          threads: partitionThreads(threads, assignment),
          pressure: partitionInbound(inbound, assignment).pressure,
        },
        { pid: process.pid, hostname: hostname(), worker: index + 1 },
        keptRuns,
        previous,
      )
    const app = await build(catalogue)
    const listener = serviceListenerOf(app)
    shared?.logTo(app.log)
    exitOnUncaughtErrors(app)
    const { metrics } = RuntimeMetrics.countersOf(runtimeOf(app))
    channel.metrics.collect = async () => {
      const ofProcess = await collectProcessMetrics()
      return [...(await metrics.collectInPieces()), ...ofProcess]
    }
    const watched = { partition: assignment, keptRuns }
    watchWorker(channel, { catalogue, app, ...watched })
    if (catalogue.reload !== undefined) {
      const reload = new WorkerReload({
        catalogue,
        reload: catalogue.reload,
        files: catalogue.files,
        listener,
        build: next => {
          checkWorkers(next, count)
          return build(next, listener.app)
        },
        onSwapped: (next, nextApp) => watchWorker(channel, { catalogue: next, app: nextApp, ...watched }),
      })
      reload.answer(channel.answers)
      listener.connections.definitions = () => reload.definitions
    }
    await listenAt({ host, port }, address => listener.listen(address))
    channel.listening((listener.server.address() as AddressInfo).port, drainMs)

    const mode = await stopped.promise
    app.log.info({ mode }, 'draining')
    setTimeout(() => process.exit(1), drainMs + keepAliveGraceMs + closeMsOf(catalogue.config)).unref()
    if (mode === 'replace') await closeAfterResponse(listener.server, drainNow.signal)
    await listener.close()
    await shared?.state.close()
    // The primary keeps the counts of a worker that has exited.
    channel.overview.end()
    await channel.metrics.sendSeries()
    await catalogue.close()
    await flushSpans?.()
    process.exit(0)
  } catch (error) {
    // The primary reports the error and kills this process, so no exit handler writes the output of the definitions.
    flushOutput()
    channel.failed(error)
  }
}
