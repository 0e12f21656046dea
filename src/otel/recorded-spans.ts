import type { Context } from '@opentelemetry/api'
import type { RequestTrace } from '../trace/request-trace.ts'
import type { WaitReason } from '../upstream/call/events.ts'
import type { RunOutcome } from '../metrics/aggregate-metrics.ts'
import type { AttemptSpan, CallSpans, RunSpans, SpannedCall, SpanServer } from '../upstream/call/spans.ts'
import { RecordedAttempt, startAttempt } from './attempt-span.ts'
import type { GuardedSpan } from './guarded-span.ts'
import type { Tracing } from './tracing.ts'

/** The aggregate of a run, as its spans name it. */
export interface SpannedAggregate {
  readonly name: string
  readonly steps: readonly { readonly name: string }[]
}

export interface RecordedSpansOptions {
  /** The span of the run. */
  readonly span: GuardedSpan
  /** The context in which it is the active span. */
  readonly context: Context
  readonly trace: RequestTrace
  readonly aggregate: SpannedAggregate
  /** True if the run replies to a request. */
  readonly isRequest: boolean
}

interface StepSpan {
  readonly span: GuardedSpan
  /** The context in which it is the active span. */
  readonly context: Context
  isEnded: boolean
}

/** The recorded spans of one run: one for the run, one per step, and one per attempt. */
export class RecordedSpans implements RunSpans {
  readonly trace: RequestTrace
  readonly #tracing: Tracing
  readonly #span: GuardedSpan
  readonly #context: Context
  readonly #aggregate: SpannedAggregate
  readonly #isRequest: boolean
  /** The spans of steps, by index plus 1: context() is the first. */
  readonly #steps: (StepSpan | undefined)[] = []
  #code: string | undefined
  #isRunning = false
  /** Set by `end` while the run had not ended: its unsafe calls may outlast the reply. */
  #waiting: { readonly status: number | undefined } | undefined

  constructor(tracing: Tracing, { span, context, trace, aggregate, isRequest }: RecordedSpansOptions) {
    this.trace = trace
    this.#tracing = tracing
    this.#span = span
    this.#context = context
    this.#aggregate = aggregate
    this.#isRequest = isRequest
    span.setAttribute('headwaters.aggregate', aggregate.name)
  }

  runStarted(): void {
    this.#isRunning = true
  }

  stepStarted(step: number): void {
    if (this.#steps[step + 1] !== undefined) return
    const name = step < 0 ? 'context' : (this.#aggregate.steps[step]?.name ?? '')
    const attributes = { 'headwaters.aggregate': this.#aggregate.name, 'headwaters.step': name }
    const span = this.#tracing.startSpan(`step ${name}`, { attributes }, this.#context)
    if (span === undefined) return
    this.#steps[step + 1] = { span, context: this.#tracing.withSpan(this.#context, span.span), isEnded: false }
  }

  stepEnded(step: number, state: string, code: string | undefined): void {
    const own = this.#steps[step + 1]
    if (own === undefined || own.isEnded) return
    own.isEnded = true
    own.span.setAttribute('headwaters.step.state', state)
    if (code !== undefined) own.span.setAttribute('headwaters.code', code)
    if (state === 'failed') {
      own.span.setAttribute('error.type', code ?? 'INTERNAL')
      own.span.setError()
    }
    own.span.end()
  }

  waited(step: number, operation: string, reason: WaitReason, ms: number): void {
    const own = this.#steps[step + 1]
    if (own === undefined || own.isEnded) return
    own.span.addEvent('headwaters.wait', {
      'headwaters.wait.reason': reason,
      'headwaters.wait.duration_ms': ms,
      'headwaters.operation': operation,
    })
  }

  attemptStarted(call: SpannedCall, number: number, server: SpanServer | undefined): AttemptSpan | undefined {
    return startAttempt(this.#tracing, this.#contextOf(call.step), call, number, server, false)
  }

  answerShared({ step }: SpannedCall, attempt: AttemptSpan | undefined): void {
    const own = this.#steps[step + 1]
    if (own !== undefined && !own.isEnded && attempt instanceof RecordedAttempt)
      own.span.addLink({ context: attempt.context })
  }

  background(step: number): CallSpans {
    return new BackgroundSpans(this.#tracing, this.#contextOf(step))
  }

  invoke<A, R>(step: number | undefined, handler: (args: A) => R, args: A): R {
    const context = step === undefined ? this.#context : this.#contextOf(step)
    return this.#tracing.api.context.with(context, handler, undefined, args)
  }

  runEnded(outcome: RunOutcome, code: string | undefined): void {
    for (let step = -1; step < this.#aggregate.steps.length; step++) this.stepEnded(step, 'cancelled', undefined)
    this.#span.setAttribute('headwaters.outcome', outcome)
    if (outcome === 'failed' && code !== undefined) this.#span.setAttribute('headwaters.code', (this.#code = code))
    this.#isRunning = false
    if (this.#waiting !== undefined) this.end(this.#waiting.status)
  }

  end(status: number | undefined): void {
    if (this.#isRunning) {
      this.#waiting = { status }
      return
    }
    const span = this.#span
    if (status !== undefined && this.#isRequest) span.setAttribute('http.response.status_code', status)
    if (status !== undefined && status >= 500) {
      span.setAttribute('error.type', this.#isRequest ? String(status) : (this.#code ?? 'INTERNAL'))
      span.setError()
    }
    span.end()
  }

  #contextOf(step: number): Context {
    return this.#steps[step + 1]?.context ?? this.#context
  }
}

/** The spans of calls that no step waits for, such as the refresh of a stored answer. */
class BackgroundSpans implements CallSpans {
  readonly #tracing: Tracing
  readonly #context: Context

  constructor(tracing: Tracing, context: Context) {
    this.#tracing = tracing
    this.#context = context
  }

  attemptStarted(call: SpannedCall, number: number, server: SpanServer | undefined): AttemptSpan | undefined {
    return startAttempt(this.#tracing, this.#context, call, number, server, true)
  }

  waited(): void {}
  answerShared(): void {}

  background(): CallSpans {
    return this
  }
}
