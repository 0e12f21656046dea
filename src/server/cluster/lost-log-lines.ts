import type { WorkerProcess } from './worker-process.ts'

/** Time between two messages to the workers, in ms. */
const sendEvery = 1000

/** Adds up the log lines that the primary and its workers have lost. */
export class LostLogLines {
  readonly #ownLines: () => number
  readonly #running = new Set<WorkerProcess>()
  /** The number of lines that exited workers have lost. */
  #linesOfExited = 0

  /** @param ownLines - Returns the number of log lines that the primary has lost. */
  constructor(ownLines: () => number) {
    this.#ownLines = ownLines
  }

  /** Adds the lost lines of a worker to the sum. The lines of an exited worker stay in the sum. */
  track(worker: WorkerProcess): void {
    this.#running.add(worker)
    void worker.exited.then(() => {
      this.#running.delete(worker)
      this.#linesOfExited += worker.lostLogLines
    })
  }

  /** Starts sending the sum to every worker, since each worker may have to show it. */
  startSending(): void {
    setInterval(() => this.#send(), sendEvery).unref()
  }

  /** The number of lines that all processes have lost. */
  get total(): number {
    let lines = this.#ownLines() + this.#linesOfExited
    for (const worker of this.#running) lines += worker.lostLogLines
    return lines
  }

  #send(): void {
    const lines = this.total
    if (lines > 0) for (const worker of this.#running) worker.sendLostLogLines(lines)
  }
}
