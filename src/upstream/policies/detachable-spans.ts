import type { AttemptSpan, CallSpans, SpannedCall, SpanServer } from '../call/spans.ts'
import type { WaitReason } from '../call/events.ts'

/**
 * The spans of a call for which its step may stop to wait. Layers below copy the spans of a scope, so the object stays
 * the same when the call is detached.
 */
export class DetachableSpans implements CallSpans {
  #spans: CallSpans

  constructor(spans: CallSpans) {
    this.#spans = spans
  }

  /** Makes all later attempts background attempts of a step. */
  detach(step: number): void {
    this.#spans = this.#spans.background(step)
  }

  attemptStarted(call: SpannedCall, number: number, server: SpanServer | undefined): AttemptSpan | undefined {
    return this.#spans.attemptStarted(call, number, server)
  }

  waited(step: number, operation: string, reason: WaitReason, ms: number): void {
    this.#spans.waited(step, operation, reason, ms)
  }

  answerShared(call: SpannedCall, attempt: AttemptSpan | undefined): void {
    this.#spans.answerShared(call, attempt)
  }

  background(step: number): CallSpans {
    return this.#spans.background(step)
  }
}
