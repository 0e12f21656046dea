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

/** Hides the credentials that a caller sent with its request. */
export interface HiddenCredentials {
  /** Returns a text without the credentials. */
  hide(text: string): string
}

/** The request of a run. */
export interface FollowedRequest {
  /** The id of the run, a UUID. @default a random one */
  readonly id?: string | undefined
  readonly requestId: string | undefined
  readonly traceId: string | undefined
  readonly method: string
  /** The path and the query of the request. */
  readonly target: string
  /** The form of the stream that the caller reads. @default a plain reply */
  readonly stream?: string | undefined
  /** The credentials of the request. They are removed from its kept paths, and are not kept. @default none */
  readonly credentials?: HiddenCredentials | undefined
  /** The id of the run that this run is a part of. @default none */
  readonly parent?: string | undefined
}

/** A batch, whose calls are the steps of its run. */
export interface FollowedBatch {
  readonly name: string
  readonly route: { readonly url: string }
}

/** Follows the runs of a service. */
export interface RunKeeper {
  /** Returns the timeline of a run that starts now. */
  start(aggregate: AnyAggregate, request: FollowedRequest): RunTimeline
  /** Returns the timeline of a batch that starts now. */
  startBatch(
    batch: FollowedBatch,
    calls: readonly { readonly id: string; readonly needs: readonly string[] }[],
    request: FollowedRequest,
  ): RunTimeline
}
