import type { UpstreamError } from '../../errors.ts'
import type { Cached } from '../spec/answer.ts'

/** What happens to a run's calls on their way; `at` is in ms from the run's start. */
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
      /** How often it was sent; 0 when it never left. */
      readonly attempts: number
      /** The upstream's status, where it came that far. */
      readonly status: number | undefined
      /** Why it failed; none when it was answered. */
      readonly code: string | undefined
      /** The failure itself, for whoever writes a log; nothing of it is for a caller. */
      readonly error: UpstreamError | undefined
      /** How a cache had part in its answer; none where none was asked, or there is no answer. */
      readonly cached: Cached | undefined
    }
