import type { OriginState } from '../upstream/origins/types.ts'

/** A limit, with the place where its value was set. */
export interface Limit {
  /** The option or the variable: `attemptTimeout`, `MAX_RUNS`. */
  readonly name: string
  /** The value; null for no limit. */
  readonly value: number | string | boolean | null
  /** The unit of the value. @default a number of what the name says */
  readonly unit?: 'ms' | 'bytes'
  /** `default`, `declared`, `override`, `caller`, or the name of the environment variable. */
  readonly from: string
  /** The value before it was divided or reduced. @default it was not reduced */
  readonly whole?: number
  /** The reason for which the value is smaller than `whole`: `1 of 4 workers`, `file descriptors`. */
  readonly reducedBy?: string
  /** A sentence about the effect of the limit on this aggregate. */
  readonly note?: string
}

/** A header of a request, without its value. */
export interface SentHeader {
  /** The name, in lower case. */
  readonly name: string
  /** The place of its declaration: `default`, `headers`, `auth`, `forwardHeaders`, `call`, `body` and others. */
  readonly from: string
}

/** The number of times that a call is sent: a number, or one for each item of a list that is not known. */
export type Times = number | { readonly perItemOf: string; readonly atMost: number }

/** The parts that make two calls equal. */
export interface CallKey {
  /** `cache`: answers are stored. `coalesce`: equal calls in flight share one answer. */
  readonly for: 'cache' | 'coalesce'
  /** The names of the parts, without values. */
  readonly parts: readonly string[]
}

/** One call of a step, as it would be sent. */
export interface ExplainedCall {
  /** The operation: `the-cat-api.searchBreeds`. */
  readonly operation: string
  readonly method: string
  /** The origin that is called, without a user and a password. */
  readonly origin: string
  /** The request target: the path and the query. A part in braces stands for a value that is not known. */
  readonly path: string
  readonly headers: readonly SentHeader[]
  /** The format of the body; null without one. */
  readonly body: string | null
  readonly times: Times
  /** Null if no call shares the answer of another. */
  readonly key: CallKey | null
  readonly notes: readonly string[]
  /** The later calls of a chain. */
  readonly later?: readonly ExplainedCall[]
}

/** One step of an aggregate. */
export interface ExplainedStep {
  readonly name: string
  /** `required`, `optional`, `each`, `firstOf`, `pages`, or `context` for context(). */
  readonly kind: string
  /** The steps whose values it needs. */
  readonly after: readonly string[]
  readonly limits: readonly Limit[]
  readonly calls: readonly ExplainedCall[]
  /** The number of further calls that are not listed. */
  readonly omittedCalls: number
  readonly notes: readonly string[]
}

/** One entry of the origins of an upstream. */
export interface ExplainedOrigin {
  /** The origin with its base path, without a user and a password. */
  readonly origin: string
  readonly weight: number
  /** True if each A and AAAA record of the host is an origin. */
  readonly addresses: boolean
  /** The name of the SRV records that are the origins. @default none */
  readonly srv?: string
  /** `declared`, `override`, or the name of the environment variable. */
  readonly from: string
}

/** The present state of one origin. */
export interface OriginNow {
  /** The host and port that are dialled. */
  readonly origin: string
  readonly state: OriginState
  /** The attempts in flight. */
  readonly active: number
  /** The average latency, in ms; null before the first answer. */
  readonly latencyMs: number | null
}

/** An upstream that the listed calls are sent to. */
export interface ExplainedUpstream {
  /** The origin, or the name of an upstream with several origins. */
  readonly origin: string
  /** The origins among which each attempt has one. @default `origin` is the only one */
  readonly origins?: readonly ExplainedOrigin[]
  readonly limits: readonly Limit[]
  /** The headers of the caller's request that are forwarded if the request has them. */
  readonly forwardHeaders: readonly string[]
  /** The present state; absent before the first call, and if the service does not run here. */
  readonly now?: {
    readonly breaker: string | null
    readonly permits: number
    readonly active: number
    readonly queued: number
    /** The origins that are known now. @default the upstream has one origin */
    readonly origins?: readonly OriginNow[]
  }
  readonly notes: readonly string[]
}

/** The explanation of one aggregate for one input. */
export interface Explanation {
  readonly aggregate: string
  readonly method: string
  /** The path template. */
  readonly url: string
  readonly limits: readonly Limit[]
  /** The steps, in the order of their declaration. */
  readonly steps: readonly ExplainedStep[]
  /** The upstreams, by name. */
  readonly upstreams: Readonly<Record<string, ExplainedUpstream>>
  readonly service: { readonly limits: readonly Limit[] }
}

/** One field of the input of an aggregate. */
export interface ListedField {
  readonly name: string
  readonly in: 'params' | 'query' | 'headers' | 'body'
  readonly required: boolean
}

/** One aggregate that can be explained. */
export interface ListedAggregate {
  readonly name: string
  readonly method: string
  readonly url: string
  readonly fields: readonly ListedField[]
}
