/**
 * An ended run, as the operator reads it: its steps, calls, attempts and waits. All times are in ms from the start of
 * the run. It has no payload: no body, no header value, no value of a step, no text of an error.
 */
export interface KeptRun extends RunRow {
  /** The method of the request. */
  readonly method: string
  /** The path and the query of the request, without secrets, cut after 512 characters. */
  readonly target: string
  /** The deadline of the run, in ms. */
  readonly deadline: number
  /** The kind of stream that the caller read; `null` for a plain reply. */
  readonly stream: string | null
  /** The id of the run that this run is a part of, for a call of a batch; otherwise `null`. */
  readonly parent: string | null
  /** At most three sentences: the calls that took or lost most, and what they waited for. */
  readonly why: readonly string[]
  readonly steps: readonly KeptStep[]
  /** The calls, and the attempts, waits and marks of the other calls, that are above the limit of one kept run. */
  readonly omitted: { readonly calls: number; readonly entries: number }
}

/** The state in which a run ended. */
export type RunState = 'complete' | 'partial' | 'failed' | 'cancelled'

/** A kept run in one row of a list. */
export interface RunRow {
  /** The id of the run, a random UUID. */
  readonly id: string
  /** The request id of the caller, which the reply has in `x-request-id`; `null` without one. */
  readonly requestId: string | null
  /** The id of the trace; `null` without one. */
  readonly traceId: string | null
  /** The number of the worker; `null` in a service of one process. */
  readonly worker: number | null
  /** The name of the aggregate. */
  readonly aggregate: string
  /** The start of the run, an ISO date. */
  readonly at: string
  /** The duration of the run, in ms. */
  readonly ms: number
  readonly state: RunState
  /** The status of the reply; `null` if the caller left before it. */
  readonly status: number | null
  /** The code of the problem; `null` for a reply that is not a problem. */
  readonly code: string | null
  /** `true` for a complete run that is one of the slowest of its aggregate, or that used half of its deadline. */
  readonly isSlow: boolean
  /** The caller at the end of the run: it waited for the reply, it left, or the service cut it off. */
  readonly caller: 'waited' | 'left' | 'cut'
  /** The names of the upstreams that the run called. */
  readonly upstreams: readonly string[]
  /** The steps that were lost, with their code. */
  readonly lost: readonly { readonly step: string; readonly code: string }[]
}

/** The class of a kept run. Runs of a class with free room stay longer. */
export type RunClass = 'failed' | 'partial' | 'slow' | 'cancelled' | 'complete'

/** A list of kept runs, the newest first: the reply of `GET /requests`. */
export interface RunList {
  readonly runs: readonly RunRow[]
  /** The value of `before` for the next older runs; `null` if the list has the last ones. */
  readonly next: string | null
  /** The number of kept runs, by class. */
  readonly kept: Readonly<Record<RunClass, number>>
  /** The start of the oldest kept run, an ISO date, by class; `null` without one. */
  readonly oldest: Readonly<Record<RunClass, string | null>>
  /** The workers that did not answer. Their runs are not in the list. */
  readonly incomplete: readonly number[]
}

/** A step of a kept run; the step `context` is context(). */
export interface KeptStep {
  readonly name: string
  /** The kind of the step, such as `required`, `optional` or `each`. */
  readonly kind: string
  /** The names of the steps whose values the step takes. */
  readonly needs: readonly string[]
  /** The entry of the step in `sources`, without the keys that the waterfall does not show. */
  readonly outcome: KeptOutcome
  readonly calls: readonly KeptCall[]
}

export interface KeptOutcome {
  readonly state: string
  /** The start of the step; `null` if it did not start. */
  readonly start: number | null
  /** The duration of the step, in ms. */
  readonly ms: number
  readonly attempts: number
  readonly code: string | null
  /** The rehearsed fault, such as `delay:500`; `null` without one. */
  readonly fault: string | null
}

export interface KeptCall {
  /** The number of the call in its step. */
  readonly call: number
  /** The operation with its upstream, for example `meowfacts.facts`. */
  readonly operation: string
  readonly method: string
  /** The path and the query, without secrets, cut after 512 characters. */
  readonly path: string
  readonly start: number
  /** The end of the call; `null` if the run ended first. */
  readonly end: number | null
  /** The status of the answer; `null` without an answer. */
  readonly status: number | null
  /** The code of the failure; `null` if the call succeeded. */
  readonly code: string | null
  /** The use of the cache; `null` for an operation without a cache. */
  readonly cache: 'hit' | 'stale' | 'miss' | null
  readonly waits: readonly KeptWait[]
  readonly attempts: readonly KeptAttempt[]
  readonly marks: readonly KeptMark[]
}

/**
 * The reason of a wait: a permit of the upstream, a token of its authorization, the pause before a retry, an equal
 * call that was sent before (`shared`), or the request of a batch of keys (`keys`).
 */
export type WaitReason = 'permit' | 'token' | 'retry' | 'shared' | 'keys'

/** A time in which a call waited. */
export interface KeptWait {
  readonly reason: WaitReason
  readonly start: number
  readonly end: number
}

/** One request to the upstream. */
export interface KeptAttempt {
  /** The number of the attempt, from 1. */
  readonly number: number
  readonly kind: 'first' | 'retry' | 'hedge'
  readonly start: number
  /** The end of the attempt; `null` if the run ended first. */
  readonly end: number | null
  readonly status: number | null
  /** The code of the failure, `CANCELLED` for the loser of a hedge; `null` for an answer. */
  readonly code: string | null
}

/** Something that was not done, at one moment: a retry or a hedge that was not sent, or a call that was refused. */
export interface KeptMark {
  readonly at: number
  readonly what: 'retry not sent' | 'hedge not sent' | 'call refused'
  readonly reason: 'budget' | 'deadline' | 'retry-after' | 'permit' | 'breaker'
}
