import { UpstreamError } from '../../errors.ts'
import type { LiveCall } from '../call/call.ts'
import { isHandshakeRefusal, wireError } from '../connect/wire-errors.ts'

/**
 * Returns the failure of a call whose exchange broke off after the request was written. An unsafe call may have taken
 * effect, so its outcome is unknown. A connection that had served, and was reset before a byte of this answer, was
 * closed as idle while the request was on its way.
 */
export function brokenOff(call: LiveCall<unknown>, error: Error, isReused: boolean, isUnanswered: boolean): Error {
  const { spec, isRepeatable, effort } = call
  const { name } = spec.upstream
  const failure = wireError(error, name)
  // The upstream refused the handshake, so it has not read the request.
  if (!(failure instanceof UpstreamError) || (!isReused && isUnanswered && isHandshakeRefusal(error))) return failure
  const { code, retryable } = failure
  // A call that lost an idle connection before is not excused again: it may be the request that kills connections.
  const isIdleClose = isReused && isUnanswered && code === 'UPSTREAM_RESET' && !effort.hadFreeRetry
  if (spec.safe) return isIdleClose ? new UpstreamError(code, name, { cause: error, isIdleClose }) : failure
  // RUNTIME_CLOSED has status 503, after which a caller may repeat the request at once. It must not repeat one with an
  // unknown outcome.
  const statusCode = code === 'RUNTIME_CLOSED' ? 504 : failure.statusCode
  return new UpstreamError('OUTCOME_UNKNOWN', name, {
    cause: failure,
    statusCode,
    retryable: retryable && isRepeatable,
    isIdleClose,
  })
}
