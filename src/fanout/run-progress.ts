import type { State } from './outcome.ts'
import type { Step } from './step.ts'

/** An item of a step with a list of calls that has ended: a call, or a chain. */
export interface EndedItem {
  /** The index of the item in the list. */
  readonly index: number
  /** The length of the list. */
  readonly calls: number
  readonly state: Extract<State, 'ok' | 'stale' | 'failed'>
  /** The code of the failure; undefined unless the item failed. */
  readonly code: string | undefined
  /** The status of the upstream's response, if the item failed with one. */
  readonly status: number | undefined
}

/**
 * Follows the progress of one run. Its functions run synchronously within the run, must not throw, and may cancel the
 * run. None of them is called after the run has failed or has settled.
 */
export interface RunProgress {
  /**
   * The input is read and context() has ended, and no step has started. `Run.outcomeOf` has the outcome of context() if
   * context() made a call.
   */
  planned(): void
  /** An item has ended. It is called before the end of its step. */
  itemEnded(step: Step, item: EndedItem): void
  /**
   * A step has ended; `Run.outcomeOf` has its outcome. It is called for context() only if context() makes its first
   * call after it has ended. It is not called for steps that are cancelled.
   */
  stepEnded(step: Step): void
}

/** The control of the snapshots of a run, for the stream that sends them. */
export interface SnapshotControl {
  /** A step or an item has ended, so there may be a better snapshot. */
  changed(): void
  /** All bytes are sent, so a snapshot may be made that had to wait for its reader. */
  resume(): void
  /** The run has ended, or its caller has gone. No snapshot follows. */
  end(): void
}
