import type { Outcome } from '../fanout/outcome.ts'

/**
 * The way in which a call of a batch ended. `partial` is an aggregate whose reply is not complete, and `notSent` a call
 * that was not made, because of a call that it needs.
 */
export type ResultState = 'ok' | 'stale' | 'partial' | 'failed' | 'notSent'

/** The fields of every result of a call. */
interface OfCall {
  /** The id of the call, which its caller chose. */
  readonly id: string
  /** The name of the operation, such as `catfact-ninja.fact`, or of the aggregate. */
  readonly operation: string
  /** The status of the reply of an aggregate, 200 for the answer of an operation, or the status of the problem. */
  readonly status: number
}

/** The part of a reply of an aggregate that is not its data, as far as callers see it. */
interface OfAggregate {
  readonly complete?: boolean
  readonly sources?: Readonly<Record<string, Outcome | { readonly state: string }>>
}

/** A call with an answer. */
export interface AnsweredResult extends OfCall, OfAggregate {
  readonly state: 'ok' | 'stale' | 'partial'
  readonly data: unknown
}

/** A call without an answer. */
export interface FailedResult extends OfCall {
  readonly state: 'failed' | 'notSent'
  /** The problem that callers see, with its status, code and detail (RFC 9457). */
  readonly problem: object
}

/** The result of one call of a batch. */
export type CallResult = AnsweredResult | FailedResult

/** The reply to a batch. */
export interface BatchReply {
  /** The results, in the order of the calls. */
  readonly results: readonly CallResult[]
  /** True if every result is `ok`. */
  readonly complete: boolean
  /** The longest `retry-after` of the problems, in seconds; absent if no problem has one. */
  readonly retryAfter?: number
}

/** A result as it is sent. The answer itself is not kept. */
export interface WrittenResult {
  /** The index of the call in its batch. */
  readonly index: number
  readonly id: string
  readonly operation: string
  readonly state: ResultState
  readonly status: number
  /** The code of the problem; undefined for an answer. */
  readonly code: string | undefined
  /** The `retry-after` of the problem, in seconds. */
  readonly retryAfter: number | undefined
  /** The `CallResult` as JSON. */
  readonly text: string
}

/** The reply to a batch as it is sent. */
export interface BatchAnswer {
  /** The `BatchReply` as JSON. */
  readonly text: string
  /** True if every result is `ok`. */
  readonly complete: boolean
  /** The longest `retry-after` of the problems, in seconds; undefined if no problem has one. */
  readonly retryAfter: number | undefined
}
