import type { FastifyBaseLogger } from 'fastify'
import type { OpenCatalogue } from '../../definitions/catalogue.ts'
import { RemoteFiles } from '../../definitions/files-state.ts'
import { bulkWorkOf } from '../../http/bulk/app-bulk.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import { collectProcessMetrics } from '../../metrics/process-metrics.ts'
import type { Watched } from '../../overview/overview.ts'
import type { OwnOverview } from '../process/own-overview.ts'
import type { ServiceListener } from '../process/service-listener.ts'
import { closeMsOf } from '../process/shutdown.ts'
import type { OperatorView } from '../process/operator-view.ts'
import { closeAfterResponse } from './close-after-response.ts'
import { WorkersExplainer } from './explain-channel.ts'
import { WorkersRuns } from './kept-channel.ts'
import { LentSockets } from './lent-sockets.ts'
import { ownWorkerOptions } from './own-worker-options.ts'
import { workersSource } from './primary-overview.ts'
import { reloadWorkers } from './reload-workers.ts'
import { createWorkers, stopMsOf, type Workers } from './workers.ts'
import { WorkersReload } from './workers-reload.ts'

export interface SuccessorOptions {
  readonly catalogue: OpenCatalogue
  /** The files and folders of the definitions. */
  readonly paths: readonly string[]
  readonly listener: ServiceListener
  readonly log: FastifyBaseLogger
  /** The metrics of this process. Their counts stay in the metrics of the service. */
  readonly metrics: Metrics
  readonly overview: OwnOverview | undefined
  /** True if runs are kept. */
  readonly keepsRuns: boolean
  readonly maxReloads: number
  /** The name of the service among its replicas. */
  readonly service: string
  /** Called when all workers have loaded the files again, with the time at which that began. */
  readonly onRestarted: (since: number) => void
  /** Called when this process has answered its last request. */
  readonly onRetired: () => Promise<void>
}

/**
 * A worker that serves instead of this process, which becomes its primary. The listening socket stays in this process,
 * so that callers can connect at any time.
 */
export class Successor {
  readonly workers: Workers
  /** The sources of the routes of the operator while the worker serves. */
  readonly view: OperatorView
  /** Reloads the definitions of the worker. Returns the fields of the log line. */
  readonly reload: () => Promise<object>
  /** Replaces the worker. */
  readonly restart: () => Promise<void>
  /** The reloads of the worker. */
  readonly reloads: WorkersReload
  /** The longest time that the worker takes to exit after its drain timeout, in ms. */
  readonly stopMs: number
  readonly #files: RemoteFiles
  readonly #options: SuccessorOptions
  readonly #drainNow = new AbortController()
  #sockets: LentSockets | undefined
  #retired: Promise<void> | undefined

  constructor(options: SuccessorOptions) {
    const { catalogue, paths, listener, log, metrics, overview, keepsRuns, maxReloads, service, onRestarted } = options
    const { port } = listener.server.address() as { readonly port: number }
    this.#options = options
    this.stopMs = stopMsOf({ closeMs: closeMsOf(catalogue.config) })
    this.workers = createWorkers({
      ...ownWorkerOptions(catalogue, log),
      // With `PORT=0`, the configuration does not have it.
      port,
      collectMetrics: async () => [...(await metrics.collectInPieces()), ...(await collectProcessMetrics())],
      count: 1,
      service,
    })
    this.#files = new RemoteFiles(paths, catalogue.files())
    this.restart = async () => {
      const since = Date.now()
      if (await this.workers.restart()) onRestarted(since)
    }
    this.reloads = new WorkersReload({
      running: this.workers.running,
      nextWorker: () => this.workers.running.next(),
      log,
      restart: this.restart,
      onFiles: files => this.#files.follow(files),
      max: maxReloads,
    })
    this.reload = reloadWorkers(this.reloads, this.#files, overview?.live)
    const { workers } = this
    this.view = {
      explainer: new WorkersExplainer(workers.running),
      runs: keepsRuns ? new WorkersRuns(workers.running) : undefined,
      metrics: workers.metrics,
      lostLogLines: () => workers.lostLogLines,
      files: this.#files,
    }
  }

  /**
   * Starts the worker, which loads the definitions and then accepts all new connections. This process answers the
   * requests in flight. If the worker cannot start, rejects, and this process serves as before.
   *
   * @returns The fields of the log line.
   */
  async start(): Promise<object> {
    const { listener, log, overview } = this.#options
    const sockets = new LentSockets(listener.servers)
    this.#sockets = sockets
    try {
      await this.workers.startLate()
    } catch (error) {
      await sockets.takeBack()
      sockets.release()
      throw error
    }
    const loaded = await this.reloads.describe()
    if (overview !== undefined) this.#fill(overview, loaded?.watched)
    this.#retired = this.#retire().catch((error: unknown) => log.error(error))
    return loaded === undefined ? {} : { aggregates: loaded.aggregates, evaluated: loaded.evaluated }
  }

  /** Stops the worker, after the requests in flight. Resolves with true if it exited with code 0. */
  async stop(): Promise<boolean> {
    this.#drainNow.abort()
    this.#sockets?.release()
    const [isClean] = await Promise.all([this.workers.stop(), this.#retired])
    return isClean
  }

  /** Shows the samples of the worker. If it has not described its definitions, the names before them stay. */
  #fill(overview: OwnOverview, loaded: Watched | undefined): void {
    const { live } = overview
    if (loaded !== undefined) live.define(loaded)
    const watched = loaded ?? { upstreams: [], aggregates: [] }
    overview.handOver(workersSource(live, this.workers.overview, { watched, runs: this.view.runs }))
  }

  async #retire(): Promise<void> {
    const { listener, onRetired } = this.#options
    await bulkWorkOf(listener.app)?.stop()
    await Promise.all(listener.servers.map(server => closeAfterResponse(server, this.#drainNow.signal)))
    await listener.close()
    await onRetired()
  }
}
