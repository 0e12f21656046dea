import type { ErrorCode, Problem } from '../errors.ts'
import type { OnEvent } from '../fanout/events.ts'
import type { RunTimeline } from '../fanout/run-timeline.ts'
import type { SourcesLevel } from '../fanout/sources-level.ts'
import type { SpannedAggregate } from '../otel/recorded-spans.ts'
import type { RequestTrace } from '../trace/request-trace.ts'
import type { InboundHeaders } from '../upstream/call/inbound.ts'
import type { RunSpans } from '../upstream/call/spans.ts'
import type { Runtime } from '../upstream/runtime.ts'
import type { BatchAnswer, WrittenResult } from './result.ts'

/** The batch as spans and events see it: an aggregate whose steps are the calls, by id. */
export interface BatchAggregate extends SpannedAggregate {
  readonly route: { readonly method: string; readonly url: string }
}

/** The options of `startBatch`. */
export interface BatchStartOptions {
  readonly runtime: Runtime
  /** The limit on the whole batch, in ms. `deadlineMs` of the body may shorten it. */
  readonly deadline: number
  /** The inbound headers of every call: end-to-end headers only, by lower-case name. */
  readonly headers: InboundHeaders
  /** The largest number of calls. */
  readonly maxCalls: number
  /** The size of all results together, in bytes. @default 16 MiB */
  readonly maxReplyBytes?: number | undefined
  /** True if the batch may only read: operations that are safe, and aggregates with the method GET. @default false */
  readonly isReadOnly?: boolean | undefined
  /** The part of the outcomes that callers see, for operations and for aggregates without a level. @default 'full' */
  readonly level?: SourcesLevel | undefined
  /** If true, optional steps of aggregates use their fallback without calls. @default false */
  readonly shedOptional?: boolean | undefined
  /** The route of the batch, for events and spans. @default POST /v1/batch */
  readonly route?: BatchAggregate['route'] | undefined
  /** The trace context of the request, as it was received or created. @default no trace */
  readonly trace?: RequestTrace | undefined
  /**
   * Starts the spans of the batch. It is called once, when the body was read, and for a body that is refused too, with
   * no steps. @default no spans
   */
  readonly spans?: ((described: BatchAggregate) => RunSpans | undefined) | undefined
  /** Called with each event of the batch and of the aggregates that it runs. @default no listener */
  readonly onEvent?: OnEvent | undefined
  /** Called with each result when its call has ended. It must not throw. @default no listener */
  readonly onResult?: ((result: WrittenResult) => void) | undefined
  /** The id of the run in its events. @default that of the timeline, or a random UUID */
  readonly id?: string | undefined
  /**
   * Returns what follows the batch for its operator. It is called once, when the body was read.
   *
   * @default not followed
   */
  readonly timeline?: ((described: BatchAggregate, plan: readonly PlannedCall[]) => RunTimeline | undefined) | undefined
}

/** Receives the reply to a batch, once, or the reason of its cancellation, or a `Problem` for a bug. */
export interface BatchCompletion {
  resolve(answer: BatchAnswer): void
  reject(error: unknown): void
}

/** A call of a batch as its caller wrote it. `needs` has the ids of its references too. */
export interface PlannedCall {
  readonly id: string
  readonly operation: string
  readonly needs: readonly string[]
}

/** A failure of a call, for a log. Callers must not receive its cause. */
export interface BatchFailure {
  /** The index of the call. */
  readonly index: number
  readonly operation: string
  /** The problem before it is cut to what callers see. */
  readonly problem: Problem
}

/** The number of results so far, by state, and of failures, by code. A stale answer has the code of its failure. */
export interface BatchCounts {
  readonly calls: number
  readonly ok: number
  readonly stale: number
  readonly partial: number
  readonly failed: number
  readonly notSent: number
  readonly codes: ReadonlyMap<ErrorCode, number>
}
