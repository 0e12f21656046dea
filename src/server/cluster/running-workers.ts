import type { Topic } from './messages.ts'
import type { WorkerProcess } from './spawn-worker.ts'

/** A question to one worker. */
export interface AskedWorker {
  /** The number of the worker. */
  readonly worker: number
  /** The answer; undefined if the worker gives none in time. */
  readonly answer: Promise<string | undefined>
}

/** The worker processes that have not exited, including those that start and those that drain. */
export class RunningWorkers {
  readonly #workers = new Set<WorkerProcess>()

  /** Adds a worker until it has exited. */
  track(worker: WorkerProcess): void {
    this.#workers.add(worker)
    void worker.exited.then(() => this.#workers.delete(worker))
  }

  /** Asks all workers that listen. A worker that starts is not asked, because it has nothing to tell. */
  ask(topic: Topic, text: string): AskedWorker[] {
    return Array.from(this.#workers)
      .filter(({ isListening }) => isListening)
      .map(worker => ({ worker: worker.number, answer: worker.ask(topic, text) }))
  }

  [Symbol.iterator](): Iterator<WorkerProcess> {
    return this.#workers.values()
  }
}
