import type { IncomingMessage } from 'node:http'
import { writeFlags, type TraceContext } from '../../trace/trace-context.ts'
import { knownTraceOf } from '../request/trace-of.ts'

/** The fields of a log line that tell its span. They have the names of the log data model of OpenTelemetry. */
interface TraceFields {
  readonly trace_id: string
  readonly span_id: string
  readonly trace_flags: string
}

type Span = Pick<TraceContext, 'traceId' | 'spanId' | 'flags'>

/** Returns the log fields of a span. */
export function fieldsOf({ traceId, spanId, flags }: Span): TraceFields {
  return { trace_id: traceId, span_id: spanId, trace_flags: writeFlags(flags) }
}

/** Returns the log fields of a span as JSON, as they are written after other fields. */
export function fieldsText({ traceId, spanId, flags }: Span): string {
  return `,"trace_id":"${traceId}","span_id":"${spanId}","trace_flags":"${writeFlags(flags)}"`
}

/** Returns the log fields of a request's trace; `undefined` if the headers of the request were not read. */
export function traceFields(request: IncomingMessage): TraceFields | undefined {
  const trace = knownTraceOf(request)
  return trace && fieldsOf(trace)
}
