import type { ResponseHeaders } from '../spec/answer.ts'
import type { AttemptSpan, AttemptSpans, SpanServer } from './spans.ts'

/** One of several origins of an upstream, which an attempt uses. */
export interface AttemptOrigin {
  /** The scheme, host and port of its URL, without a path. */
  readonly text: string
  /** The server that is dialled, as spans name it. */
  readonly server: SpanServer
}

/** The effort for a call so far, all its attempts together. */
export interface Effort {
  /** The number of attempts. */
  attempts: number
  /** The time that the call has waited for a permit, in ms. */
  queuedMs: number
  /** True if a request was sent to the upstream, by this call or by an equal call whose answer it shares. */
  sent: boolean
  /**
   * True if the call was sent again without the retry budget after a connection was closed as idle. That happens once
   * per call.
   */
  hadFreeRetry: boolean
  /** True if a custom layer of `layers.call` added a header that identifies the caller. */
  namesCaller: boolean
  /**
   * The headers of a 2xx or 3xx response to an unsafe call; empty if its outcome is unknown. `undefined` while the call
   * has changed nothing.
   */
  changed: ResponseHeaders | undefined
  /** The text of the origin that sent the headers in `changed`; `undefined` if the upstream has one origin. */
  changedAt: string | undefined
  /** The origins of earlier attempts, in their order; `undefined` if the upstream has one origin. */
  tried: AttemptOrigin[] | undefined
  /** The span of the attempt that was answered, or else of the last attempt; `undefined` if it is not recorded. */
  span: AttemptSpan | undefined
}

/** The state of one attempt. */
export interface Attempt extends AttemptSpans {
  /** True if the attempt may wait for a permit. Otherwise it is refused if no permit is free. */
  readonly mayWait: boolean
  /** True if the attempt was sent to the transport. */
  sent: boolean
  /** The origin of the attempt; `undefined` if the upstream has one origin. */
  origin: AttemptOrigin | undefined
  /** True if the attempt needs a connection that has not served a request before. */
  readonly needsNew: boolean
  /**
   * Resolves when an attempt that was settled early no longer uses the transport. The permit of the attempt is held
   * until then. `undefined` if the attempt was not settled early.
   */
  held: Promise<void> | undefined
}

/** Returns the state of an attempt that has not been sent. */
export const newAttempt = (mayWait: boolean, needsNew: boolean): Attempt => ({
  mayWait,
  sent: false,
  origin: undefined,
  needsNew,
  held: undefined,
  spanId: undefined,
  span: undefined,
  hedged: undefined,
})

/** Returns the effort for a call that has made no attempt. */
export const firstEffort = (): Effort => ({
  attempts: 0,
  queuedMs: 0,
  sent: false,
  hadFreeRetry: false,
  namesCaller: false,
  changed: undefined,
  changedAt: undefined,
  tried: undefined,
  span: undefined,
})
