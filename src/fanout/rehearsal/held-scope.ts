import type { CallEvent } from '../../upstream/call/events.ts'
import type { Scope } from '../../upstream/call/scope.ts'

/** Returns the scope of a call of a run. It passes the end of the call to `ended`, and not to the run. */
export function heldScope(scope: Scope, ended: (end: Extract<CallEvent, { type: 'call ended' }>) => void): Scope {
  return {
    deadline: scope.deadline,
    headers: scope.headers,
    reads: scope.reads,
    context: scope.context,
    abort: scope.abort,
    flow: scope.flow,
    admitted: scope.admitted,
    batchGroup: scope.batchGroup,
    trace: scope.trace,
    spans: scope.spans,
    isWatched: scope.isWatched !== false,
    now: () => scope.now(),
    emit(event) {
      if (event.type === 'call ended') ended(event)
      else scope.emit(event)
    },
  }
}
