import type { UpstreamError } from '../../errors.ts'
import type { Cached } from '../spec/answer.ts'

/** The reason for which a call waits: for a permit of the bulkhead, for a token, or for the pause before a retry. */
export type WaitReason = 'permit' | 'token' | 'retry'

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
    })
  | (EventOfCall & {
      readonly type: 'attempt ended'
      readonly attempt: number
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
