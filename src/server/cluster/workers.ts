import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { guardAccepts } from './accept-guard.ts'
import { keepAliveGraceMs } from './close-after-response.ts'
import { fewDescriptorsLog } from './few-descriptors.ts'
import type { MetricsSource } from '../../metrics/source.ts'
import { LostLogLines } from './lost-log-lines.ts'
import type { StopMode, WorkerAssignment } from './messages.ts'
import type { Collect } from './metrics-channel.ts'
import { rateCounter } from './rate-counter.ts'
import { createRedispatcher } from './redispatch.ts'
import { Replica } from './replica.ts'
import { rollingRestart } from './rolling-restart.ts'
import { RunningWorkers } from './running-workers.ts'
import { ServiceMetrics } from './service-metrics.ts'
import { killGraceMs, spawnWorker, type SpawnOptions } from './spawn-worker.ts'
import type { WorkerProcess } from './worker-process.ts'
import { WorkersOverview } from './workers-overview.ts'

export interface WorkersOptions
  extends Omit<WorkerAssignment, 'index' | 'mark' | 'service'>, Pick<SpawnOptions, 'omittedVariables' | 'closeMs'> {
  readonly log: FastifyBaseLogger
  /** The name of the service among its replicas. @default a new name */
  readonly service?: string
  /** Returns the number of log lines that the primary has lost. */
  readonly lostLogLines: () => number
  /** Returns the series of the primary. */
  readonly collectMetrics: Collect
  /** Called when no worker runs and none can be started. */
  readonly onGiveUp: () => void
}

/** The workers of a service, seen from the primary. */
export interface Workers {
  /** Starts all workers. If a worker cannot start, rejects after all workers have exited. */
  start(): Promise<void>
  /** Starts the workers of a service that serves already. Rejects if one cannot start. May be called again then. */
  startLate(): Promise<void>
  /**
   * Replaces one worker after the other, when all have started. A call during a restart starts another restart after
   * it, and resolves with false at once.
   *
   * @returns True if the last restart has replaced all workers.
   */
  restart(): Promise<boolean>
  /** Stops all workers; resolves with true if each exited with code 0. */
  stop(): Promise<boolean>
  /** Kills all workers. */
  kill(): void
  /** The number of log lines that the primary and all workers have lost. */
  readonly lostLogLines: number
  /** The metrics of the primary and all workers. */
  readonly metrics: MetricsSource
  /** The processes that have not exited. */
  readonly running: RunningWorkers
  /** The samples of all workers. */
  readonly overview: WorkersOverview
}

/** Returns the longest time that workers take to exit after their drain timeout, in ms. */
export function stopMsOf({ closeMs }: Pick<WorkersOptions, 'closeMs'>): number {
  return closeMs + killGraceMs + keepAliveGraceMs
}

/** Creates the workers of a service; `start` starts them. */
export function createWorkers({
  log,
  lostLogLines,
  collectMetrics,
  onGiveUp,
  closeMs,
  omittedVariables,
  count,
  host,
  port,
  demoUpstreams,
  heartbeatMs,
  service = randomUUID(),
}: WorkersOptions): Workers {
  const replicas = Array.from(
    { length: count },
    (_, index) => new Replica(index, { log, spawn, listening, isStopping: () => isStopping, onFailedStart }),
  )
  const stopping = new Set<WorkerProcess>()
  const lost = new LostLogLines(lostLogLines)
  const metrics = new ServiceMetrics(collectMetrics)
  const running = new RunningWorkers(count)
  const overview = new WorkersOverview(running)
  const countRequest = rateCounter()
  const trackWorker = createRedispatcher()
  /** The port at which the workers listen. It is known when the first worker listens. */
  let realPort = port
  /**
   * The port that a new worker requests. With port 0, `node:cluster` gives a new worker the same port as the other
   * workers while at least one of them listens. When none listens, it would give another port.
   */
  let requestedPort = port
  const started = Promise.withResolvers<void>()
  let isPrepared = false
  let isStopping = false
  let isRestarting = false
  let isRestartDue = false

  function spawn(index: number): WorkerProcess {
    if (replicas.every(({ current }) => current === undefined)) requestedPort = realPort
    const received = metrics.open()
    const worker = spawnWorker(
      { index, count, host, port: requestedPort, demoUpstreams, heartbeatMs, mark: randomUUID(), service },
      {
        closeMs,
        omittedVariables,
        count: countRequest,
        trackWorker,
        onSeries: chunk => received.apply(chunk),
        onOverview: message => overview.handle(worker, message),
        render: metrics.render,
        onSilent: workerPid =>
          log.error(
            { worker: index + 1, workerPid, heartbeatMs },
            'worker sent no heartbeat; killing and replacing it',
          ),
      },
    )
    lost.track(worker)
    metrics.track(worker, received)
    running.track(worker)
    overview.track(worker)
    return worker
  }

  async function listening(worker: WorkerProcess): Promise<void> {
    const workerPort = await worker.listening
    if (workerPort === realPort) return
    worker.kill()
    throw new Error(`worker listens on port ${workerPort} instead of ${realPort} because no other worker was running`)
  }

  function onFailedStart(): boolean {
    if (!replicas.every(({ hasFailed }) => hasFailed)) return false
    onGiveUp()
    return true
  }

  /** Resolves with true if the worker exited with code 0. */
  async function stopWorker(worker: WorkerProcess, mode: StopMode): Promise<boolean> {
    stopping.add(worker)
    const { code, signal } = await worker.stop(mode)
    // A restart and the end of the service may both stop the same worker.
    const isFirst = stopping.delete(worker)
    if (isFirst && code !== 0)
      log.error(
        { worker: worker.number, workerPid: worker.pid, code, signal },
        signal === 'SIGKILL' ? 'worker did not stop in time; killed' : 'worker failed while draining',
      )
    return code === 0
  }

  function prepare(): void {
    if (isPrepared) return
    isPrepared = true
    guardAccepts({ onFew: fewDescriptorsLog(log) })
    lost.startSending()
  }

  function kill(): void {
    isStopping = true
    for (const replica of replicas) {
      replica.cancelRestart()
      replica.current?.kill()
      replica.starting?.kill()
    }
    for (const worker of stopping) worker.kill()
  }

  return {
    async start() {
      prepare()
      const starting = replicas.map(replica => [replica, replica.start()] as const)
      try {
        for (const workerPort of await Promise.all(starting.map(([, worker]) => worker.listening)))
          realPort = workerPort
      } catch (error) {
        kill()
        await Promise.all(starting.map(([, { exited }]) => exited))
        throw error
      }
      for (const [replica, worker] of starting) replica.adopt(worker)
      started.resolve()
    },
    async startLate() {
      prepare()
      for (const replica of replicas) await replica.replace()
      started.resolve()
    },
    async restart() {
      isRestartDue = true
      if (isRestarting) return false
      isRestarting = true
      let isComplete = false
      await started.promise
      while (isRestartDue && !isStopping) {
        isRestartDue = false
        isComplete = await rollingRestart(replicas, {
          log,
          isStopping: () => isStopping,
          stopReplaced: worker => stopWorker(worker, 'replace'),
        })
      }
      isRestarting = false
      return isComplete
    },
    async stop() {
      isStopping = true
      for (const replica of replicas) {
        replica.cancelRestart()
        replica.starting?.kill()
      }
      const running = [...stopping, ...replicas.flatMap(({ current }) => current ?? [])]
      const results = await Promise.all(running.map(worker => stopWorker(worker, 'drain')))
      return !results.includes(false)
    },
    kill,
    get lostLogLines() {
      return lost.total
    },
    metrics: metrics.source,
    running,
    overview,
  }
}
