import type { RunOutcome } from '../../metrics/aggregate-metrics.ts'
import type { OperationSpec } from '../spec/spec.ts'
import type { WaitReason } from './events.ts'
import type { RequestTrace } from '../../trace/request-trace.ts'

/** The server to which an upstream sends its requests, for their spans. */
export interface SpanServer {
  /** The host of the origin, after overrides. */
  readonly address: string
  readonly port: number
  /** The origin with the prefix of every path. */
  readonly base: string
}

/** The span of one attempt. It ends once. */
export interface AttemptSpan {
  /** Ends the span with the status of an answer. */
  answered(status: number): void
  /** Ends the span with a failure and its code. The code `CANCELLED` is not an error of the upstream. */
  failed(error: unknown, code: string): void
}

/** The spans of an attempt, which the hedge and the calls that share its answer link to. */
export interface AttemptSpans {
  /** The id of the span of the attempt, which its `traceparent` names; `undefined` if the run has no spans. */
  spanId: string | undefined
  /** The span of the attempt; `undefined` if it is not recorded. */
  span: AttemptSpan | undefined
  /** The span of the first attempt of the call, if this attempt is its hedge. */
  hedged: AttemptSpan | undefined
}

/** The part of a call that its spans use. */
export interface SpannedCall {
  readonly spec: OperationSpec
  readonly path: string
  readonly step: number
  readonly attempt: AttemptSpans
}

/** Records the spans of calls. Its functions never throw. */
export interface CallSpans {
  /** Starts the span of an attempt and sets `spanId` of the attempt. Returns `undefined` if it records no span. */
  attemptStarted(call: SpannedCall, number: number, server: SpanServer | undefined): AttemptSpan | undefined
  /** Adds the end of a wait to the span of its step. */
  waited(step: number, operation: string, reason: WaitReason, ms: number): void
  /** Links the step of a call to the attempt of another call whose answer it shares. */
  answerShared(call: SpannedCall, attempt: AttemptSpan | undefined): void
  /** Returns the spans of calls that no step waits for. They are children of the span of the step that caused them. */
  background(step: number): CallSpans
}

/** Records the spans of one run. The step `-1` is context(). */
export interface RunSpans extends CallSpans {
  /** The position of the run's span in its trace. */
  readonly trace: RequestTrace
  /** From here on the span of the run does not end before `runEnded`. */
  runStarted(): void
  stepStarted(step: number): void
  stepEnded(step: number, state: string, code: string | undefined): void
  /** Calls a function with the span of a step as the active span, or with the span of the run without a step. */
  invoke<A, R>(step: number | undefined, handler: (args: A) => R, args: A): R
  /** Ends the spans of steps that have not ended, and sets the outcome. */
  runEnded(outcome: RunOutcome, code: string | undefined): void
  /**
   * Ends the span of the run, or lets `runEnded` end it.
   *
   * @param status - The status of the reply or of the failure; `undefined` if there is none.
   */
  end(status: number | undefined): void
}
