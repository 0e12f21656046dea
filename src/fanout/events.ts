import type { CallEvent } from '../upstream/call/events.ts'
import type { Loss, State } from './outcome-recorder.ts'

/**
 * Everything that happens in a run, in order; `at` is in ms from its start, `step` a step's place in the declaration.
 */
export type RunEvent =
  | CallEvent
  | { readonly type: 'step started'; readonly at: number; readonly step: number }
  | {
      readonly type: 'step ended'
      readonly at: number
      readonly step: number
      readonly state: State
      /** Why it has no value of its own. */
      readonly code: string | undefined
      /** How its calls came out, where it made several. */
      readonly tally: Tally | undefined
    }
  | { readonly type: 'run ended'; readonly at: number; readonly code: string | undefined }

/** How the calls of one step came out. */
export interface Tally {
  readonly calls: number
  readonly ok: number
  readonly failed: readonly Loss[]
}
