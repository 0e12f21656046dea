import type { Abort } from '../core/abort.ts'
import { offloading } from './offload/invocation.ts'
import type { HandlerOwner, RunHandle } from './run-handle.ts'

/**
 * Calls a function of an aggregate. If the run has spans, the span of its step or of the run is active during the call.
 * If functions are offloaded in this process, those that it calls belong to the run.
 */
export function invoke(
  run: Pick<RunHandle, 'invoke' | 'spans'>,
  handler: (args: never) => unknown,
  args: object,
  abort: Abort,
  owner: HandlerOwner,
): unknown {
  const { spans } = run
  if (spans === undefined) return offloading.isUsed ? run.invoke(handler, args, abort, owner) : handler(args as never)
  return spans.invoke(
    typeof owner === 'string' ? undefined : owner.index,
    offloading.isUsed ? given => run.invoke(handler, given as object, abort, owner) : handler,
    args as never,
  )
}
