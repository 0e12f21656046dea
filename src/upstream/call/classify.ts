import { UpstreamError, type Verdict } from '../../errors.ts'
import type { LiveCall } from './call.ts'

/** Returns whether a failure counts as one of its upstream; `sent` is whether a request was sent to it. */
export function classify(error: unknown, sent: boolean): Verdict {
  if (!(error instanceof UpstreamError)) return 'ignored'
  // A timeout of a call that was still in our own queue says nothing about the upstream.
  return (error.code === 'DEADLINE_EXCEEDED' || error.code === 'STEP_TIMEOUT') && !sent ? 'ignored' : error.verdict
}

/** Returns the code of a failure for events: its own, `CANCELLED` for an aborted call, or `INTERNAL` for a bug. */
export function codeOf(error: unknown, { abort }: LiveCall<unknown>): string {
  if (error instanceof UpstreamError) return error.code
  return abort.aborted && error === abort.reason ? 'CANCELLED' : 'INTERNAL'
}
