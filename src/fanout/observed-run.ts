import type { ErrorCode } from '../errors.ts'
import type { AggregateMetrics, RunOutcome } from '../metrics/aggregate-metrics.ts'
import { RuntimeMetrics } from '../metrics/runtime-metrics.ts'
import type { RequestTrace } from '../trace/request-trace.ts'
import { sampledTraceId } from '../trace/sampled-trace-id.ts'
import type { Scope } from '../upstream/call/scope.ts'
import type { RunSpans } from '../upstream/call/spans.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { CallCounts, StepEvent } from './events.ts'
import { OutcomeRecorder, type LostCall } from './outcome-recorder.ts'
import type { Outcome, State } from './outcome.ts'
import { recordSpan } from './record-span.ts'
import type { RunStartOptions } from './run-options.ts'
import { enter, Phase } from './run-phase.ts'
import type { RunProgress } from './run-progress.ts'
import type { RunTimeline } from './run-timeline.ts'
import { watchOf } from './run-watch.ts'
import type { Step } from './step.ts'

/**
 * A run as its observers see it: its clock, its events, their receivers, and the outcomes of its steps. `Run` adds the
 * work. The phases and their transitions are in run-phase.ts.
 */
export abstract class ObservedRun {
  readonly headers: Scope['headers']
  readonly trace: RequestTrace | undefined
  readonly spans: RunSpans | undefined
  readonly progress: RunProgress | undefined
  readonly timeline: RunTimeline | undefined
  /** The deadline, in ms. */
  abstract readonly deadline: number
  protected phase: Phase = Phase.created
  protected readonly recorder: OutcomeRecorder
  readonly #metrics: AggregateMetrics
  readonly #watch: ReturnType<typeof watchOf>
  readonly #startedAt = performance.now()

  constructor(
    aggregate: AnyAggregate,
    headers: Scope['headers'],
    { runtime, trace, onEvent, spans, progress, id, timeline }: RunStartOptions,
  ) {
    this.headers = headers
    this.trace = trace
    this.spans = spans
    this.progress = progress
    this.timeline = timeline
    this.recorder = new OutcomeRecorder(aggregate.steps)
    this.#metrics = RuntimeMetrics.countersOf(runtime).aggregate(aggregate)
    this.#watch = watchOf(aggregate, this, onEvent, id ?? timeline)
  }

  /** Fails the run with an error that belongs to no step. */
  abstract fail(error: unknown): void

  /** The calls that failed, were refused for their input, or have a stale value. Their number is limited. */
  get lost(): readonly LostCall[] {
    return this.recorder.lost
  }

  /** The outcomes of the steps so far, by name. A step that has not ended is `cancelled`. */
  get outcomes(): Readonly<Record<string, Outcome>> {
    return this.recorder.outcomes()
  }

  /** Returns the outcome of a step so far; undefined for context() if it had no event. */
  outcomeOf({ index }: Step): Outcome | undefined {
    return this.recorder.outcome(index)
  }

  get isInProgress(): boolean {
    return this.phase === Phase.steps
  }

  get isWatched(): boolean {
    return this.#watch !== undefined || this.timeline !== undefined
  }

  get isExpired(): boolean {
    return this.phase === Phase.expired
  }

  get isClosed(): boolean {
    return this.phase >= Phase.aborting
  }

  now(): number {
    return performance.now() - this.#startedAt
  }

  emit(event: StepEvent): void {
    if (this.phase === Phase.done) return
    this.recorder.record(event)
    if (this.spans !== undefined) recordSpan(this.spans, event)
    // Before the listeners: an event that a listener causes follows this one.
    this.timeline?.event(event)
    this.#watch?.notify(event)
  }

  protected enter(phase: Phase): void {
    this.phase = enter(this.phase, phase)
  }

  /** Reports the start of the run. */
  protected reportStart(): void {
    this.spans?.runStarted()
    this.#watch?.notify({ type: 'run started', at: 0 })
  }

  protected reportProgress(progress: RunProgress, step: Step): void {
    // onEvent may have cancelled the run.
    if (!this.isClosed) progress.stepEnded(step)
  }

  /**
   * Reports the start of context(). The function starts with the run, but its start is reported only at its first call
   * or failure.
   */
  protected contextStarted(at: number): void {
    this.emit({ type: 'step started', at, step: -1 })
  }

  protected reportContextEnd(state: State, code: ErrorCode | undefined, tally: CallCounts | undefined): void {
    this.emit({ type: 'step ended', at: this.now(), step: -1, state, code, tally })
  }

  /**
   * Reports the end of the run.
   *
   * @param cancelledBy The reason of its cancellation.
   */
  protected reportEnd(
    outcome: RunOutcome,
    code: string | undefined,
    status: number | undefined,
    cancelledBy: unknown,
  ): void {
    const at = this.now()
    this.timeline?.ended({ state: outcome, at, status, code, cancelledBy }, this)
    this.spans?.runEnded(outcome, code)
    this.#count(outcome, code, at)
    this.#watch?.notify({ type: 'run ended', at, code })
  }

  #count(outcome: RunOutcome, code: string | undefined, at: number): void {
    const traceId = sampledTraceId(this.trace)
    this.recorder.count(this.#metrics, traceId)
    this.#metrics.runEnded(outcome, outcome === 'failed' ? code : undefined, at, this.deadline, traceId)
  }
}
