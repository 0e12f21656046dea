import type { RunOutcome } from '../metrics/aggregate-metrics.ts'
import type { Call } from '../upstream/call/call.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { StepEvent } from './events.ts'
import type { Outcome } from './outcome.ts'

/** The end of a run. */
export interface RunEnd {
  readonly state: RunOutcome
  /** The time of the end, in ms from the start of the run. */
  readonly at: number
  /** The status of the reply or of the problem; `undefined` for a cancelled run. */
  readonly status: number | undefined
  /** The code of the problem, `CANCELLED` for a cancelled run; `undefined` for a reply. */
  readonly code: string | undefined
  /** The reason with which the run was cancelled; `undefined` for any other end. */
  readonly cancelledBy: unknown
}

/** A run that has ended. */
export interface EndedRun {
  /** The deadline of the run, in ms. */
  readonly deadline: number
  /** The outcomes of the steps, by name; undefined for a batch, whose calls have no outcomes. */
  readonly outcomes?: Readonly<Record<string, Outcome>>
}

/**
 * Follows one run for its operator: times and codes, no payload. Its functions run synchronously within the run, must
 * not throw, and must not keep the objects that they receive.
 */
export interface RunTimeline {
  /** The id of the run, a UUID. */
  readonly id: string
  /**
   * A call is sent through the layers of its upstream. It is called before all events of the call.
   *
   * @param at The time in ms from the start of the run.
   */
  callSent(step: number, call: number, sent: Pick<Call<unknown>, 'spec' | 'path'>, at: number): void
  /** An event of a step or of a call, before any listener receives it. */
  event(event: StepEvent): void
  /** The run has ended. Nothing follows. */
  ended(end: RunEnd, run: EndedRun): void
  /** Returns the timeline of a run that is a part of this run; `undefined` if it is not followed. */
  part(aggregate: AnyAggregate): RunTimeline | undefined
}
