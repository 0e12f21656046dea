import type { BulkRun } from './bulk-run.ts'
import type { ResultCounts } from './result-chunk.ts'

/** Follows the runs of an executor, for a log and for metrics. */
export interface BulkListener {
  /** Called with the results of items when they are stored. */
  itemsEnded(counts: ResultCounts): void
  /** Called when this process begins to work on a run. */
  runStarted(run: BulkRun): void
  /** Called when this process has stored or found the last results of a run. */
  runCompleted(run: BulkRun, counts: ResultCounts): void
  /** Called once per run that waits for an aggregate, because this process does not offer it for bulk runs. */
  aggregateMissing(run: BulkRun): void
  /** Called when the store has failed. The work goes on after a pause, in ms. */
  storeFailed(error: unknown, pauseMs: number): void
  /** Called with the number of runs that have not ended, each time that they were read. */
  runsRead(counts: { readonly running: number; readonly paused: number }): void
}
