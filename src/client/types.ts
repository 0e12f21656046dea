/** The first event of a stream. A stream that was cut and is repeated begins with another one. */
export interface PlanEvent {
  /** The name of the event. */
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
  /** The id of the call, from the request. */
  readonly id: string
  /** The ids of the calls that end before this one starts. */
  readonly needs?: readonly string[]
}

/** A step of a run, as its plan shows it. A service that shows states alone sends the name alone. */
export interface PlannedStep {
  /** The name of the step. */
  readonly name: string
  /** The kind of the step, such as `each`. */
  readonly kind?: string
  /** The names of the steps whose values this step needs. */
  readonly needs?: readonly string[]
}

/** The end of one step. */
export interface SourceEvent {
  /** The name of the event. */
  readonly event: 'source'
  /** The name of the step; `context` for the `context` hook. */
  readonly name: string
  /** The entry of the step in `sources` of the reply. */
  readonly outcome: SourceOutcome
}

/** The outcome of a step, as in `sources` of the reply. A service that shows states alone sends the state alone. */
export interface SourceOutcome {
  /** The state in which the step ended. */
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
  /** The rehearsed fault that acted on the step. */
  readonly fault?: string
}

/** The end of one item of a step that has a list of calls. */
export interface ItemEvent {
  /** The name of the event. */
  readonly event: 'item'
  /** The name of the step. */
  readonly name: string
  /** The index of the item in the list. */
  readonly index: number
  /** The length of the list. */
  readonly calls: number
  /** The state in which the item ended. */
  readonly state: 'ok' | 'stale' | 'failed'
  /** The code of the failure. */
  readonly code?: string
  /** The status of the upstream's response, if the item failed with one. */
  readonly status?: number
}

/** The data of the reply as far as it is known. */
export interface SnapshotEvent<D> {
  /** The name of the event. */
  readonly event: 'snapshot'
  /** The data, which fits the schema of the reply. */
  readonly data: D
  /** A snapshot is never complete. */
  readonly complete: false
  /** The names of the steps that have not ended; absent if the service shows no steps. */
  readonly pending?: readonly string[]
}

/** The result of one call of a batch. Results arrive in the order in which the calls end. */
export interface CallEvent {
  /** The name of the event. */
  readonly event: 'call'
  /** The id of the call, from the request. */
  readonly id: string
  /** The name of the operation or of the aggregate, from the request. */
  readonly operation: string
  /** The state in which the call ended. */
  readonly state: 'ok' | 'stale' | 'partial' | 'failed' | 'notSent'
  /** The status of the answer or of the problem. */
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
  /** The data of the reply. */
  readonly data: D
  /** True if every step has its value or was skipped. */
  readonly complete: boolean
  /** The outcome of each step, by name; absent if the service shows no steps. */
  readonly sources?: Readonly<Record<string, SourceOutcome>>
}

/** The last event of a run that did not fail. Its body is that of the plain answer. */
export interface ReplyEvent<B> {
  /** The name of the event. */
  readonly event: 'reply'
  /** The status of the plain answer. */
  readonly status: number
  /** The headers of the plain answer, by lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** The body of the plain answer; `null` for a status without a body. */
  readonly body: B
}

/** The last event of a run that failed. Its body is that of the plain answer (RFC 9457). */
export interface ProblemEvent {
  /** The name of the event. */
  readonly event: 'problem'
  /** The status of the plain answer. */
  readonly status: number
  /** The headers of the plain answer, by lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** The body of the plain answer (RFC 9457). */
  readonly body: ProblemBody
}

/** The description of a failure (RFC 9457). */
export interface ProblemBody {
  /** The URI of the kind of failure. */
  readonly type: string
  /** The kind of failure, in words. */
  readonly title: string
  /** The status of the answer. */
  readonly status: number
  /** A sentence about this failure. */
  readonly detail: string
  /** The stable name of the kind of failure. */
  readonly code: string
  /** Other members, such as `errors` of an invalid input. */
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
