import { trimSpace } from '../core/list-header.ts'
import { ids } from './ids.ts'
import { readTraceparent, sampledFlag, type TraceContext } from './trace-context.ts'
import { readTracestate } from './tracestate.ts'

/**
 * The trace context of a request: `spanId` is the id of the span of the request itself. It is a new id, also if the
 * trace was started by the caller.
 */
export interface RequestTrace extends TraceContext {
  /** The id of the span of the caller; `undefined` if the trace starts with this request. */
  readonly parentSpanId: string | undefined
}

/** The headers of a request, by lower-case name. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Returns the trace context of a request. Without a valid `traceparent`, it starts a new trace.
 *
 * @param headers - The headers of the request, by lower-case name.
 * @param sampledPercent - The share of new traces that are marked as sampled, from 0 to 100.
 */
export function requestTrace(headers: Headers, sampledPercent: number): RequestTrace {
  const parent = receivedTrace(headers)
  return parent === undefined ? newTrace(sampledPercent) : continueTrace(parent)
}

/** Reads `traceparent` and `tracestate`. Without a valid `traceparent`, `tracestate` is ignored. */
export function receivedTrace({ traceparent, tracestate }: Headers): TraceContext | undefined {
  if (traceparent === undefined) return undefined
  // A list with several values has a comma, so it is not a valid value.
  const context = readTraceparent(trimSpace(String(traceparent)))
  return context === undefined || tracestate === undefined
    ? context
    : { ...context, tracestate: readTracestate(tracestate) }
}

/** Returns the trace context of a request whose caller has the span `parent`. */
export function continueTrace({ traceId, spanId, flags, tracestate }: TraceContext): RequestTrace {
  return { traceId, spanId: ids.spanId(), flags, tracestate, parentSpanId: spanId }
}

/** Starts a trace. */
function newTrace(sampledPercent: number): RequestTrace {
  const traceId = ids.traceId()
  return {
    traceId,
    spanId: ids.spanId(),
    flags: isSampled(traceId, sampledPercent) ? sampledFlag : 0,
    tracestate: undefined,
    parentSpanId: undefined,
  }
}

/** Returns whether a new trace belongs to the share that is sampled. The last digits of its id decide. */
export function isSampled(traceId: string, percent: number): boolean {
  return percent > 0 && Number.parseInt(traceId.slice(24), 16) < (percent / 100) * 2 ** 32
}
