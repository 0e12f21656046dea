import { UpstreamError, type ErrorCode } from '../../../errors.ts'

/** Statuses that an upstream has no answer with (RFC 5861, section 4). */
const errorStatuses = new Set([500, 502, 503, 504])

/** What no kept answer stands in for: the end of this process, and faults of our own. */
const never: ReadonlySet<ErrorCode> = new Set(['RUNTIME_CLOSED', 'UPSTREAM_OFF', 'CALL_INPUT_INVALID', 'INTERNAL'])

/** The reasons for which a call is given up while somebody still waits for an answer. */
const inTime: ReadonlySet<ErrorCode> = new Set(['DEADLINE_EXCEEDED', 'STEP_TIMEOUT'])

/**
 * Whether a kept answer may stand in for a failure. `isGivenUp` tells that the failure is why the call was given up.
 */
export function allowsStale(error: unknown, isGivenUp: boolean): error is UpstreamError {
  if (!(error instanceof UpstreamError) || never.has(error.code)) return false
  if (isGivenUp) return inTime.has(error.code)
  return error.code !== 'UPSTREAM_STATUS' || errorStatuses.has(error.upstreamStatus ?? 0)
}

/** Whether the upstream has said by its failure that what is kept is no longer so: gone, or not for this caller. */
export function invalidatesEntry(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError) || error.code !== 'UPSTREAM_STATUS') return false
  const { upstreamStatus = 0 } = error
  return upstreamStatus >= 400 && upstreamStatus < 500 && upstreamStatus !== 408
}
