import type { RunOutcome } from './aggregate-metrics.ts'
import * as families from './families.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesTable } from './series-table.ts'
import { Slots } from './slots.ts'

/** The outcomes of a batch. A batch that starts never fails: its calls do. */
export const batchOutcomes = ['complete', 'partial', 'cancelled'] as const satisfies readonly RunOutcome[]

/** The states in which a call of a batch can end. */
export const batchCallStates = ['ok', 'stale', 'partial', 'failed', 'notSent'] as const

export type BatchOutcome = (typeof batchOutcomes)[number]
export type BatchCallState = (typeof batchCallStates)[number]

/** Counts the batches of one runtime, and their calls. */
export class BatchMetrics {
  readonly #batches: SeriesTable
  readonly #outcomes: Slots
  readonly #calls: SeriesTable
  readonly #states: Slots

  constructor(metrics: Metrics) {
    this.#batches = metrics.table(families.batches)
    this.#outcomes = new Slots(this.#batches, batchOutcomes, outcome => [outcome])
    this.#calls = metrics.table(families.batchCalls)
    this.#states = new Slots(this.#calls, batchCallStates, state => [state])
  }

  /** Counts a batch that has ended. */
  batchEnded(outcome: BatchOutcome): void {
    this.#batches.add(this.#outcomes.at(batchOutcomes.indexOf(outcome)), 1)
  }

  /** Counts a call of a batch that has ended. */
  callEnded(state: BatchCallState): void {
    this.#calls.add(this.#states.at(batchCallStates.indexOf(state)), 1)
  }
}
