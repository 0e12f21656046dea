import type { IncomingMessage } from 'node:http'
import { endToEnd } from '../../core/end-to-end.ts'
import { requestTrace, type RequestTrace } from '../../trace/request-trace.ts'

/** The key of a request's trace context. */
const traceKey = Symbol('headwaters.trace')

type Traced = IncomingMessage & { [traceKey]?: RequestTrace }

/**
 * Returns the trace context of a request. Its headers are read at the first call only.
 *
 * @param sampledPercent - The share of new traces that are marked as sampled, from 0 to 100.
 */
export function traceOf(request: Traced, sampledPercent: number): RequestTrace {
  return (request[traceKey] ??= requestTrace(endToEnd(request.headers), sampledPercent))
}

/** Replaces the trace context of a request by that of its recorded span. */
export function setTrace(request: Traced, trace: RequestTrace): void {
  request[traceKey] = trace
}

/** Returns the trace context of a request; `undefined` before its headers were read. */
export function knownTraceOf(request: Traced): RequestTrace | undefined {
  return request[traceKey]
}
