import { UpstreamError } from '../../errors.ts'
import { isHandshakeRefusal, wireError } from '../connect/wire-errors.ts'
import type { LiveCall } from '../call/live-call.ts'
import { StreamBody } from '../call/write-body/stream-body.ts'

/** The cause of `UPSTREAM_RESET` for a connection that was reset instead of ended by a FIN, which ends the body. */
export const resetError = Object.assign(new Error('the connection was reset before the end of the body'), {
  code: 'ECONNRESET',
})

/** Returns the error of an unsafe call that a deadline ended after it was sent. The call may have taken effect. */
export function outcomeUnknown({ spec, effort }: LiveCall<unknown>, deadline: UpstreamError): UpstreamError {
  effort.changed ??= {}
  return new UpstreamError('OUTCOME_UNKNOWN', spec.upstream.name, { cause: deadline, verdict: deadline.verdict })
}

/** Returns the error of a body that exceeds `maxResponseBytes`. */
export function bodyTooLarge({ spec }: LiveCall<unknown>, upstreamStatus: number): UpstreamError {
  const { name, maxResponseBytes } = spec.upstream
  return new UpstreamError('UPSTREAM_TOO_LARGE', name, {
    upstreamStatus,
    detail: `the limit is ${maxResponseBytes} bytes`,
  })
}

/** Returns the error of an upstream that sends informational responses (1xx) instead of a final one. */
export function endlessInformational({ spec }: LiveCall<unknown>): UpstreamError {
  return new UpstreamError('UPSTREAM_PROTOCOL', spec.upstream.name, {
    detail: 'it sends too many informational responses',
  })
}

/**
 * Returns the error of a request that was lost with its connection because of another request on it. A lost connection
 * counts as one failure, which the first request on it reports.
 *
 * @param isUnprocessed True if the request was behind the last response of the connection (RFC 9112, section 9.6).
 */
export function lostWithConnection({ spec, effort }: LiveCall<unknown>, isUnprocessed: boolean): UpstreamError {
  const isIdleClose = isUnprocessed && !effort.hadFreeRetry
  return new UpstreamError('UPSTREAM_RESET', spec.upstream.name, { verdict: 'ignored', isIdleClose })
}

/**
 * Returns the error of an exchange whose connection failed after the request was written. An unsafe call may have taken
 * effect, so its outcome is unknown. A reused connection that is reset before the first byte of the response was closed
 * as idle while the request was in flight.
 */
export function connectionFailed(
  call: LiveCall<unknown>,
  error: Error,
  isReused: boolean,
  isUnanswered: boolean,
): Error {
  const { spec, isRepeatable, effort, body } = call
  if (body instanceof StreamBody && body.failure !== undefined)
    return streamFailed(call, body.failure, body.isPartlySent)
  const { name } = spec.upstream
  const failure = wireError(error, name)
  // The upstream refused the handshake, so it has not read the request.
  if (!(failure instanceof UpstreamError) || (!isReused && isUnanswered && isHandshakeRefusal(error))) return failure
  const { code, retryable } = failure
  // Only the first lost idle connection of a call is excused. At the second one, the request itself may be the cause.
  const isIdleClose = isReused && isUnanswered && code === 'UPSTREAM_RESET' && !effort.hadFreeRetry
  if (spec.safe) return isIdleClose ? new UpstreamError(code, name, { cause: error, isIdleClose }) : failure
  effort.changed ??= {}
  // RUNTIME_CLOSED has status 503, after which a caller may repeat the request at once. It must not repeat a request
  // with an unknown outcome.
  const statusCode = code === 'RUNTIME_CLOSED' ? 504 : failure.statusCode
  return new UpstreamError('OUTCOME_UNKNOWN', name, {
    cause: failure,
    statusCode,
    retryable: retryable && isRepeatable,
    isIdleClose,
  })
}

/**
 * Returns the error of a request whose body is a stream that failed. It is not evidence about the upstream. An upstream
 * that has part of the body may have used it, so the outcome of an unsafe call is unknown then.
 */
function streamFailed({ spec, effort }: LiveCall<unknown>, cause: Error, isPartlySent: boolean): Error {
  if (spec.safe || !isPartlySent) return cause
  effort.changed ??= {}
  return new UpstreamError('OUTCOME_UNKNOWN', spec.upstream.name, {
    cause,
    detail: 'the stream of its body ended early',
    verdict: 'ignored',
  })
}
