import { recordSpan } from '../fanout/record-span.ts'
import type { StepEvent } from '../fanout/events.ts'
import type { RunTimeline } from '../fanout/run-timeline.ts'
import { watchOf } from '../fanout/run-watch.ts'
import type { RequestTrace } from '../trace/request-trace.ts'
import type { Scope } from '../upstream/call/scope.ts'
import type { RunSpans } from '../upstream/call/spans.ts'
import type { RunOutcome } from '../metrics/aggregate-metrics.ts'
import type { BatchCall } from './batch-call.ts'
import { BatchPhase, enterBatch } from './batch-phase.ts'
import type { BatchAggregate, BatchStartOptions, PlannedCall } from './batch-start.ts'

/** The parts of a batch that its run needs beside the options. */
export interface BatchRunParts {
  readonly calls: readonly BatchCall[]
  readonly deadline: number
  readonly described: BatchAggregate
  readonly spans: RunSpans | undefined
}

/**
 * A batch as its observers see it: its clock, its events and their receivers. `BatchRun` adds the work. The phases and
 * their transitions are in batch-phase.ts.
 */
export abstract class ObservedBatch {
  readonly headers: Scope['headers']
  readonly trace: RequestTrace | undefined
  readonly spans: RunSpans | undefined
  readonly onEvent: BatchStartOptions['onEvent']
  readonly timeline: RunTimeline | undefined
  /** The limit on the whole batch, in ms. */
  readonly deadline: number
  /** The calls, in the order of the batch. */
  protected readonly calls: readonly BatchCall[]
  protected phase: BatchPhase = BatchPhase.created
  readonly #watch: ReturnType<typeof watchOf>
  readonly #startedAt = performance.now()

  constructor(
    { calls, deadline, described, spans }: BatchRunParts,
    { headers, trace, onEvent, id, timeline }: BatchStartOptions,
  ) {
    this.headers = headers as Scope['headers']
    this.deadline = deadline
    this.spans = spans
    this.trace = spans === undefined ? trace : spans.trace
    this.onEvent = onEvent
    this.calls = calls
    this.timeline = timeline?.(described, this.plan)
    this.#watch = watchOf(described, this, onEvent, id ?? this.timeline)
  }

  /** Fails the batch with a bug. */
  abstract fail(error: unknown): void

  /** The calls as their caller wrote them. */
  get plan(): readonly PlannedCall[] {
    return this.calls.map(({ id, offered: { name: operation }, needs }) => ({
      id,
      operation,
      needs: needs.map(({ index }) => (this.calls[index] as BatchCall).id),
    }))
  }

  get isWatched(): boolean {
    return this.#watch !== undefined || this.timeline !== undefined
  }

  get isClosed(): boolean {
    return this.phase >= BatchPhase.aborting
  }

  now(): number {
    return performance.now() - this.#startedAt
  }

  emit(event: StepEvent): void {
    if (this.phase === BatchPhase.done) return
    if (this.spans !== undefined) recordSpan(this.spans, event)
    this.timeline?.event(event)
    this.#watch?.notify(event)
  }

  /** Reports the start of the batch. */
  protected reportStart(): void {
    this.spans?.runStarted()
    this.#watch?.notify({ type: 'run started', at: 0 })
  }

  /**
   * Reports the end of the batch.
   *
   * @param cancelledBy The reason of its cancellation.
   */
  protected reportEnd(
    state: RunOutcome,
    code: string | undefined,
    status: number | undefined,
    cancelledBy: unknown,
  ): void {
    const at = this.now()
    this.timeline?.ended({ state, at, status, code, cancelledBy }, { deadline: this.deadline })
    this.spans?.runEnded(state, code)
    this.#watch?.notify({ type: 'run ended', at, code })
  }

  protected enter(phase: BatchPhase): void {
    this.phase = enterBatch(this.phase, phase)
  }
}
