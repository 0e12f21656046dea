/** The first event of a stream. A stream that was cut and is repeated begins with another one. */
export interface PlanEvent {
  readonly event: 'plan'
  /** The id of the run, a UUID. */
  readonly run: string
  /** The limit on the run, in ms from its start. */
  readonly deadline: number
  /** The steps of the run, in the order of their declaration; absent if the service shows no steps. */
  readonly steps?: readonly PlannedStep[]
  /** The calls of a batch, in the order of the request; absent in the stream of an aggregate. */
  readonly calls?: readonly PlannedCall[]
}

/** A call of a batch, as its plan shows it. */
export interface PlannedCall {
  readonly id: string
  /** The ids of the calls that end before this one starts. */
  readonly needs?: readonly string[]
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
  readonly outcome: SourceOutcome
}

/** The outcome of a step, as in `sources` of the reply. A service that shows states alone sends the state alone. */
export interface SourceOutcome {
  readonly state: 'ok' | 'stale' | 'partial' | 'fallback' | 'skipped' | 'failed' | 'cancelled'
  /** The start of the step, in ms from the start of the run. */
  readonly start?: number
  /** The duration of the step, in ms. */
  readonly ms?: number
  /** The number of attempts of its calls. */
  readonly attempts?: number
  /** The number of calls of a step with several calls. */
  readonly calls?: number
  /** The number of calls that succeeded. */
  readonly ok?: number
  /** The calls that failed, by index. */
  readonly failed?: readonly { readonly index: number; readonly code: string; readonly status?: number }[]
  /** The number of items or pages that were omitted; `null` if it is not known. */
  readonly omitted?: number | null
  /** The upstream's status, for a step with one call. */
  readonly status?: number
  /** The use of the cache. */
  readonly cache?: 'hit' | 'stale' | 'miss'
  /** The age of the cached answer, in seconds. */
  readonly age?: number
  /** The time for which the cached answer stays fresh, in seconds. */
  readonly ttl?: number
  /** The code of the failure because of which the step has no value of its own. */
  readonly code?: string
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

/** The result of one call of a batch. Results arrive in the order in which the calls end. */
export interface CallEvent {
  readonly event: 'call'
  /** The id of the call, from the request. */
  readonly id: string
  readonly operation: string
  readonly state: 'ok' | 'stale' | 'partial' | 'failed' | 'notSent'
  readonly status: number
  /** True if the reply of an aggregate is complete. */
  readonly complete?: boolean
  /** The outcomes of the steps of an aggregate, as far as the service shows them. */
  readonly sources?: Readonly<Record<string, SourceOutcome>>
  /** The answer; absent if the state is `failed` or `notSent`. */
  readonly data?: unknown
  /** The description of the failure; absent if there is an answer. */
  readonly problem?: ProblemBody
}

/** The body of the plain answer of an aggregate, unless the aggregate has `envelope: false`. */
export interface ReplyBody<D> {
  readonly data: D
  /** True if every step has its value or was skipped. */
  readonly complete: boolean
  /** The outcome of each step, by name; absent if the service shows no steps. */
  readonly sources?: Readonly<Record<string, SourceOutcome>>
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
 * @typeParam B The body of the reply.
 */
export type StreamEvent<D = unknown, B = ReplyBody<D>> =
  PlanEvent | SourceEvent | ItemEvent | SnapshotEvent<D> | CallEvent | ReplyEvent<B> | ProblemEvent

/**
 * An event that `openStream` yields. It throws a `StreamProblem` in place of the event `problem`.
 *
 * @typeParam D The data of the reply, which snapshots have.
 * @typeParam B The body of the reply.
 */
export type ReceivedEvent<D = unknown, B = ReplyBody<D>> = Exclude<StreamEvent<D, B>, ProblemEvent>
