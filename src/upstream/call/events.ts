import type { UpstreamError } from '../../errors.ts'
import type { Cached } from '../spec/answer.ts'

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
      readonly type: 'call ended'
      readonly at: number
      readonly step: number
      readonly call: number
      /** With its upstream: `catfact-ninja.fact`. */
      readonly operation: string
      /** The number of attempts; 0 when it was not sent. */
      readonly attempts: number
      /** The upstream's status, where it came that far. */
      readonly status: number | undefined
      /** The code of its failure; undefined when it was answered. */
      readonly code: string | undefined
      /** The failure, for a log. Callers must not receive any part of it. */
      readonly error: UpstreamError | undefined
      /** The part of a cache in its answer; undefined without a cache or without an answer. */
      readonly cached: Cached | undefined
    }
