import { pause as pauseFor } from '../../../core/pause.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { reportWait } from '../../call/wait.ts'

/** Waits for a time in ms, and reports the wait. Rejects at once with the abort reason when the call is aborted. */
export function pause(call: LiveCall<unknown>, ms: number): Promise<void> {
  const since = call.scope.now()
  return pauseFor(call.abort, ms, () => reportWait(call, 'retry', call.scope.now() - since))
}
