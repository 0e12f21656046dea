import type { FastifyBaseLogger } from 'fastify'
import { backOff } from './back-off.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface ReplicaOptions {
  readonly log: FastifyBaseLogger
  /** Starts a worker of this index. */
  readonly spawn: (index: number) => WorkerProcess
  /** Resolves when the worker listens at the port of the service; rejects if it does not. */
  readonly listening: (worker: WorkerProcess) => Promise<void>
  /** True if the service stops: exits are expected, and no worker is started. */
  readonly isStopping: () => boolean
  /** Called after each failed start; returns true if the replica must not try again. */
  readonly onFailedStart: () => boolean
}

/** Time after which a worker counts as stable, in ms. An exit after this time does not count as an exit in a row. */
const stableMs = 30_000
/** Failed starts in a row after which a replica without a worker counts as failed. */
const maxFailedStarts = 5

/** A place for one worker of the service. A worker that exits unexpectedly is replaced after a pause. */
export class Replica {
  readonly index: number
  readonly #options: ReplicaOptions
  #current: WorkerProcess | undefined
  #starting: WorkerProcess | undefined
  #restart: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** The number of unexpected exits in a row. */
  #crashes = 0
  /** The number of starts in a row after which the worker did not listen. */
  #failedStarts = 0

  constructor(index: number, options: ReplicaOptions) {
    this.index = index
    this.#options = options
  }

  /** The worker that serves, or undefined. */
  get current(): WorkerProcess | undefined {
    return this.#current
  }

  /** The worker that was started and does not serve yet, or undefined. */
  get starting(): WorkerProcess | undefined {
    return this.#starting
  }

  /** True if no worker serves and several starts in a row have failed. */
  get hasFailed(): boolean {
    return this.#current === undefined && this.#failedStarts >= maxFailedStarts
  }

  /** Starts a worker. `adopt` makes it the current worker. */
  start(): WorkerProcess {
    const worker = this.#options.spawn(this.index)
    this.#starting = worker
    return worker
  }

  /** Makes a listening worker the current worker. */
  adopt(worker: WorkerProcess): void {
    const since = performance.now()
    this.#current = worker
    this.#starting = undefined
    this.#failedStarts = 0
    void worker.exited.then(({ code, signal }) => {
      if (this.#current !== worker) return
      this.#current = undefined
      if (this.#options.isStopping()) return
      const ms = performance.now() - since
      if (ms >= stableMs) this.#crashes = 0
      this.#options.log.error(
        { worker: this.index + 1, workerPid: worker.pid, code, signal, livedMs: Math.round(ms) },
        'worker exited unexpectedly; restarting',
      )
      if (this.#starting === undefined) this.restartLater()
    })
  }

  /** Starts a worker and adopts it when it listens. Resolves with the previous worker. */
  async replace(): Promise<WorkerProcess | undefined> {
    const worker = this.start()
    try {
      await this.#options.listening(worker)
    } catch (error) {
      this.#starting = undefined
      throw error
    }
    const previous = this.#current
    this.adopt(worker)
    return previous
  }

  /** Replaces the worker after a pause that grows with each unexpected exit. */
  restartLater(): void {
    this.#timer = setTimeout(() => {
      this.#restart = this.#restartNow()
    }, backOff(this.#crashes++))
  }

  /** Cancels the scheduled restart. */
  cancelRestart(): void {
    clearTimeout(this.#timer)
  }

  /** Cancels the restart that is due, after the one that is under way. */
  async finishRestart(): Promise<void> {
    this.cancelRestart()
    await this.#restart
    this.cancelRestart()
  }

  async #restartNow(): Promise<void> {
    const { log, isStopping, onFailedStart } = this.#options
    try {
      await this.replace()
    } catch (error) {
      if (isStopping()) return
      log.error({ worker: this.index + 1, ...reasonOf(error) }, 'worker failed to start')
      this.#failedStarts++
      if (!onFailedStart()) this.restartLater()
    }
  }
}

/** Returns the log fields of an error: a list of faults for those of definitions and configuration. */
export function reasonOf(error: unknown): object {
  const { name, message } = error as Error
  return name === 'DefinitionsError' || name === 'ConfigError' ? { faults: message.split('\n') } : { err: error }
}
