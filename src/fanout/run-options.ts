import type { RequestTrace } from '../trace/request-trace.ts'
import type { CallFlow } from '../upstream/call/flow.ts'
import type { RunSpans } from '../upstream/call/spans.ts'
import type { Runtime } from '../upstream/runtime.ts'
import type { RunEvent } from './events.ts'
import type { Rehearsal } from './rehearsal/fault.ts'
import type { Reply } from './reply.ts'
import type { RunProgress } from './run-progress.ts'
import type { RunTimeline } from './run-timeline.ts'

export interface RunOptions {
  readonly runtime: Runtime
  /** A deadline that is shorter than the deadline of the aggregate, in ms. A longer deadline has no effect. */
  readonly deadline?: number | undefined
  /** If true, optional steps use their fallback without calls, as in a service that is under load. @default false */
  readonly shedOptional?: boolean | undefined
  /** The trace context of the request, as it was received or created. @default no trace */
  readonly trace?: RequestTrace | undefined
  /** Called with each event, in the order in which they happen. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
}

/** The options of a run with the spans that the caller of `startRun` has started. */
export interface RunStartOptions extends RunOptions {
  readonly spans?: RunSpans | undefined
  /** Follows the progress of the run. @default nothing */
  readonly progress?: RunProgress | undefined
  /** The id of the run in its events, a UUID. @default that of the timeline, or a random one */
  readonly id?: string | undefined
  /** Follows the run for its operator. @default nothing */
  readonly timeline?: RunTimeline | undefined
  /** The faults that act on the calls of the run. @default none */
  readonly rehearsal?: Rehearsal | undefined
  /** The flow of the calls of the run. @default that of the aggregate */
  readonly flow?: CallFlow | undefined
}

/** Receives the result of a run, once. */
export interface RunCompletion {
  resolve(reply: Reply<unknown, string>): void
  reject(error: unknown): void
}
