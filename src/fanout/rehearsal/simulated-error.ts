import { UpstreamError } from '../../errors.ts'
import type { LiveCall } from '../../upstream/call/live-call.ts'
import { statusError } from '../../upstream/call/status-error.ts'
import type { RehearsedFault } from './fault.ts'

/**
 * Returns the error of a call that a fault replaces; `undefined` for a status of `nullOn`, which is the answer `null`.
 */
export function simulatedError(
  { spec }: LiveCall<unknown>,
  fault: Exclude<RehearsedFault, { kind: 'delay' }>,
): UpstreamError | undefined {
  const { name } = spec.upstream
  if (fault.kind === 'fail') return spec.nullOn.includes(fault.status) ? undefined : statusError(name, fault.status)
  const reset = new UpstreamError('UPSTREAM_RESET', name)
  // The upstream may have acted on a request whose answer is lost.
  return spec.safe ? reset : new UpstreamError('OUTCOME_UNKNOWN', name, { cause: reset, statusCode: reset.statusCode })
}
