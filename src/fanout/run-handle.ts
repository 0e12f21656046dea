import type { ErrorCode, UpstreamError } from '../errors.ts'
import type { Abort } from '../core/abort.ts'
import type { Scope } from '../upstream/call/scope.ts'
import type { Send } from '../upstream/call/layer.ts'
import type { RunSpans } from '../upstream/call/spans.ts'
import type { CallCounts } from './events.ts'
import type { State } from './outcome.ts'
import type { HeaderReadTracker } from './reads.ts'
import type { RunProgress } from './run-progress.ts'
import type { RunTimeline } from './run-timeline.ts'
import type { Step } from './step.ts'

/** The part of an aggregate whose function is invoked; the function of context() is a step without an index. */
export type HandlerOwner = Step | 'merge' | 'onReply()'

/** The part of a run that its steps use. */
export interface RunHandle extends Scope {
  /** Records on which headers the reply depends; undefined if the reply is not cacheable. */
  readonly reads: HeaderReadTracker | undefined
  /** Records the spans of the run; undefined if no tracer is registered. */
  readonly spans: RunSpans | undefined
  /** Sends a call through the layers of its upstream. */
  readonly send: Send
  /** Follows the progress of the run; undefined if no stream does. */
  readonly progress: RunProgress | undefined
  /** Follows the run for its operator; undefined if runs are not kept. */
  readonly timeline: RunTimeline | undefined
  /** True if optional steps are shed. */
  readonly shedOptional: boolean
  /** True if the deadline has passed and steps have not ended. `abort` has the reason. */
  readonly isExpired: boolean
  /** True if the run has failed or has settled. It then accepts no further values. */
  readonly isClosed: boolean
  /** True if the run has failed or was cancelled. */
  readonly hasFailed: boolean
  /** Reports that context() makes a call. */
  contextCallStarted(): void
  /** Reports a call that was refused for its input; the source of the error is its operation. */
  callRefused(step: Step, error: UpstreamError): void
  /** Takes the value of a step that has ended. */
  stepEnded(step: Step, value: unknown, state: State, code?: ErrorCode, tally?: CallCounts): void
  /** Takes the failure of a step, which fails the run. */
  stepFailed(error: unknown, step: Step, tally?: CallCounts): void
  /**
   * Invokes a function of the aggregate. Offloaded functions that it calls belong to this run.
   */
  invoke(handler: (args: never) => unknown, args: object, abort: Abort, owner: HandlerOwner): unknown
  /** Fails the run with an error that belongs to no step. */
  fail(error: unknown): void
  /** Counts an unsafe call that starts. */
  unsafeCallStarted(): void
  /** Counts an unsafe call that has ended. */
  unsafeCallEnded(): void
}
