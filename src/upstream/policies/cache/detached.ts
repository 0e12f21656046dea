import type { Abort } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/call.ts'

/** The same question, of no run: nobody's deadline or leaving ends it, and nobody is told of it. */
export function detached<T>(call: LiveCall<T>, abort: Abort): LiveCall<T> {
  const { headers } = call.scope
  return call.detached(abort, {
    deadline: Infinity,
    headers,
    abort,
    admitted: new Map(),
    now: () => performance.now(),
    emit: () => {},
    isWatched: false,
  })
}
