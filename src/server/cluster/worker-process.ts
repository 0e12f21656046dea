import type { StopMode, Topic } from './messages.ts'
import type { WorkerState } from './worker-state.ts'

/** The exit of a worker. */
export interface WorkerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One worker process, seen from the primary. */
export interface WorkerProcess {
  /** The number of the worker, from 1 to the number of workers. */
  readonly number: number
  readonly pid: number | undefined
  /**
   * Resolves with the port when the worker listens. Rejects if the worker cannot listen, or exits before it listens.
   */
  readonly listening: Promise<number>
  readonly exited: Promise<WorkerExit>
  readonly state: Pick<WorkerState, 'isListening' | 'shown'>
  /** Stops the worker, and kills it if it does not exit in time. */
  stop(mode: StopMode): Promise<WorkerExit>
  kill(): void
  /** The number of log lines that the worker has lost. */
  readonly lostLogLines: number
  /** Sends the worker the number of log lines that all processes have lost. */
  sendLostLogLines(lines: number): void
  /** Asks the worker for its series (`SeriesRequest`). */
  collectMetrics(): Promise<boolean>
  /** Asks the worker for a text (`Questions`). */
  ask(topic: Topic, text: string): Promise<string | undefined>
  /** Asks the worker for samples every `every` ms from now on, and for the rows of its kept runs if `rows` is true. */
  watch(watch: { readonly every: number; readonly rows: boolean }): void
}
