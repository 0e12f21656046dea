import type { UpstreamError } from '../../errors.ts'
import type { Cached } from '../spec/answer.ts'

/** The reason for which a call waits: for a permit of the bulkhead, for a token, or for the pause before a retry. */
export type WaitReason = 'permit' | 'token' | 'retry'

/** The other call for whose answer a call waits: an equal call (`shared`), or the first call of a batch of keys. */
export type JoinReason = 'shared' | 'keys'

/**
 * The kind of an attempt: the first one of its call, an attempt after a failure, or the second attempt of a hedge. A
 * repetition by a custom layer has the kind `retry`.
 */
export type AttemptKind = 'first' | 'retry' | 'hedge'

/**
 * The reason for which a call was not sent again: the retry budget, the deadline, a `retry-after` above 30 s, a
 * bulkhead without a free permit, or an open circuit breaker.
 */
export type ResendRefusal = 'budget' | 'deadline' | 'retry-after' | 'permit' | 'breaker'

/** The fields that the events of a call have in common. */
export interface EventOfCall {
  /** The time of the event, in ms from the start of the run. */
  readonly at: number
  /** The index of the step; -1 for context(). */
  readonly step: number
  /** The number of the call in its step, from 0: its index in a list of calls. */
  readonly call: number
  /** The name of the upstream: `catfact-ninja`. */
  readonly upstream: string
  /** The name of the operation with its upstream: `catfact-ninja.fact`. */
  readonly operation: string
}

/** An event of a call. */
export type CallEvent =
  | (EventOfCall & {
      readonly type: 'attempt started'
      /** The number of the attempt, from 1. */
      readonly attempt: number
      readonly kind: AttemptKind
    })
  | (EventOfCall & {
      readonly type: 'attempt ended'
      readonly attempt: number
      /** The status of the response; `undefined` without a response. */
      readonly status: number | undefined
      /** The code of the failure; `undefined` for an answer. */
      readonly code: string | undefined
    })
  | (EventOfCall & {
      /** The end of a time in which a call waited and was not sent. */
      readonly type: 'call waited'
      readonly reason: WaitReason
      /** The length of the wait, in ms. */
      readonly ms: number
    })
  | (EventOfCall & {
      /** The call waits for the answer of an equal call, or of a batch of keys. Its end is the end of this wait. */
      readonly type: 'call joined'
      readonly reason: JoinReason
    })
  | (EventOfCall & {
      /** The call was not sent again, although it could have been. */
      readonly type: 'resend refused'
      /** The kind of the attempt that was not sent. */
      readonly kind: Exclude<AttemptKind, 'first'>
      readonly reason: ResendRefusal
    })
  | (EventOfCall & {
      readonly type: 'call ended'
      /** The number of attempts; 0 if the call was not sent. */
      readonly attempts: number
      /** The status of the upstream; `undefined` without a response. */
      readonly status: number | undefined
      /** The code of the failure; `undefined` for an answer. */
      readonly code: string | undefined
      /** The failure, for a log. Callers must not receive any part of it. */
      readonly error: UpstreamError | undefined
      /** The cache's part in the answer; `undefined` without a cache or without an answer. */
      readonly cached: Cached | undefined
      /**
       * The rehearsed fault that acted on the call, for example `delay:500`. A call that was not sent because of it has
       * 0 attempts.
       * @default none
       */
      readonly fault?: string
    })
