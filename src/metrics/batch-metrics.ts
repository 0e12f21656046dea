import { runOutcomes, type RunOutcome } from './aggregate-metrics.ts'
import * as families from './families.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesTable } from './series-table.ts'
import { Slots } from './slots.ts'

/** The states in which a call of a batch can end. */
export const batchCallStates = ['ok', 'stale', 'partial', 'failed', 'notSent'] as const

export type BatchCallState = (typeof batchCallStates)[number]

/** Counts the batches of one runtime, and their calls. */
export class BatchMetrics {
  readonly #batches: SeriesTable
  readonly #outcomes: Slots
  readonly #calls: SeriesTable
  readonly #states: Slots

  constructor(metrics: Metrics) {
    this.#batches = metrics.table(families.batches)
    this.#outcomes = new Slots(this.#batches, runOutcomes, outcome => [outcome])
    this.#calls = metrics.table(families.batchCalls)
    this.#states = new Slots(this.#calls, batchCallStates, state => [state])
  }

  /**
   * Counts a batch that has ended.
   *
   * @param results The number of its results by state.
   */
  batchEnded(outcome: RunOutcome, results: Readonly<Record<BatchCallState, number>>): void {
    this.#batches.add(this.#outcomes.at(runOutcomes.indexOf(outcome)), 1)
    for (const [index, state] of batchCallStates.entries())
      if (results[state] > 0) this.#calls.add(this.#states.at(index), results[state])
  }
}
