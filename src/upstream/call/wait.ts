import { sampledTraceId } from '../../trace/sampled-trace-id.ts'
import type { LiveCall } from './live-call.ts'
import type { WaitReason } from './events.ts'

/** Counts and reports that a call has waited for `ms` and waits no longer. A listener of the event may abort the call. */
export function reportWait(
  { scope, step, index, spec, metrics }: LiveCall<unknown>,
  reason: WaitReason,
  ms: number,
): void {
  scope.spans?.waited(step, spec.name, reason, ms)
  metrics.waits.ended(reason, ms, sampledTraceId(scope.trace))
  if (scope.isWatched === false) return
  const { name: operation, upstream } = spec
  scope.emit({
    type: 'call waited',
    at: scope.now(),
    step,
    call: index,
    upstream: upstream.name,
    operation,
    reason,
    ms,
  })
}
