import cluster, { type Worker } from 'node:cluster'
import { hostname } from 'node:os'
import type { AddressInfo } from 'node:net'
import { openCatalogue, type CatalogueOptions } from '../../definitions/catalogue.ts'
import { processLog } from '../../log/process-log.ts'
import { listenAt } from '../process/listen.ts'
import { createServiceApp } from '../process/service-app.ts'
import { closeMs, exitOnUncaughtErrors } from '../process/shutdown.ts'
import { openChannel } from './channel.ts'
import { closeAfterResponse, keepAliveGraceMs } from './close-after-response.ts'
import { assignmentVariable, type StopMode, type WorkerAssignment } from './messages.ts'
import { checkWorkers, partitionInbound, partitionThreads } from './plan-workers.ts'

export interface ServeAssignedOptions extends Pick<CatalogueOptions, 'paths' | 'live' | 'events'> {
  /** Writes the remaining output for stdout and stderr. */
  readonly flushOutput: () => void
}

/** Serves as one worker, with its partition of the limits, until the primary stops it or exits. */
export async function serveAssigned(
  assignment: WorkerAssignment,
  { paths, live, events, flushOutput }: ServeAssignedOptions,
): Promise<void> {
  // Definitions must not see the mark of the channel.
  delete process.env[assignmentVariable]
  // A terminal and a service manager send signals to all processes at once. Only the primary acts on them.
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const) process.on(signal, () => {})

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
    const app = await createServiceApp(
      catalogue,
      {
        partition: assignment,
        countRequest: channel.count,
        lostLogLines: channel.lostLogLines,
        threads: partitionThreads(threads, assignment),
        ...partitionInbound(inbound, assignment),
      },
      { pid: process.pid, hostname: hostname(), worker: index + 1 },
    )
    exitOnUncaughtErrors(app)
    await listenAt({ host, port }, address => app.listen(address))
    channel.listening((app.server.address() as AddressInfo).port, drainMs)

    const mode = await stopped.promise
    app.log.info({ mode }, 'draining')
    setTimeout(() => process.exit(1), drainMs + keepAliveGraceMs + closeMs).unref()
    if (mode === 'replace') await closeAfterResponse(app.server, drainNow.signal)
    await app.close()
    await catalogue.close()
    process.exit(0)
  } catch (error) {
    // The primary reports the error and kills this process, so no exit handler writes the output of the definitions.
    flushOutput()
    channel.failed(error)
  }
}
