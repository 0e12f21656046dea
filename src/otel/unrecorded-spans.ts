import type { Context } from '@opentelemetry/api'
import type { RequestTrace } from '../trace/request-trace.ts'
import type { CallSpans, RunSpans, SpannedCall } from '../upstream/call/spans.ts'
import type { Tracing } from './tracing.ts'

/**
 * The spans of a run that is not recorded. Its calls send the context of the span of the run, and spans of the user are
 * its children, so that they are not recorded either.
 */
export class UnrecordedSpans implements RunSpans {
  readonly trace: RequestTrace
  readonly #tracing: Tracing
  readonly #context: Context

  constructor(tracing: Tracing, context: Context, trace: RequestTrace) {
    this.trace = trace
    this.#tracing = tracing
    this.#context = context
  }

  attemptStarted({ attempt }: SpannedCall): undefined {
    attempt.spanId = this.trace.spanId
  }

  background(): CallSpans {
    return this
  }

  invoke<A, R>(_step: number | undefined, handler: (args: A) => R, args: A): R {
    return this.#tracing.api.context.with(this.#context, handler, undefined, args)
  }

  answerShared(): void {}
  runStarted(): void {}
  stepStarted(): void {}
  stepEnded(): void {}
  waited(): void {}
  runEnded(): void {}
  end(): void {}
}
