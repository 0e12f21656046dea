import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify'
import { activeTracing } from '../../otel/tracing.ts'
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

/**
 * Returns the factory of the loggers of requests, whose lines have the trace of the request. Loggers that an app
 * derives from them have it too.
 *
 * @param logger - The options of the logger of the app.
 */
export function tracedLoggers(
  logger: FastifyServerOptions['logger'],
  sampledPercent: number,
): NonNullable<FastifyServerOptions['childLoggerFactory']> {
  const format = typeof logger === 'object' ? logger.formatters?.log : undefined
  return (log: FastifyBaseLogger, bindings, options, raw: IncomingMessage) => {
    const trace = traceOf(raw, sampledPercent)
    // Fastify creates the bindings and the options for this logger only.
    if (activeTracing() === undefined) return log.child(Object.assign(bindings, fieldsOf(trace)), options)
    // The span of the request starts later, and a logger writes its own fields once. So each line reads the trace.
    const formatLine = (line: object) => ({
      ...traceFields(raw),
      ...(format === undefined ? line : format(line as Record<string, unknown>)),
    })
    return log.child(bindings, { ...options, formatters: { log: formatLine } })
  }
}
