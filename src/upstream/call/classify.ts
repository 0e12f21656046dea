import { UpstreamError, type Verdict } from '../../errors.ts'
import type { LiveCall } from './call.ts'

/** Judges once whether a failure says something about its upstream; `sent` is whether the upstream was asked at all. */
export function classify(error: unknown, sent: boolean): Verdict {
  if (!(error instanceof UpstreamError)) return 'ignored'
  // A limit that found the call still in our own queue says nothing about the upstream.
  return (error.code === 'DEADLINE_EXCEEDED' || error.code === 'STEP_TIMEOUT') && !sent ? 'ignored' : error.verdict
}

/** What an event says of a failure: its code, that the call was given up, or that a layer has a bug. */
export function codeOf(error: unknown, { abort }: LiveCall<unknown>): string {
  if (error instanceof UpstreamError) return error.code
  return abort.aborted && error === abort.reason ? 'CANCELLED' : 'INTERNAL'
}
