import { UpstreamError, type Verdict } from '../../errors.ts'
import type { LiveCall } from './live-call.ts'

/** Returns the verdict of a failure. `sent` is true if a request was sent to the upstream. */
export function classify(error: unknown, sent: boolean): Verdict {
  if (!(error instanceof UpstreamError)) return 'ignored'
  // The timeout of a call that was still in our queue is not evidence about the upstream.
  return (error.code === 'DEADLINE_EXCEEDED' || error.code === 'STEP_TIMEOUT') && !sent ? 'ignored' : error.verdict
}

/** Returns the code of a failure for events: its own, `CANCELLED` for an aborted call, or `INTERNAL` for a bug. */
export function codeOf(error: unknown, { abort }: LiveCall<unknown>): string {
  if (error instanceof UpstreamError) return error.code
  return abort.aborted && error === abort.reason ? 'CANCELLED' : 'INTERNAL'
}
