import type { WorkerProcess } from './spawn-worker.ts'

/** Time between two messages to the workers, in ms. */
const sendEvery = 1000

/** Adds up the log lines that the primary and its workers have lost. */
export class LostLogLines {
  readonly #ownLines: () => number
  readonly #running = new Set<WorkerProcess>()
  /** Lines that exited workers had lost. */
  #linesOfExited = 0

  /** @param ownLines - Returns the number of log lines that the primary has lost. */
  constructor(ownLines: () => number) {
    this.#ownLines = ownLines
  }

  /** Counts the lines of a worker until it exits, and keeps their number after that. */
  track(worker: WorkerProcess): void {
    this.#running.add(worker)
    void worker.exited.then(() => {
      this.#running.delete(worker)
      this.#linesOfExited += worker.lostLogLines
    })
  }

  /** Sends the sum to every worker from now on, since each of them may have to show it. */
  startSending(): void {
    setInterval(() => this.#send(), sendEvery).unref()
  }

  #send(): void {
    let lines = this.#ownLines() + this.#linesOfExited
    for (const worker of this.#running) lines += worker.lostLogLines
    if (lines > 0) for (const worker of this.#running) worker.sendLostLogLines(lines)
  }
}
