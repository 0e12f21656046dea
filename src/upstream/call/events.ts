import type { UpstreamError } from '../../errors.ts'
import type { Cached } from '../spec/answer.ts'

/** The reason for which a call waits: for a permit of the bulkhead, for a token, or for the pause before a retry. */
export type WaitReason = 'permit' | 'token' | 'retry'

/** An event of a run's calls. `at` is in ms from the run's start. */
export type CallEvent =
  | {
      readonly type: 'attempt started'
      readonly at: number
      readonly step: number
      readonly call: number
      readonly attempt: number
    }
  | {
      readonly type: 'attempt ended'
      readonly at: number
      readonly step: number
      readonly call: number
      readonly attempt: number
      readonly code: string | undefined
    }
  | {
      /** The end of a time in which a call waited and was not sent. */
      readonly type: 'call waited'
      readonly at: number
      readonly step: number
      readonly call: number
      /** The name of the operation with its upstream: `catfact-ninja.fact`. */
      readonly operation: string
      readonly reason: WaitReason
      /** The length of the wait, in ms. */
      readonly ms: number
    }
  | {
      readonly type: 'call ended'
      readonly at: number
      readonly step: number
      readonly call: number
      /** The name with its upstream: `catfact-ninja.fact`. */
      readonly operation: string
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
    }
