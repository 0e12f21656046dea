import { sampledFlag, type TraceContext } from './trace-context.ts'

/** Returns the id of a trace that is marked as sampled, so that a reader of it finds the trace. */
export function sampledTraceId(trace: TraceContext | undefined): string | undefined {
  return trace !== undefined && (trace.flags & sampledFlag) === sampledFlag ? trace.traceId : undefined
}
