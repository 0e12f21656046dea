import type { FailedCall, State } from './outcome.ts'
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

/** Returns the end of an item that has a value. */
export function arrivedItem(index: number, calls: number, isStale: boolean): EndedItem {
  return { index, calls, state: isStale ? 'stale' : 'ok', code: undefined, status: undefined }
}

/** Returns the end of an item that has failed. */
export function failedItem({ index, code, status }: FailedCall, calls: number): EndedItem {
  return { index, calls, state: 'failed', code, status }
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
  /** An item of an `each` has ended. It is called before the end of its step. */
  itemEnded(step: Step, item: EndedItem): void
  /** A page of `pages` has ended. It is called only with `onLoss: 'keep'`, if a snapshot may have the pages so far. */
  pageEnded(step: Step): void
  /**
   * A step has ended; `Run.outcomeOf` has its outcome. It is called for context() only if context() makes its first
   * call after it has ended. It is not called for steps that are cancelled.
   */
  stepEnded(step: Step): void
}

/** The part of a run that reports its progress. */
interface FollowedRun {
  readonly progress: RunProgress | undefined
  readonly isClosed: boolean
}

/** Returns the function that reports the ends of the items of a step; undefined if the run has no progress. */
export function itemListener(run: FollowedRun, step: Step): ((item: EndedItem) => void) | undefined {
  const { progress } = run
  if (progress === undefined) return undefined
  return item => {
    // An unsafe call may be answered after the run has failed.
    if (!run.isClosed) progress.itemEnded(step, item)
  }
}

/** The control of the snapshots of a run, for the stream that sends them. */
export interface SnapshotControl {
  /** A step, an item or a page has ended, so there may be a better snapshot. */
  changed(): void
  /** All bytes are sent, so a snapshot may be taken that had to wait for its reader. */
  resume(): void
  /** The run has ended, or its caller has gone. No snapshot follows. */
  end(): void
}
