import type { BreakerChange, Runs, WorkerSample } from '../../dashboard/protocol.ts'
import type { ProcessSample } from '../../overview/process-sample.ts'
import { RunRows } from '../../overview/run-rows.ts'
import { SampleJoin } from '../../overview/sample-join.ts'
import { lastMessagesRead } from './last-messages.ts'
import type { OverviewMessage } from './messages.ts'
import type { RunningWorkers } from './running-workers.ts'
import type { WorkerProcess } from './worker-process.ts'

/** The messages that the primary asks its workers for. */
interface Watch {
  /** The time between two samples of a worker, in ms. */
  readonly every: number
  /** True if the workers send the rows of their kept runs. */
  readonly rows: boolean
}

/** The samples of all workers, joined to those of one process. */
export class WorkersOverview {
  /** Called at once for each change of a circuit breaker of a worker. */
  onBreakerChange: (change: BreakerChange) => void = () => {}
  /** Called with the answer to the question `names` of each worker that begins to serve. */
  onNames: (answer: string) => void = () => {}
  readonly #running: RunningWorkers
  readonly #join = new SampleJoin<WorkerProcess>()
  readonly #rows = new RunRows()
  #watch: Watch | undefined

  constructor(running: RunningWorkers) {
    this.#running = running
  }

  /** Adds a worker. Its counts stay after its exit, and its present values go. */
  track(worker: WorkerProcess): void {
    worker.listening.then(
      async () => {
        if (this.#watch === undefined) return
        worker.watch(this.#watch)
        const names = await worker.ask('names', '')
        if (names !== undefined) this.onNames(names)
      },
      () => {},
    )
    void worker.exited.then(async () => {
      await lastMessagesRead()
      this.#join.delete(worker)
    })
  }

  /** Asks all workers, also those that start later. */
  watch(watch: Watch): void {
    this.#watch = watch
    for (const worker of this.#running) if (worker.state.isListening) worker.watch(watch)
  }

  /** Adds a message of a worker. */
  handle(worker: WorkerProcess, message: OverviewMessage): void {
    switch (message.kind) {
      case 'sample':
        return this.#join.add(worker, message.sample)
      case 'kept':
        return this.#rows.addAll(message)
      case 'breaker':
        return this.onBreakerChange(message.change)
    }
  }

  /** Returns what all workers have counted since the last call, and their present values. */
  take(): ProcessSample {
    return this.#join.take()
  }

  /** Returns the rows of the runs that were kept since the last call; `undefined` without a run. */
  takeRows(): Runs | undefined {
    return this.#rows.take()
  }

  /** Returns the state of each worker. */
  states(): WorkerSample[] {
    return this.#running.states()
  }
}
