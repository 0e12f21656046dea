import * as families from './families.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesTable } from './series-table.ts'

/** The results of an item of a bulk run. */
export const bulkResults = ['succeeded', 'partial', 'failed'] as const

/** The states of bulk runs that have not ended. */
export const bulkStates = ['running', 'paused'] as const

/** The ends of bulk runs. */
export const bulkEnds = ['completed', 'cancelled'] as const

/** Counts the bulk runs of one runtime, and their items. */
export class BulkMetrics {
  readonly #metrics: Metrics
  readonly #items: SeriesTable
  readonly #runs: SeriesTable
  readonly #ended: SeriesTable

  constructor(metrics: Metrics) {
    this.#metrics = metrics
    this.#items = metrics.table(families.bulkItems)
    this.#runs = metrics.table(families.bulkRuns)
    this.#ended = metrics.table(families.bulkRunsEnded)
  }

  /** Counts items whose results are stored. */
  itemsEnded(counts: Readonly<Record<(typeof bulkResults)[number], number>>): void {
    for (const result of bulkResults) if (counts[result] > 0) this.#items.add(this.#items.slot(result), counts[result])
  }

  /** Counts a run that this process has ended. */
  runEnded(state: (typeof bulkEnds)[number]): void {
    this.#ended.add(this.#ended.slot(state), 1)
  }

  /** Sets the number of runs that have not ended. */
  runsRead(counts: Readonly<Record<(typeof bulkStates)[number], number>>): void {
    for (const state of bulkStates) this.#runs.set(this.#runs.slot(state), counts[state])
  }

  /** Shows the failures of the store, also while there are none. A process without bulk runs does not call this. */
  storeOpened(): void {
    const table = this.#metrics.table(families.bulkStoreFaults)
    table.show(table.slot())
  }

  /** Counts a failure of the store after which the work pauses. */
  storeFailed(): void {
    const table = this.#metrics.table(families.bulkStoreFaults)
    table.add(table.slot(), 1)
  }

  /** Sets the availability of the queue. A process without a queue does not call this, and does not have the family. */
  queueChanged(isAvailable: boolean): void {
    const table = this.#metrics.table(families.bulkQueueAvailable)
    table.set(table.slot(), isAvailable ? 1 : 0)
  }
}
