import type { LiveCall } from './call.ts'
import type { WaitReason } from './events.ts'

/** Reports that a call has waited for `ms` and waits no longer. A listener of the event may abort the call. */
export function reportWait({ scope, step, index, spec }: LiveCall<unknown>, reason: WaitReason, ms: number): void {
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
