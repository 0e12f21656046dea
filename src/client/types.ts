/** The first event of a stream. */
export interface PlanEvent {
  readonly event: 'plan'
  /** The id of the run, a UUID. */
  readonly run: string
  /** The limit on the run, in ms from its start. */
  readonly deadline: number
  /** The steps of the run, in the order of their declaration; absent if the service shows no steps. */
  readonly steps?: readonly PlannedStep[]
}

/** A step of a run, as its plan shows it. A service that shows states alone sends the name alone. */
export interface PlannedStep {
  readonly name: string
  readonly kind?: string
  /** The names of the steps whose values this step needs. */
  readonly needs?: readonly string[]
}

/** The end of one step. */
export interface SourceEvent {
  readonly event: 'source'
  /** The name of the step; `context` for the `context` hook. */
  readonly name: string
  /** The entry of the step in `sources` of the reply. */
  readonly outcome: { readonly state: string; readonly [field: string]: unknown }
}

/** The end of one item of a step that has a list of calls. */
export interface ItemEvent {
  readonly event: 'item'
  /** The name of the step. */
  readonly name: string
  /** The index of the item in the list. */
  readonly index: number
  /** The length of the list. */
  readonly calls: number
  readonly state: 'ok' | 'stale' | 'failed'
  /** The code of the failure. */
  readonly code?: string
  /** The status of the upstream's response, if the item failed with one. */
  readonly status?: number
}

/** The data of the reply as far as it is known. */
export interface SnapshotEvent<D> {
  readonly event: 'snapshot'
  readonly data: D
  readonly complete: false
  /** The names of the steps that have not ended; absent if the service shows no steps. */
  readonly pending?: readonly string[]
}

/** The last event of a run that did not fail. Its body is that of the plain answer. */
export interface ReplyEvent<B> {
  readonly event: 'reply'
  readonly status: number
  /** The headers of the plain answer, by lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** The body of the plain answer; `null` for a status without a body. */
  readonly body: B
}

/** The last event of a run that failed. Its body is that of the plain answer (RFC 9457). */
export interface ProblemEvent {
  readonly event: 'problem'
  readonly status: number
  /** The headers of the plain answer, by lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: ProblemBody
}

/** The description of a failure (RFC 9457). */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly [member: string]: unknown
}

/**
 * An event of a stream. The last event is `reply` or `problem`; a stream without it was cut.
 *
 * @typeParam D The data of the reply, which snapshots have.
 * @typeParam B The body of the reply. Unless the aggregate has `envelope: false`, it is an object with the data.
 */
export type StreamEvent<D, B = unknown> =
  PlanEvent | SourceEvent | ItemEvent | SnapshotEvent<D> | ReplyEvent<B> | ProblemEvent
