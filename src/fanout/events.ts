import type { CallEvent } from '../upstream/call/events.ts'
import type { FailedCall, State } from './outcome.ts'

/** The run to which an event belongs. All events of one run have the same object. */
export interface EventRun {
  /** The id of the run, a random UUID. */
  readonly id: string
  /** The name of the aggregate. */
  readonly aggregate: string
  /** The method of the route of the aggregate. */
  readonly method: string
  /** The URL template of the route of the aggregate, for example `/v1/breeds/{breed}`. */
  readonly url: string
  /** The request id, which the header `x-request-id` of the reply has; `undefined` if the input has no such header. */
  readonly requestId: string | undefined
  /** The id of the trace of the run: 32 lower-case hex digits; `undefined` if the run belongs to no trace. */
  readonly traceId: string | undefined
}

/** An event of a step or of its calls, without its run. */
export type StepEvent =
  | CallEvent
  | { readonly type: 'step started'; readonly at: number; readonly step: number }
  | {
      readonly type: 'step ended'
      readonly at: number
      readonly step: number
      readonly state: State
      /** The code of the failure because of which the step failed, has its fallback or has a stale value. */
      readonly code: string | undefined
      /** The results of the calls of an `each`, a `firstOf`, or a step or context() that asks several calls. */
      readonly tally: CallCounts | undefined
    }

/** An event without its run. */
export type BareEvent =
  | StepEvent
  | { readonly type: 'run started'; readonly at: number }
  | {
      readonly type: 'run ended'
      readonly at: number
      /** The code of the problem, `CANCELLED` for a cancelled run; `undefined` for a reply. */
      readonly code: string | undefined
    }

interface OfRun {
  readonly run: EventRun
}

interface OfStep extends OfRun {
  /** The name of the step; `context` for context(). */
  readonly stepName: string
}

type Named<Event> = Event extends { readonly step: number } ? Event & OfStep : Event & OfRun

/**
 * An event of a run. `at` is in ms from the start of the run. `step` is the index of a step in the declaration, and -1
 * for context(), which has events if it makes a call or fails. `docs/events.md` has the order of the events.
 */
export type RunEvent = Named<BareEvent>

/** Receives the events of runs. */
export type OnEvent = (event: RunEvent) => void

/** The results of the calls of one step. */
export interface CallCounts {
  /** The number of calls. */
  readonly calls: number
  /** The number of calls that succeeded. */
  readonly ok: number
  /** The calls that failed, by index. */
  readonly failed: readonly FailedCall[]
  /**
   * The number of items or pages that `overflow: 'truncate'` omitted; `null` if further pages exist and their number is
   * not known; undefined for 0.
   */
  readonly omitted?: number | null
}
