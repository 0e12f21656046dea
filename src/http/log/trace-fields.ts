import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import { writeFlags, type TraceContext } from '../../trace/trace-context.ts'
import { knownTraceOf, traceOf } from '../request/trace-of.ts'

/** The fields of a log line that tell its span. They have the names of the log data model of OpenTelemetry. */
interface TraceFields {
  readonly trace_id: string
  readonly span_id: string
  readonly trace_flags: string
}

function fieldsOf({ traceId, spanId, flags }: TraceContext): TraceFields {
  return { trace_id: traceId, span_id: spanId, trace_flags: writeFlags(flags) }
}

/** Returns the log fields of a request's trace; `undefined` if the headers of the request were not read. */
export function traceFields(request: IncomingMessage): TraceFields | undefined {
  const trace = knownTraceOf(request)
  return trace && fieldsOf(trace)
}

/** Returns the factory of the loggers of requests, whose lines have the trace of the request. */
export function tracedLoggers(sampledPercent: number): NonNullable<FastifyServerOptions['childLoggerFactory']> {
  return (logger: FastifyBaseLogger, bindings, options, raw: IncomingMessage) =>
    // Fastify creates the bindings for this logger only.
    logger.child(Object.assign(bindings, fieldsOf(traceOf(raw, sampledPercent))), options)
}

/**
 * Gives the further log lines of a request the trace that it has now. Its logger was created before its span, and pino
 * writes the fields of a logger once.
 */
export function traceLogs(request: FastifyRequest, reply: FastifyReply): void {
  reply.log = request.log = request.server.log.child({ reqId: request.id, ...traceFields(request.raw) })
}
