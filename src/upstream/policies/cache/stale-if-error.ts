import { UpstreamError, type ErrorCode } from '../../../errors.ts'

/** Statuses for which a stale answer may be used (RFC 5861, section 4). */
const errorStatuses = new Set([500, 502, 503, 504])

/**
 * The failures for which a stored answer is never used: the runtime is closed or the upstream is off, or the service
 * itself has failed, or the upstream has answered without the value.
 */
const never: ReadonlySet<ErrorCode> = new Set([
  'RUNTIME_CLOSED',
  'UPSTREAM_OFF',
  'UPSTREAM_KEY_MISSING',
  'CALL_INPUT_INVALID',
  'INTERNAL',
])

/** The reasons for which a call is aborted while its caller still waits for an answer. */
const inTime: ReadonlySet<ErrorCode> = new Set(['DEADLINE_EXCEEDED', 'STEP_TIMEOUT'])

/**
 * Returns whether a stored answer may be used in place of a failure. `isGivenUp` is true if the failure is the reason
 * for which the call was aborted.
 */
export function allowsStale(error: unknown, isGivenUp: boolean): error is UpstreamError {
  if (!(error instanceof UpstreamError) || never.has(error.code)) return false
  if (isGivenUp) return inTime.has(error.code)
  return error.code !== 'UPSTREAM_STATUS' || errorStatuses.has(error.upstreamStatus ?? 0)
}

/** Returns whether a failure shows that the stored answer is no longer valid: it is gone, or not for this caller. */
export function invalidatesEntry(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError)) return false
  if (error.code === 'UPSTREAM_KEY_MISSING') return true
  if (error.code !== 'UPSTREAM_STATUS') return false
  const { upstreamStatus = 0 } = error
  return upstreamStatus >= 400 && upstreamStatus < 500 && upstreamStatus !== 408
}
