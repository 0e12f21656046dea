import type { Outcome } from './outcome.ts'
import type { EndedItem } from './run-progress.ts'
import type { StepKind } from './step.ts'

/** A step, as the plan of a run names it. */
export interface PlannedStep {
  readonly name: string
  readonly kind: StepKind
  /** The names of the steps whose values the step needs. */
  readonly needs: readonly string[]
}

/** The first event of a stream. It is sent before a step starts. */
export interface PlanEvent {
  readonly event: 'plan'
  /** The id of the run, a UUID; `RunEvent` has the same. */
  readonly run: string
  /** The limit on the run, in ms from its start. */
  readonly deadline: number
  readonly steps: readonly PlannedStep[]
}

/** The end of a step, or of context(). */
export interface SourceEvent {
  readonly event: 'source'
  /** The name of the step; `context` for context(). */
  readonly name: string
  readonly outcome: Outcome
}

/** The end of an item. It never has a value: values reach callers through the reply's schema only. */
export interface ItemEvent extends Omit<EndedItem, 'code' | 'status'> {
  readonly event: 'item'
  /** The name of the step. */
  readonly name: string
  readonly code?: string
  readonly status?: number
}

/** The data of a reply as far as it is known, read by the reply's schema. */
export interface SnapshotEvent {
  readonly event: 'snapshot'
  readonly data: unknown
  readonly complete: false
  /** The names of the steps that have not ended. */
  readonly pending: readonly string[]
}

/** The last event of a stream: the plain answer of its run. */
export interface EndEvent {
  readonly event: 'reply' | 'problem'
  readonly status: number
  /** The headers of the plain answer, by lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** The body of the plain answer as JSON text, which is sent unchanged; `null` for a status without a body. */
  readonly text: string | null
}

/** The events of the stream of one run, with everything that callers of the level `full` see, before they are text. */
export type StreamEvent = PlanEvent | SourceEvent | ItemEvent | SnapshotEvent | EndEvent
