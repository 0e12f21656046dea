import type { WorkerSample } from '../../dashboard/protocol.ts'
import type { Topic } from './messages.ts'
import type { WorkerProcess } from './worker-process.ts'

/** A question to one worker. */
export interface AskedWorker {
  /** The number of the worker. */
  readonly worker: number
  /** The answer; undefined if the worker gives none in time. */
  readonly answer: Promise<string | undefined>
}

/** The worker processes that have not exited, including those that start and those that drain. */
export class RunningWorkers {
  readonly #count: number
  readonly #workers = new Set<WorkerProcess>()
  #tracked = Promise.withResolvers<void>()

  /** @param count The number of workers of the service. */
  constructor(count: number) {
    this.#count = count
  }

  /** Adds a worker until it has exited. */
  track(worker: WorkerProcess): void {
    this.#workers.add(worker)
    this.#tracked.resolve()
    this.#tracked = Promise.withResolvers()
    void worker.exited.then(() => this.#workers.delete(worker))
  }

  /** Resolves when the next worker is added. */
  next(): Promise<void> {
    return this.#tracked.promise
  }

  /** Asks all workers that listen. A worker that starts is not asked, because it has nothing to tell. */
  ask(topic: Topic, text: string): AskedWorker[] {
    return Array.from(this.#workers)
      .filter(({ state }) => state.isListening)
      .map(worker => ({ worker: worker.number, answer: worker.ask(topic, text) }))
  }

  /** Asks one worker that serves: the first, unless it hangs and another runs. Without one, none is asked. */
  askOne(topic: Topic, text: string): AskedWorker | undefined {
    const rank = ({ number, state: { shown } }: WorkerProcess) => (shown === 'running' ? number : number + this.#count)
    const serving = Array.from(this.#workers).filter(({ state }) => state.isListening && state.shown !== 'stopping')
    const first = serving.toSorted((one, other) => rank(one) - rank(other))[0]
    return first && { worker: first.number, answer: first.ask(topic, text) }
  }

  /**
   * Returns the state of each worker in the order of their numbers. During a restart a number has two entries: the new
   * worker, and the previous one, which serves or stops. A worker that has exited is starting again.
   */
  states(): WorkerSample[] {
    const known = Array.from(this.#workers, ({ number, state }): WorkerSample => ({
      worker: number,
      state: state.shown,
    }))
    const numbers = new Set(known.map(({ worker }) => worker))
    for (let worker = 1; worker <= this.#count; worker++)
      if (!numbers.has(worker)) known.push({ worker, state: 'starting' })
    return known.toSorted((one, other) => one.worker - other.worker)
  }

  [Symbol.iterator](): Iterator<WorkerProcess> {
    return this.#workers.values()
  }
}
