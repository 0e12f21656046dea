import type { CallEvent } from '../upstream/call/events.ts'
import type { FailedCall, State } from './outcome.ts'

/**
 * An event of a run. `at` is in ms from the start of the run; `step` is the index of a step in the declaration, and -1
 * for context(), which has events if it makes a call or fails.
 */
export type RunEvent =
  | CallEvent
  | { readonly type: 'run started'; readonly at: number }
  | { readonly type: 'step started'; readonly at: number; readonly step: number }
  | {
      readonly type: 'step ended'
      readonly at: number
      readonly step: number
      readonly state: State
      /** The code of the failure because of which the step failed, has its fallback or has a stale value. */
      readonly code: string | undefined
      /** The results of the calls of an `each`, a `firstOf`, or a context() that makes several calls. */
      readonly tally: CallCounts | undefined
    }
  | { readonly type: 'run ended'; readonly at: number; readonly code: string | undefined }

/** An event of a step or of its calls. */
export type StepEvent = Exclude<RunEvent, { readonly type: 'run started' | 'run ended' }>

/** The results of the calls of one step. */
export interface CallCounts {
  /** The number of calls. */
  readonly calls: number
  /** The number of calls that succeeded. */
  readonly ok: number
  /** The calls that failed, by index. */
  readonly failed: readonly FailedCall[]
  /** The number of items that `overflow: 'truncate'` omitted; undefined for 0. */
  readonly omitted?: number
}
