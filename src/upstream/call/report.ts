import { UpstreamError, type ErrorCode } from '../../errors.ts'
import type { JoinReason, ResendRefusal } from './events.ts'
import type { LiveCall } from './live-call.ts'

const refusals: { readonly [Code in ErrorCode]?: ResendRefusal } = {
  BULKHEAD_FULL: 'permit',
  BREAKER_OPEN: 'breaker',
}

/** Reports that a call waits for the answer of another call. A listener of the event may abort the call. */
export function reportJoined(
  { scope, step, index, spec: { name: operation, upstream } }: LiveCall<unknown>,
  reason: JoinReason,
): void {
  if (scope.isWatched === false) return
  scope.emit({ type: 'call joined', at: scope.now(), step, call: index, upstream: upstream.name, operation, reason })
}

/** Counts and reports that a call is not sent again. A listener of the event may abort the call. */
export function reportRefusedResend(
  { scope, step, index, spec: { name: operation, upstream }, metrics }: LiveCall<unknown>,
  kind: 'retry' | 'hedge',
  reason: ResendRefusal,
): void {
  metrics.resendRefused()
  if (scope.isWatched === false) return
  scope.emit({
    type: 'resend refused',
    at: scope.now(),
    step,
    call: index,
    upstream: upstream.name,
    operation,
    kind,
    reason,
  })
}

/** Returns the reason of an error with which a layer below refused to send a call again; undefined for another error. */
export function refusalOf(error: unknown): ResendRefusal | undefined {
  return error instanceof UpstreamError ? refusals[error.code] : undefined
}
